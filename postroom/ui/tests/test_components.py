"""Components, the shell and the gallery, as HTML."""

import gzip
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.template import Context, Template
from django.test import Client, RequestFactory, override_settings
from django.utils.safestring import mark_safe

from postroom.ui import assets, rail, views
from postroom.ui.context import shell
from postroom.ui.shell import ShellMailbox, worst_health
from postroom.ui.templatetags.ui import DRAWN_OF_PARAMETERS, SENT_BY

HERE = Path(__file__).parent.parent
COMPONENTS = sorted(path.stem for path in (HERE / "templates/ui/components").glob("*.html"))
GALLERY = [f"/ui/gallery/{page}" for page in views.PAGES]


def draw(source: str, **context: object) -> str:
    """What a template comes to, with white space folded as a browser does."""
    return re.sub(r"\s+", " ", Template("{% load ui %}" + source).render(Context(context)))


@pytest.fixture
def gallery(client: Client) -> Client:
    with override_settings(POSTROOM_DEMO=True):
        yield client


@pytest.mark.parametrize("address", GALLERY)
def test_no_page_carries_inline_style_or_script(gallery: Client, address: str) -> None:
    page = gallery.get(address).content.decode()
    assert " style=" not in page
    assert "<style" not in page
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert not re.search(r"\son[a-z]+=", page)


@pytest.mark.parametrize("address", GALLERY)
def test_ids_on_a_page_are_unique(gallery: Client, address: str) -> None:
    ids = re.findall(r'\sid="([^"]+)"', gallery.get(address).content.decode())
    assert len(ids) == len(set(ids))


def test_the_gallery_does_not_exist_in_production(client: Client) -> None:
    with override_settings(POSTROOM_DEMO=False):
        assert client.get("/ui/gallery").status_code == 404


@pytest.mark.parametrize("name", COMPONENTS)
def test_every_component_is_shown_in_the_gallery_or_by_the_shell(name: str) -> None:
    templates = [path for path in (HERE / "templates").rglob("*.html") if path.stem != name]
    used = f'{{% ui "{name}"'
    answers = {"pager", "suggestions"}  # drawn as answers to requests
    assert name in answers or any(used in path.read_text() for path in templates)


@pytest.mark.parametrize("name", COMPONENTS)
def test_every_component_says_what_it_takes(name: str) -> None:
    assert "{% comment %}" in (HERE / f"templates/ui/components/{name}.html").read_text()


def test_a_component_does_not_see_the_variables_of_its_page() -> None:
    assert 'name="leak"' not in draw('{% ui "button" label="Go" %}', name="leak", key="x", href="/leak")


@pytest.mark.parametrize("name", sorted(DRAWN_OF_PARAMETERS))
def test_what_is_remembered_as_drawn_knows_neither_the_time_nor_who_looks(name: str) -> None:
    source = (HERE / f"templates/ui/components/{name}.html").read_text()
    assert not re.search(r"{% (moment|live|url|now) |\|(ago|short_time|date)|request\.|shell\.", source)
    assert "csrf_token" not in source or SENT_BY.intersection(re.findall(r"\w+", source))


def test_what_is_remembered_as_drawn_still_differs_by_whether_a_text_is_safe() -> None:
    def drawn(text: str) -> str:
        return Template('{% load ui %}{% ui "tag" label=text %}').render(Context({"text": text}))

    assert "<b>" in drawn(mark_safe("<b>")) and "&lt;b&gt;" in drawn("<b>")


def test_what_people_wrote_is_escaped() -> None:
    hostile = '"><script>alert(1)</script>'
    source = '{% ui "row" id="r" href="/x" who=who subject=who snippet=who %}{% ui "button" label=who hx_get=who %}'
    html = draw(source, who=hostile)
    assert "<script>" not in html
    assert 'hx-get="&quot;&gt;' in html


def test_attributes_reach_the_root_and_empty_ones_are_left_out() -> None:
    html = draw('{% ui "button" label="Go" hx_get="/x" data_quiet=True hx_target=nothing %}', nothing=None)
    assert 'hx-get="/x" data-quiet' in html
    assert "hx-target" not in html


