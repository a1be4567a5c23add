"""Writes mails: people with their habits, threads with their clock."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from .. import files
from ..mime import Attachment, Mail, Party, Signature, Style
from ..model import Contact, User
from ..people import CONTACTS, CUSTOMERS, SHARED, STAFF
from ..phrases.abroad import CASUAL, CLOSING, GREETING
from ..text import Phrases

_OFFSETS = {"Lisbon": 0.0, "Leeds": 0.0, "Bremen": 1.0, "Osaka": 9.0, "Lyon": 1.0, "Seville": 1.0, "Cairo": 2.0,
            "Portland": -8.0, "Dublin": 0.0, "London": 0.0}  # fmt: skip
_GMAIL_DOMAINS = frozenset({"tailspin.example", "nilecold.example"})
_PLAIN_PEOPLE = frozenset(
    {"george.pell@fabrikam.example", "jan.petersen@vogt-soehne.example", "kenji.ono@sato-logistics.example"}
)
_REPLY = {"de": "AW: ", "fr": "RE: ", "es": "RE: "}
_FORWARD = {"de": "WG: ", "fr": "TR: ", "es": "RV: ", "pt": "ENC: "}
_PREFIX = re.compile(r"^(?:(?:re|aw|fw|fwd|wg|tr|rv|enc|sv)\s*:\s*)+", re.IGNORECASE)
COMPANY_DOMAIN = "northwind.example"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who writes mail, with the habits of their mail program."""

    name: str
    address: str
    language: str = "en"
    style: Style = "outlook"
    title: str = ""
    company: str = ""
    phone: str = ""
    city: str = "London"

    @property
    def first(self) -> str:
        return self.name.split()[0]

    @property
    def inside(self) -> bool:
        return self.address.endswith("@" + COMPANY_DOMAIN)

    @property
    def offset(self) -> float:
        return _OFFSETS.get(self.city, 0.0)

    @property
    def party(self) -> Party:
        return Party(self.name, self.address, self.offset)


def _from_user(user: User) -> Person:
    return Person(
        user.name, user.address, user.language, "outlook", user.job_title, "Northwind", user.phone, user.office
    )


def _from_contact(contact: Contact) -> Person:
    domain = contact.address.rpartition("@")[2]
    style: Style = "gmail" if domain in _GMAIL_DOMAINS else "plain" if contact.address in _PLAIN_PEOPLE else "outlook"
    return Person(
        contact.name,
        contact.address,
        contact.language,
        style,
        contact.job_title,
        contact.company,
        contact.phone,
        contact.city,
    )


STAFF_BY_NAME = {user.address.partition("@")[0]: _from_user(user) for user in (*STAFF, *SHARED)}
CUSTOMER_PEOPLE = {customer.name: tuple(map(_from_contact, customer.contacts)) for customer in CUSTOMERS}
EVERYBODY_OUTSIDE = tuple(map(_from_contact, CONTACTS))


class Ended(Exception):
    """The next mail of a thread lies in the future: the storyline stops there."""


@lru_cache(maxsize=1)
def _logo() -> Attachment:
    return Attachment("northwind.png", "image/png", files.logo((22, 101, 122)), "logo@northwind.example")


@lru_cache(maxsize=512)
def signature(person: Person, *, long: bool) -> Signature:
    """A person's signature: a block for the first mail of a thread, the name alone later."""
    if not long:
        return Signature((person.name,))
    lines = [person.name, *([person.title] if person.title else [])]
    if person.company:
        lines.append(person.company + (f" · {person.city}" if person.city else ""))
    if person.phone:
        lines.append(person.phone)
    if person.inside:
        lines.append("northwind.example")
        return Signature(tuple(lines), _logo())
    return Signature(tuple(lines))


