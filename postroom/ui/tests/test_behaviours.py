"""The behaviours in a real browser, on the gallery."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from postroom.ui import views

pytestmark = pytest.mark.browser

MORPH = """() => {
  const list = document.querySelector(".rows");
  const third = list.querySelector("#row-3");
  third.querySelector("a").focus();
  const kept = [...list.children].filter((row) => row.id !== "row-2").map((row) => row.outerHTML).reverse().join("");
  const fresh = '<li class="row" id="row-new" data-row><a href="/n">New</a></li>';
  const html = `<ul class="rows" data-list="follow">${fresh}${kept}</ul>`;
  htmx.swap(list, html, {swapStyle: "morph", swapDelay: 0, settleDelay: 0}, {contextElement: list});
  return [document.activeElement.closest("li")?.id, third.isConnected,
          [...document.querySelectorAll(".rows > li")].slice(0, 2).map((row) => row.id)];
}"""

SHOW_TOAST = """document.body.dispatchEvent(
  new CustomEvent("toast", {bubbles: true, detail: {text: "Moved.", undo_url: "/undo"}}))"""

COUNT_NEWS = """() => {
  window.heard = [];
  for (const name of ["live:mail", "live:mail:threads:41", "live:mail:threads:42", "live:mail:all", "live:resync"])
    document.body.addEventListener(name, () => window.heard.push(name));
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", views.PAGES)
def test_axe_finds_nothing(page: Page, name: str, theme: str) -> None:
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.goto(f"/ui/gallery/{name}")
    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found] == []


def test_j_and_k_move_the_focus_through_a_list(page: Page) -> None:
    page.goto("/ui/gallery")
    page.locator("#row-1 a").focus()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(page.locator("#row-2 a")).to_be_focused()


def test_beside_its_detail_a_list_opens_what_the_focus_reaches(page: Page) -> None:
    page.goto("/ui/gallery/inbox")
    page.keyboard.press("j")
    page.wait_for_url("**/inbox?thread=2")


def test_a_question_mark_shows_the_keys_and_escape_hides_them(page: Page) -> None:
    page.goto("/ui/gallery/inbox")
    page.keyboard.press("?")
    expect(page.locator("#shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#shortcuts")).to_be_hidden()


def test_keys_are_text_while_somebody_writes(page: Page) -> None:
    page.goto("/ui/gallery/inbox")
    text = page.get_by_role("textbox", name="Message")
    text.fill("")
    text.press_sequentially("c?jgi")
    expect(text).to_have_text("c?jgi")
    expect(page.locator("#shortcuts")).to_be_hidden()


def test_g_then_a_letter_goes_somewhere(page: Page) -> None:
    page.goto("/ui/gallery/settings")
    page.keyboard.press("g")
    page.keyboard.press("i")
    page.wait_for_url("**/ui/gallery/inbox")


def test_the_palette_finds_places_and_falls_back_to_search(page: Page) -> None:
    page.goto("/ui/gallery/inbox")
    page.keyboard.press("Control+k")
    page.keyboard.type("compan")
    expect(page.locator(".palette-option")).to_have_count(2)
    expect(page.locator(".palette-option").nth(1)).to_contain_text("Search for “compan”")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/ui/gallery?q=compan")


def test_recipients_become_tokens_that_the_form_sends_as_text(page: Page) -> None:
    page.goto("/ui/gallery/inbox")
    page.locator("#reply-recipients-to").click()
    page.keyboard.type("sat")
    expect(page.locator(".suggestion")).to_have_count(1)
    page.keyboard.press("Enter")
    page.keyboard.type('"Doe, Jane" <jane@x.example>, not an address,')
    expect(page.locator(".composer-head .token")).to_have_count(4)
    expect(page.locator(".composer-head .token-invalid")).to_have_count(1)
    expect(page.locator('.composer input[name="to"]')).to_have_value(
        "Ines Ribeiro <ines@contoso.example>, Tom Sato <tom@fabrikam.example>, "
        '"Doe, Jane" <jane@x.example>, not an address'
    )


def test_a_morph_keeps_focus_and_nodes_and_follows_the_new_order(page: Page) -> None:
    page.goto("/ui/gallery/inbox")
    assert page.evaluate(MORPH) == ["row-3", True, ["row-new", "row-9"]]