def test_an_action_is_a_form_that_works_without_a_script() -> None:
    html = draw('{% ui "action" url="/deals/7/closure" label="Close" name="why" value="won" %}', csrf_token="t0ken")
    assert 'method="post" action="/deals/7/closure"' in html
    assert 'name="csrfmiddlewaretoken" value="t0ken"' in html
    assert 'name="why" value="won"' in html


def test_a_disabled_button_says_why() -> None:
    html = draw('{% ui "button" label="Teams link" reason="Personal accounts have no Teams." %}')
    assert 'aria-disabled="true"' in html
    assert "(Personal accounts have no Teams.)" in html


def test_mail_is_shown_in_a_frame_that_can_run_nothing() -> None:
    html = draw('{% ui "message" id="m" who="Ines" frame_url="/mail/frame/7" open=True %}')
    sandbox = re.search(r'sandbox="([^"]*)"', html)
    assert sandbox is not None
    assert "allow-scripts" not in sandbox[1]
    assert "allow-forms" not in sandbox[1]


def test_news_triggers_name_the_thing_and_the_times_to_look_at_everything() -> None:
    assert draw('{% live "mail" threads=41 %}') == (
        "live:mail:threads:41 from:body, live:mail:all from:body, live:resync from:body"
    )
    assert draw('{% live "mail" %}') == "live:mail from:body, live:resync from:body"


def test_the_rail_shows_only_destinations_that_exist() -> None:
    entries = [rail.Entry("home", "Home", "inbox", "home"), rail.Entry("tasks", "Tasks", "check", "no:such-name")]
    assert [place.key for place in rail.destinations(entries)] == ["home"]


def test_the_longest_matching_destination_is_current() -> None:
    def place(key: str, url: str) -> rail.Destination:
        return rail.Destination(key, key, "inbox", url, "", "")

    places = [place("settings", "/settings/"), place("outlook", "/settings/outlook/")]
    assert rail.current("/settings/outlook/7/", places) == "outlook"
    assert rail.current("/elsewhere/", places) == ""


def test_the_settings_dot_shows_the_worst_health_and_nothing_when_all_is_well() -> None:
    def box(health: str) -> ShellMailbox:
        return {"address": "a@x", "label": "a", "health": health, "shared": False, "unread": 0, "url": "/"}  # type: ignore[typeddict-item]

    assert worst_health([box("healthy"), box("stale"), box("never")]) == "stale"
    assert worst_health([box("healthy")]) is None
    assert worst_health([]) is None


def test_the_shell_asks_for_its_data_only_when_it_is_drawn() -> None:
    with override_settings(POSTROOM_SHELL="no.such.module"):
        assert shell(RequestFactory().get("/"))["rail"]["active"] == ""


def test_every_stylesheet_and_script_exists() -> None:
    listed = (*assets.STYLES, *assets.BEHAVIOURS, assets.EARLY_SCRIPT, assets.HTMX)
    assert [path for path in listed if finders.find(path) is None] == []


def test_no_script_or_stylesheet_lies_around_unlisted() -> None:
    static = HERE / "static"
    listed = {*assets.STYLES, *assets.BEHAVIOURS, assets.EARLY_SCRIPT}
    assert {str(path.relative_to(static)) for path in static.rglob("*") if path.suffix in {".css", ".js"}} == listed


def test_the_page_weighs_less_than_200_kilobytes() -> None:
    paths = [finders.find(path) for path in (*assets.STYLES, *assets.BEHAVIOURS, assets.EARLY_SCRIPT, assets.HTMX)]
    weight = sum(len(gzip.compress(Path(str(path)).read_bytes())) for path in paths)
    assert weight < 200_000


def test_every_rule_lives_in_a_layer() -> None:
    for path in assets.STYLES:
        text = re.sub(r"/\*.*?\*/", "", Path(str(finders.find(path))).read_text(), flags=re.S).strip()
        text = text.removeprefix("@layer reset, tokens, base, layout, components, screens;").strip()
        assert text.startswith("@layer ") and text.endswith("}"), path


def test_colours_are_named_once_and_only_in_the_tokens() -> None:
    for path in assets.STYLES:
        if path != "ui/css/tokens.css":
            assert not re.search(r"#[0-9a-f]{3,8}\b|rgba?\(|hsla?\(", Path(str(finders.find(path))).read_text()), path
