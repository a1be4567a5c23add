"""Deals, from the question to the order, the go-live and the invoice; some are lost, some never answered."""

from __future__ import annotations

from datetime import datetime, timedelta

from .. import files
from ..mime import Attachment
from ..people import CUSTOMERS
from ..phrases import sales as say
from . import calendar
from .facts import make, money, order_lines
from .writer import CUSTOMER_PEOPLE, STAFF_BY_NAME, Ended, Person, Thread, Writer

_OWNER = {"Vogt & Söhne": "theo", "Atelier Lumière": "camille", "Grupo Almazara": "camille", "Sato Logistics": "mara"}
_PDF = "application/pdf"
_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

_PAIRS = (
    (say.QUESTIONS, say.ANSWERED, ("questions", "answers")),
    (say.TECH_ASKED, say.TECH_ANSWERED, ("tech_questions", "tech_answers")),
)


class Deal:
    """One deal: cast, facts, and the steps it goes through."""

    def __init__(self, writer: Writer, start: datetime) -> None:
        rng = writer.rng
        self.writer = writer
        customer = rng.choice(CUSTOMERS)
        self.customer = customer
        people = [person for person in CUSTOMER_PEOPLE[customer.name] if person.language == "en"]
        people = people or list(CUSTOMER_PEOPLE[customer.name])
        self.buyer: Person = rng.choice(people)
        self.boss: Person = rng.choice([person for person in people if person != self.buyer] or [self.buyer])
        self.rep = STAFF_BY_NAME[_OWNER.get(customer.name, "adele")]
        if rng.random() < 0.25:
            self.rep = STAFF_BY_NAME["adele"]
        self.mara, self.ben, self.ruth = (STAFF_BY_NAME[name] for name in ("mara", "ben", "ruth"))
        self.goods = writer.phrases.deal(say.DEALS)
        table, total, self.rows = order_lines(rng, self.goods["lines"], customer.currency)  # type: ignore[arg-type]
        discount = rng.choice((4, 5, 6, 8, 10))
        self.facts = make(
            rng,
            start,
            company=customer.name,
            kind=self.goods["kind"],
            table=table,
            qty=self.rows[0][1],
            total=money(total, customer.currency),
            newtotal=money(round(total * (100 - discount) / 100), customer.currency),
            discount=discount,
            boss=self.boss.first,
            contact=self.buyer.first,
            rep=self.rep.first,
            manager="Mara" if self.rep != self.mara else "Gita",
        )
        phrases = writer.phrases
        self.facts["need"] = phrases.say(self.goods["needs"], self.facts)  # type: ignore[arg-type]
        for asked, answered, names in _PAIRS:
            variant = rng.randrange(len(asked))
            for name, bank in zip(names, (asked, answered), strict=True):
                self.facts[name] = phrases.expand(bank[variant], self.facts)
        subject = phrases.say(self.goods["subjects"], self.facts)  # type: ignore[arg-type]
        self.tags = [f"deal:{customer.name}", str(self.goods["kind"])]
        self.thread = Thread(writer, start, subject, self.facts, self.tags)

    def _us(self, slots: object, after: tuple[float, float] = (1, 22), **more: object) -> None:
        self.thread.write(self.rep, [self.buyer], slots, after=after, **more)  # type: ignore[arg-type]

    def _them(self, slots: object, after: tuple[float, float] = (2, 60), **more: object) -> None:
        self.thread.write(self.buyer, [self.rep], slots, after=after, **more)  # type: ignore[arg-type]

    def tell(self) -> None:
        """The whole story; ends early where it reaches the present."""
        rng = self.writer.rng
        self._them(say.INQUIRY)
        self._us(say.DISCOVERY)
        self._them(say.ANSWERS, cc=[self.boss] if rng.random() < 0.5 and self.boss != self.buyer else [])
        if rng.random() < 0.6:
            self._meeting()
        if rng.random() < 0.45 and self.boss != self.buyer:
            self.thread.write(self.boss, [self.rep], say.TECH_QUESTIONS, cc=[self.buyer], after=(6, 70))
            self.thread.write(self.rep, [self.boss], say.TECH_ANSWERS, cc=[self.buyer, self.ben], after=(3, 30))
        self._quotation()
        outcome = rng.random()
        if outcome < 0.14:
            self._us(say.CHASE, after=(140, 260))
            if rng.random() < 0.5:
                self._us(say.CHASE, after=(150, 300))
            return
        if outcome < 0.30:
            self._them(say.LOST, after=(80, 300))
            self._us(say.LOST_ANSWER)
            return
        self._bargain()
        self._order()

    def _meeting(self) -> None:
        invite = calendar.Meeting(
            title=f"{self.customer.name}: {self.goods['kind']}", minutes=30, place="Video call", organiser=self.rep
        )
        calendar.invite(self.thread, invite, [self.buyer, self.ben], after=(1, 20))
        overview = files.docx("Overview", [f"Prepared for {self.customer.name}", str(self.facts["need"])])
        attach = [Attachment("Northwind overview.docx", _DOCX, overview)]
        self._us(say.RECAP, after=(40, 90), cc=[self.ben], attach=attach)

    def _quotation(self) -> None:
        lines = [" ".join(map(str, row)) for row in self.rows]
        head = [f"Quotation {self.facts['quote']}", f"For {self.buyer.name}, {self.customer.name}", ""]
        page = files.pdf(
            "Northwind", [*head, *lines, "", f"Total {self.facts['total']}", f"Valid until {self.facts['valid']}"]
        )
        attach = [Attachment(f"{self.facts['quote']}.pdf", _PDF, page)]
        if self.writer.rng.random() < 0.3:
            rows: list[list[object]] = [["Item", "Quantity", "Each", "Sum"], *self.rows]
            attach.append(Attachment("Calculation.csv", "text/csv", files.csv(rows)))
        self._us(say.QUOTE, after=(20, 70), attach=attach)

    def _bargain(self) -> None:
        rng = self.writer.rng
        if rng.random() < 0.65:
            self._them(say.NEGOTIATION, after=(30, 140))
            self._ask_inside()
            form = files.docx(
                f"Order form {self.facts['quote']}",
                [f"Customer: {self.customer.name}", f"Total: {self.facts['newtotal']}"],
            )
            self._us(say.REVISED, after=(8, 40), attach=[Attachment("Order form v2.docx", _DOCX, form)])
        else:
            self.thread.facts["newtotal"] = self.facts["newtotal"] = self.facts["total"]
        if rng.random() < 0.3:
            self._them(say.LEGAL, after=(30, 100))
            self._us(say.LEGAL_ANSWER, after=(10, 50), cc=[self.mara])

    def _ask_inside(self) -> None:
        if self.rep == self.mara:
            return
        inside = Thread(
            self.writer,
            self.thread.clock + timedelta(hours=1),
            f"{self.customer.name} {self.facts['quote']}: price",
            self.facts,
            ["internal"],
        )
        inside.write(self.rep, [self.mara], say.APPROVAL)
        inside.write(self.mara, [self.rep], say.APPROVAL_ANSWER, after=(0.3, 6))

    def _order(self) -> None:
        page = files.pdf(
            "Order form",
            [f"Order {self.facts['po']}", self.customer.name, f"{self.facts['newtotal']}", f"Signed {self.boss.name}"],
        )
        signed = [Attachment("Order form signed.pdf", _PDF, page)]
        self._them(say.SIGNED, after=(24, 120), attach=signed)
        self._us(say.WELCOME, after=(0.5, 8), cc=[self.ben])
        kick_off = Thread(
            self.writer,
            self.thread.clock + timedelta(hours=20),
            f"Kick-off {self.customer.name}, {self.facts['site']}",
            self.facts,
            self.tags,
        )
        kick_off.write(self.ben, [self.buyer], say.KICKOFF, cc=[self.rep])
        kick_off.write(self.buyer, [self.ben], say.KICKOFF_ANSWER, cc=[self.rep], after=(5, 60))
        self._invoice()

    def _invoice(self) -> None:
        payer = next(
            (p for p in CUSTOMER_PEOPLE[self.customer.name] if "Pay" in p.title or "Admin" in p.title), self.buyer
        )
        start = self.thread.clock + timedelta(days=self.writer.rng.randint(5, 14))
        thread = Thread(self.writer, start, f"Invoice {self.facts['invoice']}", self.facts, ["invoice", *self.tags])
        page = files.pdf(
            f"Invoice {self.facts['invoice']}",
            [self.customer.name, f"Order {self.facts['po']}", str(self.facts["newtotal"])],
        )
        attach = [Attachment(f"{self.facts['invoice']}.pdf", _PDF, page)]
        thread.write(self.ruth, [payer], say.INVOICE, attach=attach)
        if self.writer.rng.random() < 0.4:
            thread.write(self.ruth, [payer], say.REMINDER, cc=[self.rep], after=(800, 1000), attach=attach)
            thread.write(payer, [self.ruth], say.PAID, after=(3, 40))


def deal(writer: Writer, start: datetime) -> None:
    """One deal that begins at `start`."""
    try:
        Deal(writer, start).tell()
    except Ended:
        return
