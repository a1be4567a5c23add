"""What mail leaves to the background: reports that came back are fetched and read (product.md SE11), and providers are
asked whom their accounts' owners work with (SE10)."""

from django.db import close_old_connections
from procrastinate.contrib.django import app
from procrastinate.retry import RetryStrategy

from postroom.mail import people
from postroom.mail.models import Message
from postroom.mail.outbound import coming_back


@app.task(name="mail.read-report", queue="housekeeping", retry=RetryStrategy(max_attempts=6, exponential_wait=5))
def read_report(message_id: int) -> None:
    """Raises ``providers.errors`` when the mailbox cannot be asked, and is then tried again."""
    close_old_connections()
    message = Message.objects.filter(pk=message_id).select_related("mailbox", "mailbox__connection", "body").first()
    if message is not None:
        coming_back.take(message)


@app.task(name="mail.ask-people", queue="housekeeping")
def ask_people(mailbox_id: int) -> None:
    """Once a day for somebody who writes; a failure waits for the next day."""
    close_old_connections()
    people.ask(mailbox_id)
