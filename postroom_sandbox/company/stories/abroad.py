"""Conversations in German, French, Spanish, Portuguese, Japanese and Arabic."""

from __future__ import annotations

from datetime import datetime

from .. import files
from ..mime import Attachment
from ..people import CUSTOMERS
from ..phrases.abroad import STORIES
from .facts import make, money
from .support import SUPPORT
from .writer import EVERYBODY_OUTSIDE, STAFF_BY_NAME, Ended, Thread, Writer

_OURS = {"de": "theo", "fr": "camille", "es": "camille", "pt": "adele", "ja": "yuki", "ar": "nadia"}


def conversation(writer: Writer, start: datetime) -> None:
    """A sale or a ticket in the customer's language."""
    rng, phrases = writer.rng, writer.phrases
    customer = rng.choice([person for person in EVERYBODY_OUTSIDE if person.language != "en"])
    language = customer.language
    company = next(company for company in CUSTOMERS if company.name == customer.company)
    stories = STORIES[language]
    number = 0 if rng.random() < 0.55 else 1
    subjects, steps = stories[number]
    ours = STAFF_BY_NAME[_OURS[language]] if number == 0 else SUPPORT
    total = rng.randint(3200, 42000)
    facts = make(rng, start, language=language, company=company.name, total=money(total, company.currency, language))
    facts["language"] = language
    tags = [f"deal:{company.name}"] if number == 0 else ["ticket", f"topic:{company.name}"]
    thread = Thread(writer, start, phrases.say(subjects, facts), facts, tags)
    page = files.pdf(str(facts["quote"]), [company.name, str(facts["total"])])
    quote = Attachment(f"{facts['quote']}.pdf", "application/pdf", page)
    try:
        variant = rng.randrange(2)  # what is asked and what is answered belong together
        for turn, banks in enumerate(steps):
            slots = [[bank[variant % len(bank)]] for bank in banks]
            sender, to = (customer, ours) if turn % 2 == 0 else (ours, customer)
            mail = thread.write(sender, [to], slots, sign=STAFF_BY_NAME[_OURS[language]] if sender is ours else None)
            if turn % 2 and str(facts["quote"]) in " ".join(mail.paragraphs):
                mail.attachments = (quote,)
    except Ended:
        return
