"""`postroom doctor`: what is right and what is not, each with what to do about it.

The checks are those of the page in Settings (`postroom.operations.doctor`). Exit codes: 0 nothing is broken (there may
be warnings), 1 something is, 2 the settings cannot be read.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path

from postroom.config.env import Environment, SettingsError, load
from postroom.config.errors import UsageError
from postroom.lib.crypto import generate_key
from postroom.operations.decoder import explain
from postroom.operations.decoder.letter import App, letter
from postroom.operations.doctor import network, round, settings
from postroom.operations.doctor.findings import CALLBACK, GRAPH, LOGIN, Finding, Installation, State, fail, ok

__all__ = ["CALLBACK", "examine", "explain_text", "generate_keys"]

Say = Callable[[str], None]
MARKS = {State.OK: "✓", State.WARN: "!", State.FAIL: "✗", State.NONE: "–"}


def examine(say: Say, ready: Callable[[], AbstractContextManager[None]], *, as_json: bool = False) -> int:
    """Look at everything and say it. ``ready`` brings Django and the database up."""
    try:
        environment = load()
        here = installation(environment)
    except SettingsError as problem:
        say(json.dumps({"error": str(problem)}) if as_json else f"✗ settings: {problem}")
        return 2
    findings = [_secret_key(environment), *round.in_turn(settings.CHECKS, here)]
    findings += _inside(here, ready)
    findings += round.side_by_side(network.CHECKS, here)
    _tell(say, findings, as_json=as_json)
    return 1 if round.worst(findings) is State.FAIL else 0


def installation(environment: Environment) -> Installation:
    """What the checks look at. Raises SettingsError."""
    return Installation(
        home=Path(environment.values["POSTROOM_HOME"]),
        public_url=environment.url("POSTROOM_PUBLIC_URL", ""),
        client_id=environment.text("MICROSOFT_CLIENT_ID"),
        has_secret=bool(environment.text("MICROSOFT_CLIENT_SECRET")),
        secret_ends=environment.day("MICROSOFT_CLIENT_SECRET_EXPIRES"),
        tenant=environment.text("MICROSOFT_TENANT", "common"),
        login_url=environment.url("MICROSOFT_LOGIN_URL", LOGIN),
        graph_url=environment.url("MICROSOFT_GRAPH_URL", GRAPH),
        keys=tuple(environment.words("POSTROOM_ENCRYPTION_KEYS")),
    )


def _secret_key(environment: Environment) -> Finding:
    if len(environment.text("POSTROOM_SECRET_KEY")) >= 32:
        return ok("secret_key", "Secret key", "set")
    return fail("secret_key", "Secret key", "missing or too short", settings.GENERATE)


def _inside(here: Installation, ready: Callable[[], AbstractContextManager[None]]) -> list[Finding]:
    """What needs the database."""
    try:
        with ready():
            from postroom.operations.doctor import database, work

            reached = round.in_turn(database.CHECKS[:1], here)
            if round.worst(reached) is State.FAIL:
                return reached
            inside = (*database.CHECKS[1:], *work.CHECKS, *work.of_mailboxes(None))
            return [*reached, *round.in_turn(inside, here)]
    except (SettingsError, UsageError) as problem:
        mend = "Mend the settings above, or check DATABASE_URL; unset it to use the embedded PostgreSQL."
        return [fail("database", "Database", str(problem), mend)]


def _tell(say: Say, findings: Iterable[Finding], *, as_json: bool) -> None:
    findings = list(findings)
    if as_json:
        say(
            json.dumps(
                {"state": round.worst(findings).value, "findings": [one.as_dict() for one in findings]}, indent=1
            )
        )
        return
    for one in findings:
        say(f"{MARKS[one.state]} {one.what}: {one.found}")
        for line in (one.mend, *one.steps):
            if line:
                say(f"  → {line}")
    broken, warned = (sum(one.state is state for one in findings) for state in (State.FAIL, State.WARN))
    say(f"{broken} to mend, {warned} to look at." if broken or warned else "Everything is in order.")


def explain_text(say: Say, text: str, *, with_letter: bool = False, as_json: bool = False, reference: str = "") -> int:
    """`postroom doctor explain …`; exit code 1 when there is no code in the text."""
    answer = explain(text)
    if as_json:
        say(json.dumps({"ids": answer.ids, "found": [_as_dict(one) for one in answer.found]}, indent=1))
    elif not answer.found:
        say(
            "There is no code of Microsoft's in that. Paste the whole error text, the JSON, or a code like AADSTS65001."
        )
    for one in () if as_json else answer.found:
        say(f"{one.code}: {one.title}\n  {one.meaning}\n  Who: {one.remedy.who.value}\n  What to do: {one.remedy.todo}")
        for step in one.remedy.steps:
            say(f"  → {step}")
        say(f"  Trying again: {one.remedy.retry.value}")
    if with_letter and answer.found:
        made = letter(answer, _app(), reference=reference)
        say(f"\nSubject: {made.subject}\n\n{made.text}")
    return 0 if answer.found else 1


def _as_dict(one: object) -> dict[str, object]:
    from postroom.operations.decoder import Explained

    assert isinstance(one, Explained)
    return {
        "code": one.code, "title": one.title, "meaning": one.meaning, "known": one.known, "who": one.remedy.who.value,
        "todo": one.remedy.todo, "steps": list(one.remedy.steps), "retry": one.remedy.retry.value,
    }  # fmt: skip


def _app() -> App:
    from postroom.providers.registry import connector

    here = installation(load())
    scopes = dict.fromkeys(scope for feature in connector("microsoft").features for scope in feature.scopes)
    return App(here.client_id, here.tenant, here.redirect_uri, tuple(scopes))


def generate_keys() -> str:
    """Lines for a .env file."""
    return f"POSTROOM_SECRET_KEY={secrets.token_urlsafe(48)}\nPOSTROOM_ENCRYPTION_KEYS={generate_key()}\n"
