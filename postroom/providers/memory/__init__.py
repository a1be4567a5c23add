"""A provider that lives in this process: the reference implementation of the contract, for tests and simulations.

``connector().mailbox("ana@northwind.example")`` is the other side and speaks a small language (``mailbox.Box``).
A token is the text ``memory:<address>``; any of them opens that mailbox until ``reject`` is called.
"""

from postroom.providers.contract import Authority, Capabilities, Feature, MailSource, Notified, TokenSource
from postroom.providers.memory.authority import MemoryAuthority
from postroom.providers.memory.mailbox import Box
from postroom.providers.memory.push import notified
from postroom.providers.memory.source import MemoryMail


class Memory:
    """``contract.Connector`` of the in-process provider. Its mailboxes write to each other."""

    name = "memory"
    label = "In memory"
    capabilities = Capabilities(
        push=True,
        stable_ids=True,
        categories=True,
        folders=True,
        server_side_threads=True,
        max_attachment=150 * 1024 * 1024,
    )
    features: tuple[Feature, ...] = (
        Feature(name="mail", label="Mail", scopes=("mail",), permissions=("Read and keep your mail",), required=True),
        Feature(name="sending", label="Sending", scopes=("send",), permissions=("Send as you",)),
        Feature(name="categories", label="Categories", scopes=("categories",), permissions=("Keep categories",)),
    )

    def __init__(self) -> None:
        self.boxes: dict[str, Box] = {}
        self.accounts = MemoryAuthority()

    def mailbox(self, address: str) -> Box:
        """The mailbox of ``address``, made on first use."""
        key = address.lower()
        if key not in self.boxes:
            self.boxes[key] = Box(address, self.boxes)
        return self.boxes[key]

    def clear(self) -> None:
        """Forget everything."""
        self.boxes.clear()
        self.accounts = MemoryAuthority()

    def authority(self) -> Authority:
        return self.accounts

    def mail(self, *, token: TokenSource, mailbox_key: str, address: str | None = None) -> MailSource:
        return MemoryMail(self.boxes, self.accounts, token=token, mailbox_key=mailbox_key, address=address)

    def notified(self, body: bytes) -> list[Notified]:
        return notified(body)


def connector() -> Memory:
    return Memory()
