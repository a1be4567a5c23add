from postroom.providers.contract import Acquaintance
from postroom.providers.microsoft.tests.test_reading import query
from postroom.providers.microsoft.tests.world import Microsoft, ok


def person(name: str | None, *addresses: str | None, kind: str = "Person", **more: str) -> dict[str, object]:
    scored = [{"address": address, "relevanceScore": 8.0} for address in addresses]
    told = {"displayName": name, "scoredEmailAddresses": scored, "personType": {"class": kind, "subclass": ""}}
    return {"id": f"p-{name}", **told, **more}


def test_people_come_in_microsofts_order_without_groups_and_those_nobody_can_write_to() -> None:
    rows = [
        person("Ines Ribeiro", "Ines@contoso.example", "ines@home.example", jobTitle="Buyer", companyName="Contoso"),
        person("Everybody", "all@northwind.example", kind="Group"),
        person("No Address"),
        person(None, None, "odd", "ben@northwind.example", companyName="Northwind"),
    ]
    world = Microsoft(ok({"value": rows}))
    assert world.mail().people() == (
        Acquaintance(address="Ines@contoso.example", name="Ines Ribeiro", about="Buyer"),
        Acquaintance(address="ben@northwind.example", about="Northwind"),
    )
    assert world.asked[0].url.path.endswith("/me/people") and query(world.asked[0])["$top"] == "100"


def test_of_a_shared_mailbox_nobody_is_asked() -> None:
    world = Microsoft()
    assert world.mail("sales@northwind.example").people() == () and not world.asked