class Writer:
    """All the mails of a company so far, and the chance behind them."""

    def __init__(self, seed: str, now: datetime) -> None:
        self.rng = random.Random(seed)  # noqa: S311 - the point is that it can be repeated
        self.phrases = Phrases(self.rng)
        self.now = now
        self.mails: list[Mail] = []
        self._count = 0

    def message_id(self, sender: str) -> str:
        """A Message-ID that no other mail of this world has."""
        self._count += 1
        return f"{self._count:06x}.{self.rng.getrandbits(56):014x}@{sender.rpartition('@')[2]}"

    def add(self, mail: Mail) -> Mail:
        """Keeps a mail; raises Ended when it would be written in the future."""
        if mail.sent > self.now:
            raise Ended
        self.mails.append(mail)
        return mail

    def business_time(self, moment: datetime, person: Person) -> datetime:
        """The moment itself, or the next one at which the person sits at a desk."""
        local = moment + timedelta(hours=person.offset)
        minute = local.hour * 60 + local.minute
        if minute > 18 * 60 + 20:
            local = self._morning(local + timedelta(days=1))
        elif minute < 7 * 60 + 30:
            local = self._morning(local)
        if local.weekday() > 4:
            local = self._morning(local + timedelta(days=7 - local.weekday()))
        return local.replace(second=self.rng.randint(0, 59), microsecond=0) - timedelta(hours=person.offset)

    def _morning(self, day: datetime) -> datetime:
        """Some time between eight and half past eleven, rather early than late."""
        late = int(self.rng.random() ** 1.6 * 210)
        return day.replace(hour=8 + late // 60, minute=late % 60)


class Thread:
    """One conversation under way: subject, facts, tags and its own clock."""

    def __init__(
        self,
        writer: Writer,
        start: datetime,
        subject: str,
        facts: Mapping[str, object],
        tags: Sequence[str] = (),
    ) -> None:
        self.writer = writer
        self.clock = start
        self.subject = subject
        self.facts = dict(facts)
        self.tags = frozenset(tags)
        self.last: Mail | None = None

    def write(
        self,
        sender: Person,
        to: Sequence[Person],
        slots: Sequence[Sequence[str]],
        *,
        cc: Sequence[Person] = (),
        after: tuple[float, float] = (0.5, 30),
        attach: Sequence[Attachment] = (),
        answer: bool = True,
        forward: bool = False,
        bare: bool = False,
        tags: Sequence[str] = (),
        sign: Person | None = None,
        exact: bool = False,
    ) -> Mail:
        """The next mail of the thread, `after` so many hours. `sign` is who signs when it is not the sender."""
        rng = self.writer.rng
        moment = self.clock + timedelta(hours=rng.uniform(*after) if self.last or exact else 0)
        moment = moment.replace(microsecond=0) if exact else self.writer.business_time(moment, sender)
        hand = sign or sender
        parent = self.last if answer else None
        language = self._language(to) if sender.inside else sender.language
        shared = language == "en" and to[0].name.startswith("Northwind ")
        facts = {**self.facts, "first": "team" if shared else to[0].first, "name": to[0].name, "me": hand.first}
        paragraphs = self.writer.phrases.compose(slots, facts)
        if not bare:
            casual = sender.inside and all(person.inside for person in to)
            brief = parent is not None and rng.random() < (0.6 if casual else 0.3)
            paragraphs = self._framed(paragraphs, language, facts, brief=brief, casual=casual)
        mail = Mail(
            message_id=self.writer.message_id(sender.address),
            sender=sender.party,
            to=tuple(person.party for person in to),
            cc=tuple(person.party for person in cc),
            subject=self._subject(language, parent, forward),
            sent=moment,
            paragraphs=paragraphs,
            parent=parent,
            forwarded=forward,
            style=sender.style,
            language=language,
            signature=None if bare else signature(hand, long=parent is None or forward),
            attachments=tuple(attach),
            tags=self.tags | frozenset(tags),
        )
        self.writer.add(mail)
        self.clock, self.last = moment, mail
        return mail

    def _language(self, to: Sequence[Person]) -> str:
        wanted = str(self.facts.get("language", "en"))
        return wanted if not all(person.inside for person in to) else "en"

    def _framed(
        self, paragraphs: list[str], language: str, facts: Mapping[str, object], *, brief: bool, casual: bool
    ) -> list[str]:
        phrases = self.writer.phrases
        if casual:
            hello, bye = phrases.deal(CASUAL)
        else:
            hello, bye = phrases.deal(GREETING[language]), phrases.deal(CLOSING[language])
        return [*([] if brief else [phrases.expand(hello, facts)]), *paragraphs, bye]

    def _subject(self, language: str, parent: Mail | None, forward: bool) -> str:
        if parent is None:
            return self.subject
        stem = _PREFIX.sub("", parent.subject)
        return (_FORWARD.get(language, "Fw: ") if forward else _REPLY.get(language, "Re: ")) + stem
