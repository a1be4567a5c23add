"""What a delivery report says (RFC 3464): who did not get a message, for good or not yet, and why.

Pure. ``read`` takes the machine's part of a report, ``guessed`` the text for people of servers that write no other.
Whether a message is such a report is for ``kinds`` to say.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

MAX_READ = 200_000  # characters of a report that are looked at
_MOST = 200  # recipients of one report
_FIELD = re.compile(r"([A-Za-z][A-Za-z0-9-]{1,60}):[ \t]?(.*)")
_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_CODE = re.compile(r"\b([45]\d\d)[ -]")
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"'=]{1,64}@[A-Za-z0-9.-]{1,250}\.[A-Za-z]{2,24}")
_ACTIONS = {"failed": "failed", "delayed": "delayed", "delivered": "delivered", "relayed": "delivered"}

# RFC 3463, by what a reader can do about it. Of a class and subject (``x.1``) the words of the nearest.
_WHY: Mapping[str, str] = {
    "1.0": "there is a problem with the address",
    "1.1": "there is no such mailbox",
    "1.2": "there is no such mail server",
    "1.3": "the address is not written as it should be",
    "1.6": "the mailbox has moved",
    "1.10": "there is no such mailbox",
    "2.0": "the mailbox takes no mail at the moment",
    "2.1": "the mailbox is switched off",
    "2.2": "the mailbox is full",
    "2.3": "the message is larger than the mailbox takes",
    "3.4": "the message is larger than the server takes",
    "4.1": "their server did not answer",
    "4.4": "there is no way to their server",
    "4.6": "the message went round in circles",
    "4.7": "their server did not take it in time",
    "5.2": "their server did not understand ours",
    "6.0": "their server cannot handle this content",
    "7.1": "their server refuses mail from us",
    "7.0": "their server refuses the message",
    "7.23": "it failed the sender check (SPF)",
    "7.26": "it failed the sender checks (SPF, DKIM)",
}


class Failed(NamedTuple):
    """One recipient of a report. ``action``: failed, delayed or delivered. ``status`` as 5.1.1, empty when not told;
    ``why`` in words for a reader, ``said`` what the server wrote."""

    address: str
    action: str
    status: str
    why: str
    said: str

    @property
    def hard(self) -> bool:
        """The address itself is no good: writing to it again is pointless."""
        return self.action == "failed" and self.status.startswith(("5.1.", "5.2.1"))


def read(text: str) -> list[Failed]:
    """The recipients of a ``message/delivery-status`` part, each once; empty when there is none in it."""
    found: dict[str, Failed] = {}
    for fields in _groups(text[:MAX_READ]):
        address = _after_kind(fields.get("original-recipient", "") or fields.get("final-recipient", ""))
        if "@" not in address or len(found) >= _MOST:
            continue
        said = _after_kind(fields.get("diagnostic-code", ""))
        status = next(iter(_STATUS.findall(fields.get("status", ""))), "")
        action = _ACTIONS.get(fields.get("action", "").strip().lower(), "failed")
        found.setdefault(address.lower(), _failed(address, action, status, said))
    return list(found.values())


def guessed(text: str, *, ours: frozenset[str] = frozenset()) -> list[Failed]:
    """The same from a text for people: the first address that is not one of ``ours`` (lower-cased), with the code
    beside it. What names nobody names nobody."""
    text = text[:MAX_READ]
    own_hosts = ("mailer-daemon@", "postmaster@")
    for match in _ADDRESS.finditer(text):
        address = match[0].strip(".")
        if address.lower() in ours or address.lower().startswith(own_hosts):
            continue
        status = next(iter(_STATUS.findall(text)), "")
        code = _CODE.search(text)
        temporary = status.startswith("4.") or (not status and code is not None and code[1][0] == "4")
        line = next((line.strip() for line in text.splitlines() if _STATUS.search(line) or _CODE.search(line)), "")
        return [_failed(address, "delayed" if temporary else "failed", status, line)]
    return []


def why(status: str) -> str:
    """5.1.1 in words; empty for what nobody can do anything about."""
    _, _, rest = status.partition(".")
    return _WHY.get(rest) or _WHY.get(f"{rest.partition('.')[0]}.0", "")


def _failed(address: str, action: str, status: str, said: str) -> Failed:
    status = next(iter(_STATUS.findall(said)), status) if status.endswith(".0.0") or not status else status
    return Failed(address[:320], action, status, why(status), " ".join(said.split())[:300])


def _groups(text: str) -> Iterator[dict[str, str]]:
    """Fields between empty lines; the first value of a name counts, lines that begin with a blank go on."""
    group: dict[str, str] = {}
    name = ""
    for line in [*text.splitlines(), ""]:
        if not line.strip():
            if group:
                yield group
            group, name = {}, ""
        elif line[0] in " \t" and name:
            group[name] += f" {line.strip()}"
        elif match := _FIELD.match(line):
            name = match[1].lower()
            group.setdefault(name, match[2].strip())


def _after_kind(value: str) -> str:
    """``rfc822; bob@x.example`` without its first word."""
    kind, sign, rest = value.partition(";")
    return (rest if sign else kind).strip().strip("<>")
