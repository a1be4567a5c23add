from __future__ import annotations

from postroom_sandbox.graph.tests.client import BOB, Graph, mail, to
from postroom_sandbox.testing import MAIL_SCOPES


def filled() -> Graph:
    graph = Graph()
    for number, sender in enumerate(["ann@x.example", "ann@x.example", "cy@z.example"]):
        graph.world.clock.advance(60)
        graph.deliver(mail(number=number, subject=f"Mail {number}", sender=sender))
    for _ in range(2):
        graph("POST", "/me/sendMail", {"message": {"subject": "x", "toRecipients": to(BOB)}})
    graph.settle()
    return graph


def addresses(answer: dict[str, list[dict[str, list[dict[str, str]]]]]) -> list[str]:
    return [one["scoredEmailAddresses"][0]["address"] for one in answer["value"]]


def test_people_are_ranked_by_the_mail_one_exchanges() -> None:
    graph = filled()
    answer = graph.get("/me/people")
    assert addresses(answer) == [BOB, "ann@x.example", "cy@z.example"]
    assert answer["value"][0]["personType"] == {"class": "Person", "subclass": "OrganizationUser"}
    scores = [one["scoredEmailAddresses"][0]["relevanceScore"] for one in answer["value"]]
    assert scores == sorted(scores, reverse=True)


def test_people_come_in_pages_and_are_searched_by_the_beginnings_of_words() -> None:
    graph = filled()
    answer = graph.get("/me/people?$top=2&$select=displayName,scoredEmailAddresses")
    assert len(answer["value"]) == 2 and set(answer["value"][0]) == {"id", "displayName", "scoredEmailAddresses"}
    rest = graph.get(answer["@odata.nextLink"].partition("/v1.0")[2])
    assert addresses(rest) == ["cy@z.example"] and "@odata.nextLink" not in rest
    assert addresses(graph.get('/me/people?$search="an"')) == ["ann@x.example"]
    assert graph("GET", '/me/people?$search="an"&$skip=1').status == 400
    assert graph("GET", "/me/people?$select=shoeSize").status == 400


def test_people_need_their_own_permission_and_others_an_administrators() -> None:
    graph = filled()
    few = [scope for scope in MAIL_SCOPES if scope != "People.Read"]
    token = graph.token_for(graph.user("cleo@contoso.example"), few)  # a token carries what was granted before, too
    assert graph("GET", "/me/people", Authorization=f"Bearer {token}").status == 403
    assert graph("GET", f"/users/{BOB}/people").status == 403
