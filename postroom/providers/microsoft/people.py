"""Whom the account's owner works with, as Microsoft ranks them. Source: graph.md 10."""

from msgspec import Struct

from postroom.providers.contract import Acquaintance, Unusable, Urgency
from postroom.providers.microsoft.client import path_of
from postroom.providers.microsoft.mailbox import Mailbox
from postroom.providers.microsoft.messages import text

MOST = 100
_SELECT = "displayName,scoredEmailAddresses,jobTitle,companyName,personType"


class WireScored(Struct, rename="camel"):
    address: str | None = None


class WireType(Struct, rename={"kind": "class"}):
    kind: str | None = None


class WirePerson(Struct, rename="camel"):
    display_name: str | None = None
    scored_email_addresses: list[WireScored] | None = None
    job_title: str | None = None
    company_name: str | None = None
    person_type: WireType | None = None


class People(Mailbox):
    def people(self) -> tuple[Acquaintance, ...]:
        """One page, best first, of people only: groups and rooms are left out. Of somebody else's mailbox only an
        administrator's permission would tell, so a shared one has none."""
        if self._shared:
            return ()
        page = self._graph.page(f"/me/people{path_of(select=_SELECT, top=MOST)}", WirePerson, urgency=Urgency.DELTA)
        wires = [wire for wire in page.value if not isinstance(wire, Unusable)]
        found = (
            _person(wire) for wire in wires if wire.person_type is None or wire.person_type.kind in (None, "Person")
        )
        return tuple(one for one in found if one is not None)


def _person(wire: WirePerson) -> Acquaintance | None:
    """The first of somebody's addresses is the one Microsoft thinks the likeliest."""
    addresses = [one.address for one in wire.scored_email_addresses or () if one.address and "@" in one.address]
    if not addresses:
        return None
    about = text(wire.job_title) or text(wire.company_name) or ""
    return Acquaintance(address=addresses[0], name=text(wire.display_name) or "", about=about)