def test_a_mail_frame_is_as_tall_as_its_mail(page: Page) -> None:
    page.goto("/ui/gallery/inbox")
    frame = page.locator("iframe[data-mail-frame]")
    expect(frame).to_have_attribute("data-sized", "")
    folded = frame.bounding_box()
    page.frame_locator("iframe[data-mail-frame]").locator("summary").click()
    page.wait_for_function("(old) => document.querySelector('iframe').clientHeight > old + 10", arg=folded["height"])


def test_shortcuts_work_with_the_focus_inside_a_mail(page: Page) -> None:
    page.goto("/ui/gallery/inbox")
    expect(page.locator("iframe[data-mail-frame]")).to_have_attribute("data-sized", "")
    page.frame_locator("iframe[data-mail-frame]").locator("summary").focus()
    page.keyboard.press("?")
    expect(page.locator("#shortcuts")).to_be_visible()


def test_a_toast_offers_undo_and_goes_when_it_is_dismissed(page: Page) -> None:
    page.goto("/ui/gallery/inbox")
    page.evaluate(SHOW_TOAST)
    expect(page.locator("#toasts .toast-undo")).to_be_visible()
    page.locator("#toasts [data-toast-close]").click()
    expect(page.locator("#toasts .toast")).to_have_count(0)


def test_theme_and_the_right_pane_are_remembered(page: Page) -> None:
    page.goto("/ui/gallery/inbox")
    page.locator("[data-pane-toggle]").click()
    page.locator('[popovertarget="member-menu"]').click()
    page.locator('#member-menu input[value="dark"]').check()
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.locator("#aside")).to_be_hidden()


def test_news_are_told_by_topic_and_by_thing_and_bursts_together(page: Page) -> None:
    frames = ["id: p-1\nevent: hello\ndata: {}"]
    frames += [f'id: p-{number}\nevent: mail\ndata: {{"threads":[41]}}' for number in range(2, 40)]
    frames += ['id: p-40\nevent: mail\ndata: {"threads":[]}', "id: p-41\nevent: resync\ndata: {}", ""]
    resumed: list[str] = []

    def answer(route: Route) -> None:
        resumed.append(route.request.headers.get("last-event-id", ""))
        body = "\n\n".join(frames) if len(resumed) == 1 else ""
        route.fulfill(status=200 if len(resumed) < 3 else 204, content_type="text/event-stream", body=body)

    page.route("**/live-events", answer)
    page.add_init_script("addEventListener('DOMContentLoaded', " + COUNT_NEWS + ", {capture: true})")
    page.route("**/ui/gallery/settings", _with_live)
    page.goto("/ui/gallery/settings")
    page.wait_for_function("() => window.heard?.filter((name) => name === 'live:mail').length === 2")
    heard = page.evaluate("window.heard")
    assert heard.count("live:mail:threads:41") <= 2
    assert heard.count("live:mail:threads:42") == 0
    assert heard.count("live:mail:all") == heard.count("live:resync") == 1
    page.wait_for_function("() => performance.getEntriesByName(new URL('/live-events', location).href).length >= 3")
    assert re.fullmatch(r"ago-\d+", resumed[0]) and resumed[1:] == ["p-41", "p-41"]


def _with_live(route: Route) -> None:
    """The page as it comes, with a stream."""
    answer = route.fetch()
    live = answer.text().replace('<body class="app"', '<body data-live="/live-events" class="app"')
    route.fulfill(response=answer, body=live)


@pytest.mark.parametrize("script", [True, False])
def test_on_a_telephone_the_rail_is_a_drawer_even_without_a_script(browser: Browser, site: str, script: bool) -> None:
    window = browser.new_context(viewport={"width": 390, "height": 844}, base_url=site, java_script_enabled=script)
    page = window.new_page()
    page.goto("/ui/gallery/inbox")
    expect(page.locator("#rail")).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    expect(page.locator("#rail")).to_be_visible()
    window.close()


def test_without_a_script_a_message_can_be_opened_and_a_reply_sent(browser: Browser, site: str) -> None:
    window = browser.new_context(base_url=site, java_script_enabled=False)
    page = window.new_page()
    page.goto("/ui/gallery/inbox")
    page.locator("#message-1 summary").click()
    expect(page.locator("#message-1 .message-text")).to_be_visible()
    expect(page.locator('.composer input[name="to"]')).to_be_editable()
    assert page.locator(".composer").get_attribute("method") == "post"
    window.close()
