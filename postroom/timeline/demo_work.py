"""What the demo's people have to do: tickets, candidates and tasks. Data only; times count hours and days from now."""

from __future__ import annotations

from typing import NamedTuple


class Asked(NamedTuple):
    """A ticket. `who` is an address; `hours` since it was opened; `owner` a member's local part."""

    subject: str
    who: str
    hours: int
    status: str
    priority: str
    owner: str


class Applied(NamedTuple):
    """A candidate. `marks` are (member, verdict, mark of every criterion, why)."""

    name: str
    address: str
    job: str
    stage: str
    headline: str
    location: str
    source: str
    marks: tuple[tuple[str, str, int, str], ...] = ()
    interview: int | None = None  # in so many hours
    beside: str = ""  # who leads it together with the recruiter


class ToDo(NamedTuple):
    """A task; `about` is the name of a company or deal, `days` from today."""

    title: str
    about: str
    days: int
    owner: str
    importance: str = "normal"


ASKED: tuple[Asked, ...] = (
    Asked("Label printer prints blank labels", "helen.shaw@fabrikam.example", 1, "new", "high", ""),
    Asked("Scanner loses Wi-Fi in aisle 14", "tiago.lopes@contoso.example", 5, "open", "normal", "oscar"),
    Asked("Cannot log in after password change", "amy.lin@tailspin.example", 1, "new", "normal", ""),
    Asked("Stock count differs after the import", "imran.ali@fabrikam.example", 30, "waiting", "high", "oscar"),
    Asked("Pallet labels in Japanese", "haruka.mori@sato-logistics.example", 52, "open", "low", "oscar"),
    Asked("Temperature alarm sends no mail", "dina.halim@nilecold.example", 3, "open", "urgent", "adele"),
    Asked("Invoice address is wrong", "marcus.bell@tailspin.example", 75, "solved", "normal", "oscar"),
    Asked("Export to Excel stops at 10,000 rows", "niamh.keane@wingtip.example", 120, "solved", "normal", "oscar"),
)

APPLIED: tuple[Applied, ...] = (
    Applied(
        "Priya Kaur",
        "priya.kaur@mail.example",
        "Backend Engineer",
        "interview",
        "Python and PostgreSQL in logistics",
        "London",
        "Job board",
        (("diego", "yes", 4, "Clear about trade-offs; wants to own a service."),),
        26,
    ),
    Applied(
        "Mateus Oliveira",
        "mateus.oliveira@mail.example",
        "Support Engineer",
        "screening",
        "Field technician, Portuguese and English",
        "Lisbon",
        "Referral",
    ),
    Applied(
        "Freya Nilsen",
        "freya.nilsen@post.example",
        "Product Designer",
        "offer",
        "Designs for people with gloves on",
        "Bergen",
        "Conference",
        (
            ("diego", "strong_yes", 5, "Best field research we have seen."),
            ("hanna", "yes", 4, "The team wants to work with her."),
        ),
    ),
    Applied(
        "Tunde Adeyemi",
        "tunde.adeyemi@mail.example",
        "Account Executive",
        "interview",
        "B2B sales",
        "London",
        "Job board",
        (),
        2,
        "adele",
    ),
    Applied(
        "Jakub Nowak",
        "jakub.nowak@poczta.example",
        "Backend Engineer",
        "new",
        "Event-driven systems",
        "Kraków",
        "Referral",
    ),
    Applied(
        "Chiara Conti",
        "chiara.conti@posta.example",
        "Data Analyst",
        "interview",
        "Forecasting for retail",
        "Turin",
        "Job board",
        (),
        -20,
    ),
    Applied(
        "Noah Steiner",
        "noah.steiner@post.example",
        "Implementation Consultant",
        "hired",
        "Went live in nine warehouses",
        "Graz",
        "Agency",
    ),
)

TO_DO: tuple[ToDo, ...] = (
    ToDo("Send the revised renewal terms", "Contoso renewal", 0, "adele", "high"),
    ToDo("Call Riley about the returns desk", "Returns desk", -1, "adele"),
    ToDo("Book the room for Thursday's review", "", 0, "adele"),
    ToDo("Answer the scanner question in the forum", "Contoso", 0, "oscar"),
    ToDo("Ask Freya when she can start", "", 0, "hanna"),
    ToDo("Ask Legal about the liability clause", "Fabrikam rollout", 1, "adele"),
    ToDo("Prepare the site visit in Bremen", "Bremen second warehouse", 4, "theo"),
    ToDo("Book flights to Osaka", "Osaka pilot", 9, "mara"),
    ToDo("Call about the cold store scanners", "Cold store scanners", -2, "mara", "high"),
    ToDo("Update the forecast for the quarter", "", 2, "adele"),
    ToDo("Write to Wingtip about validation documents", "Wingtip Pharma", 3, "mara"),
)
