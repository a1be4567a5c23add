"""The other side: reading, writing as anybody, and making things go wrong, by plain forms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import httpx2
import pytest

from ... import notifications
from ...testing import Sandbox, running_sandbox

ADELE, INES = "adele@northwind.example", "ines.ribeiro@contoso.example"
EVIL = (
    b"From: x@y.example\r\nTo: adele@northwind.example\r\nSubject: <b>hi</b>\r\nContent-Type: text/html\r\n\r\n"
    b"<script>1</script><p>Text"
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as running:
        running.user(ADELE, "Adele Varga")
        running.user("mara@northwind.example", "Mara Lindqvist")
        yield running


@pytest.fixture
def web(sandbox: Sandbox) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=sandbox.url, follow_redirects=True) as client:
        yield client


def subjects(sandbox: Sandbox, address: str, folder: str = "inbox") -> list[str]:
    token = sandbox.token(address)
    url = f"{sandbox.url}/v1.0/me/mailFolders/{folder}/messages?$select=subject&$top=50"
    found = httpx2.get(url, headers={"Authorization": f"Bearer {token}"}).json()
    return [item["subject"] for item in found["value"]]


def link(page: httpx2.Response, label: str) -> str:
    found = re.search(rf'href="([^"]+)"[^>]*>{label}<', page.text)
    assert found, f"no link {label!r}"
    return unescape(found[1])


@pytest.mark.parametrize(
    "path", ["/", f"/mail/{ADELE}", "/write", "/people", f"/people/{INES}", "/accidents", "/traffic"]
)
def test_every_page_opens_with_one_heading_and_a_strict_policy(web: httpx2.Client, path: str) -> None:
    page = web.get(path)
    assert page.status_code == 200 and page.text.count("<h1") == 1
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_a_customer_writes_and_the_answer_of_the_company_comes_back_to_the_customer(
    sandbox: Sandbox, web: httpx2.Client
) -> None:
    sent = web.post(
        "/write", data={"as": INES, "to": ADELE, "subject": "Renewal", "text": "Hello\n\nInês", "attach": "pdf"}
    )
    assert "Delivered to adele@northwind.example" in sent.text and "Renewal" in subjects(sandbox, ADELE)

    message = web.get(re.search(r'href="(/mail/[^"]+message/[^"]+)"', sent.text)[1].replace("&amp;", "&"))  # type: ignore[index]
    assert "Notes.pdf" in message.text
    answer = web.get(link(message, "Answer as Adele"))
    assert f'value="{INES}"' in answer.text and 'value="Re: Renewal"' in answer.text
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', answer.text))
    assert hidden["message"]
    fields = {key: unescape(value) for key, value in hidden.items()}
    web.post("/write", data=fields | {"as": ADELE, "to": INES, "subject": "Re: Renewal", "text": "Gladly"})
    sandbox.world.clock.advance(5)
    sandbox.world.transport.run_due()
    assert "Re: Renewal" in subjects(sandbox, ADELE, "sentitems")

    person = web.get(f"/people/{INES}")
    assert "Gladly" in person.text
    back = web.get(link(person, "Answer as Inês"))
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', back.text))
    web.post("/write", data=fields | {"as": INES, "to": ADELE, "subject": "Re: Renewal", "text": "Thanks"})
    token = sandbox.token(ADELE)
    url = f"{sandbox.url}/v1.0/me/messages?$select=subject,conversationId&$top=50"
    found = httpx2.get(url, headers={"Authorization": f"Bearer {token}"}).json()["value"]
    thread = [item["conversationId"] for item in found if "Renewal" in item["subject"]]
    assert len(thread) == 3 and len(set(thread)) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"as": "", "to": ADELE},
        {"as": INES, "to": "nobody"},
        {"as": INES, "to": "nobody@northwind.example"},
        {"as": "a@b.example, c@d.example", "to": ADELE},
    ],
)
def test_a_letter_that_cannot_be_sent_says_why_and_keeps_the_text(web: httpx2.Client, fields: dict[str, str]) -> None:
    page = web.post("/write", data=fields | {"subject": "S", "text": "Precious words"})
    assert page.status_code == 400 and 'role="alert"' in page.text and "Precious words" in page.text


def test_reading_flagging_moving_and_deleting(sandbox: Sandbox, web: httpx2.Client) -> None:
    message = sandbox.deliver(ADELE, EVIL)
    page = web.get(f"/mail/{ADELE}/message/{message}")
    assert "&lt;b&gt;hi&lt;/b&gt;" in page.text and "<script>1" not in page.text
    body = web.get(f"/mail/{ADELE}/body/{message}")
    assert "<script" not in body.text and "sandbox" in body.headers["content-security-policy"]

    act = f"/mail/{ADELE}/act/{message}"
    assert "Mark unread" in web.post(act, data={"do": "read"}).text
    assert "Remove flag" in web.post(act, data={"do": "flag"}).text
    archive = next(folder for folder in sandbox.mailbox(ADELE).tree if folder.well_known == "archive")
    web.post(act, data={"do": "move", "target": sandbox.mailbox(ADELE).ids.folder(archive.number)})
    assert "<b>hi</b>" in subjects(sandbox, ADELE, "archive")
    web.post(act, data={"do": "delete"})
    assert "<b>hi</b>" in subjects(sandbox, ADELE, "deleteditems")
    assert web.post(act, data={"do": "explode"}).status_code == 400
    assert web.get(f"/mail/{ADELE}/message/gone").status_code == 404


def test_folders_are_made_renamed_and_deleted(sandbox: Sandbox, web: httpx2.Client) -> None:
    assert "Fairs" in web.post(f"/mail/{ADELE}/folder", data={"do": "create", "name": "Fairs"}).text
    tree = sandbox.mailbox(ADELE).tree
    made = next(folder for folder in tree if folder.name == "Fairs")
    where = f"/mail/{ADELE}/folder?folder={sandbox.mailbox(ADELE).ids.folder(made.number)}"
    assert web.post(f"/mail/{ADELE}/folder", data={"do": "create", "name": "fairs"}).status_code == 409
    assert "Shows" in web.post(where, data={"do": "rename", "name": "Shows"}).text
    web.post(where, data={"do": "delete"})
    assert made.path == "Deleted Items/Shows"
    assert web.post(f"/mail/{ADELE}/folder", data={"do": "rename", "name": "X"}).status_code == 400


def test_accidents_happen_at_the_press_of_a_button(sandbox: Sandbox, web: httpx2.Client) -> None:
    token = sandbox.token(ADELE)
    headers = {"Authorization": f"Bearer {token}"}
    assert "done for Adele Varga" in web.post("/accidents", data={"mailbox": ADELE, "do": "expire"}).text
    assert httpx2.get(f"{sandbox.url}/v1.0/me", headers=headers).status_code == 401
    assert "AADSTS50076" in web.post("/accidents", data={"mailbox": ADELE, "do": "refresh", "code": "50076"}).text
    assert (
        "policy is set"
        in web.post(
            "/accidents", data={"do": "policy", "tenant": sandbox.user(ADELE).tenant_id, "policy": "managed"}
        ).text
    )
    web.post("/accidents", data={"fault": "doubles"})
    assert len(sandbox.world.faults.rules) == 1
    assert web.post("/accidents", data={"do": "faults", "rules": "{nonsense"}).status_code == 400
    web.post("/accidents", data={"do": "clear"})
    assert sandbox.world.faults.rules == []
    assert web.post("/accidents", data={"mailbox": ADELE, "do": "nonsense"}).status_code == 400
    assert notifications.notifications(sandbox.world).drop(sandbox.user(ADELE).id) == 0


def test_a_form_of_another_site_is_refused(web: httpx2.Client) -> None:
    page = web.post("/accidents", data={"do": "clear"}, headers={"Origin": "https://evil.example"})
    assert page.status_code == 403
