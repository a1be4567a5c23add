"""What a member may switch on with a Microsoft account, the scopes it takes, and words for the review screen.

Least privilege: only the scopes of the features chosen are asked for. Source: graph.md 1.6. In a tenant with
Microsoft's managed consent policy an administrator has to allow the mail scopes (graph.md 1.7).
"""

from postroom.providers.contract import Feature

FEATURES = (
    Feature(
        name="account",
        label="Your account",
        scopes=("openid", "profile", "email", "offline_access", "User.Read"),
        permissions=("See your name, address and organisation", "Stay connected until you disconnect"),
        required=True,
    ),
    Feature(
        name="mail",
        label="Mail",
        scopes=("Mail.ReadWrite",),
        permissions=(
            "Read your messages, folders and attachments",
            "Mark, flag, categorise and move messages, and keep drafts",
        ),
        required=True,
    ),
    Feature(
        name="sending",
        label="Sending",
        scopes=("Mail.Send",),
        permissions=("Send messages as you, when you press Send",),
    ),
    Feature(
        name="categories",
        label="Category colours",
        scopes=("MailboxSettings.ReadWrite",),
        permissions=("Read your list of categories with their colours, and add categories you make in Postroom",),
    ),
    Feature(
        name="people",
        label="People suggestions",
        scopes=("People.Read",),
        permissions=("Read who Microsoft says you work with, to suggest them first as you type a recipient",),
    ),
    Feature(
        name="shared",
        label="Shared mailboxes",
        scopes=("Mail.ReadWrite.Shared", "Mail.Send.Shared"),
        permissions=("Read, organise and send from mailboxes that your organisation shares with you",),
        work_only=True,
        why_work_only="Only work and school accounts have shared mailboxes.",
    ),
)
