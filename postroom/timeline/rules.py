"""Which records a conversation belongs to, judged by the addresses in it (product.md CR2, CR3).

Pure rules: given who was found under which address, they say which links follow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

CROWD = 50
"""A mail to more people than this is a circular: only who wrote it is linked, not everybody it reached."""

PUBLIC_DOMAINS: frozenset[str] = frozenset(
    """
    126.com 163.com aim.com alice.it aol.com arcor.de att.net bellsouth.net bigpond.com bluewin.ch btinternet.com
    centrum.cz charter.net comcast.net cox.net daum.net duck.com earthlink.net email.com email.cz fastmail.com
    fastmail.fm foxmail.com free.fr freenet.de gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.net googlemail.com hanmail.net
    hey.com hotmail.co.uk hotmail.com hotmail.de hotmail.es hotmail.fr hotmail.it hushmail.com icloud.com inbox.com
    inbox.lv interia.pl juno.com kpnmail.nl laposte.net libero.it list.ru live.co.uk live.com live.de live.fr live.nl
    mac.com mail.com mail.de mail.ru mailbox.org me.com msn.com naver.com nate.com ntlworld.com o2.pl onet.pl online.no
    optonline.net optusnet.com.au orange.fr outlook.com outlook.de outlook.es outlook.fr outlook.jp passport.com pm.me
    posteo.de proton.me protonmail.ch protonmail.com qq.com rambler.ru rediffmail.com rocketmail.com rogers.com sapo.pt
    sbcglobal.net seznam.cz sfr.fr shaw.ca sina.com skynet.be sky.com sohu.com sympatico.ca t-online.de talktalk.net
    telenet.be telia.com terra.com.br tin.it tiscali.it tuta.com tutanota.com uol.com.br verizon.net virgilio.it
    virginmedia.com wanadoo.fr web.de wp.pl xtra.co.nz yahoo.ca yahoo.co.in yahoo.co.jp yahoo.co.uk yahoo.com
    yahoo.com.br yahoo.de yahoo.es yahoo.fr yahoo.it yandex.com yandex.ru yeah.net ymail.com zoho.com
    """.split()  # noqa: SIM905 -- read as words
)
"""Where anybody may have an address: sharing one of these says nothing about sharing an employer."""


class Heard(NamedTuple):
    """An address of a conversation and the records known under it.

    `wrote`: it is the sender of some mail here. `crowd`: how many addresses the smallest mail it is in has. `ours`: a
    mailbox of the workspace itself; `our_domain`: the domain of one. `company` is found by domain, `employer` through
    the person.
    """

    conversation: int
    address: str
    wrote: bool
    crowd: int
    last_at: datetime
    ours: bool = False
    our_domain: bool = False
    person: int | None = None
    employer: int | None = None
    company: int | None = None


class Target(NamedTuple):
    """A link that follows from the rules."""

    conversation: int
    pointer: str
    record: int


def domain_of(address: str) -> str:
    """The part behind the last @, lower-cased; empty when there is none."""
    return address.rpartition("@")[2].lower() if "@" in address else ""


def is_public(domain: str) -> bool:
    return domain.lower() in PUBLIC_DOMAINS


def decide(heard: Iterable[Heard]) -> Mapping[Target, datetime]:
    """The links that follow, each with the time of the conversation's newest mail.

    An address stands for its contact and the contact's company, and for the company its domain belongs to. Colleagues
    do not count, neither the members' own addresses nor the own domain: they are in every conversation.
    """
    found: dict[Target, datetime] = {}
    for one in heard:
        if one.ours or (one.crowd > CROWD and not one.wrote):
            continue
        employer = None if one.our_domain else one.employer
        by_domain = None if one.our_domain or is_public(domain_of(one.address)) else one.company
        for pointer, record in (("person", one.person), ("company", employer), ("company", by_domain)):
            if record is not None:
                target = Target(one.conversation, pointer, record)
                found[target] = max(one.last_at, found.get(target, one.last_at))
    return found


ROBOTS = (
    *("no-reply", "noreply", "no_reply", "do-not-reply", "donotreply", "mailer-daemon", "postmaster", "notification"),
    *("bounce", "newsletter", "unsubscribe"),
)


def name_of_domain(domain: str) -> str:
    """What to call a company of which only the domain is known: "vogt-soehne.example" is "Vogt Soehne"."""
    labels = domain.split(".")
    # The label before the ending, and before endings of two parts as in example.co.uk.
    short = len(labels) > 2 and len(labels[-2]) <= 3
    return labels[-3 if short else -2].replace("-", " ").replace("_", " ").title() if len(labels) > 1 else domain


def is_robot(address: str) -> bool:
    """Whether nobody reads this address (product.md CR4)."""
    return any(word in address.partition("@")[0] for word in ROBOTS)
