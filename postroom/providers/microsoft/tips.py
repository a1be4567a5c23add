"""What is known of recipients before a message goes to them. Source: graph.md 11 (getMailTips)."""

from collections.abc import Sequence

from msgspec import Struct

from postroom.providers.contract import MailTip, Urgency
from postroom.providers.microsoft.client import Ask
from postroom.providers.microsoft.decode import decode
from postroom.providers.microsoft.mailbox import Mailbox
from postroom.providers.microsoft.messages import text

MOST = 100  # addresses in one request
_OPTIONS = "automaticReplies,mailboxFullStatus"


class WireAddress(Struct, rename="camel"):
    address: str | None = None


class WireReply(Struct, rename="camel"):
    message: str | None = None


class WireTip(Struct, rename="camel"):
    email_address: WireAddress | None = None
    automatic_replies: WireReply | None = None
    mailbox_full: bool | None = None


class WireTips(Struct):
    value: list[WireTip]


class Tips(Mailbox):
    def tips(self, addresses: Sequence[str]) -> tuple[MailTip, ...]:
        """A question, though it is a POST: repeating it does no harm."""
        body = {"EmailAddresses": list(addresses[:MOST]), "MailTipsOptions": _OPTIONS}
        ask = Ask(path=f"{self._root}/getMailTips", method="POST", body=body)
        answer = decode(self._graph.call(ask, urgency=Urgency.USER).body, WireTips)
        return tuple(_tip(wire) for wire in answer.value if wire.email_address and wire.email_address.address)


def _tip(wire: WireTip) -> MailTip:
    address = wire.email_address.address if wire.email_address else ""
    away = wire.automatic_replies.message if wire.automatic_replies else ""
    return MailTip(address or "", away=text(away) or "", is_full=bool(wire.mailbox_full))
