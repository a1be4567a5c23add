"""Who there is: Northwind (warehouse software, scanners, label printers), its customers, and odd accounts for tests."""

from __future__ import annotations

from ..users import PERSONAL_TENANT, tenant_of
from .model import Contact, Customer, Delegation, Tenant, User

NORTHWIND = Tenant(tenant_of("northwind.example"), "Northwind", "northwind.example")
WOODGROVE = Tenant(tenant_of("woodgrove.example"), "Woodgrove Bank", "woodgrove.example", "none")
PERSONAL = Tenant(PERSONAL_TENANT, "Personal accounts", "outlook.example")
TENANTS = (NORTHWIND, WOODGROVE, PERSONAL)


def _person(first: str, last: str, title: str, phone: str, office: str, **more: object) -> User:
    return User(
        address=f"{first.lower()}@northwind.example",
        name=f"{first} {last}",
        job_title=title,
        kind="work",
        tenant_id=NORTHWIND.id,
        aliases=(f"{first.lower()}.{last.lower()}@northwind.example",),
        phone=phone,
        office=office,
        **more,  # type: ignore[arg-type]
    )


STAFF = (
    _person("Adele", "Varga", "Account Executive", "+44 20 5550 0141", "London"),
    _person("Mara", "Lindqvist", "Head of Sales", "+44 20 5550 0102", "London"),
    _person("Theo", "Brandt", "Account Executive, DACH", "+49 421 5550 187", "Bremen", language="de"),
    _person("Camille", "Roux", "Account Manager, Southern Europe", "+33 4 5550 0123", "Lyon", language="fr"),
    _person("Oscar", "Mensah", "Support Lead", "+44 20 5550 0160", "London"),
    _person("Yuki", "Tanaka", "Support Engineer", "+81 6 5550 0119", "Osaka", language="ja"),
    _person("Nadia", "Haddad", "Support Engineer", "+20 2 5550 0175", "Cairo", language="ar"),
    _person("Ben", "Whitaker", "Implementation Consultant", "+44 113 5550 0133", "Leeds"),
    _person("Hanna", "Keller", "People Partner", "+49 421 5550 122", "Bremen"),
    _person("Diego", "Santos", "Head of Engineering and IT", "+351 21 5550 164", "Lisbon", is_admin=True),
    _person("Ruth", "Abara", "Finance Manager", "+44 20 5550 0110", "London"),
    _person("Gita", "Chand", "Managing Director", "+44 20 5550 0101", "London"),
)

SHARED = (
    User(
        "support@northwind.example",
        "Northwind Support",
        "",
        "shared",
        NORTHWIND.id,
        ("help@northwind.example",),
        ("oscar@northwind.example", "yuki@northwind.example", "nadia@northwind.example", "adele@northwind.example"),
    ),
    User(
        "jobs@northwind.example",
        "Northwind Jobs",
        "",
        "shared",
        NORTHWIND.id,
        ("careers@northwind.example",),
        ("hanna@northwind.example", "diego@northwind.example", "adele@northwind.example"),
    ),
)

ODD = (
    User("sam.porter@outlook.example", "Sam Porter", "", "personal", PERSONAL.id),
    User("trainee@northwind.example", "Kit Lomas", "Trainee", "no-licence", NORTHWIND.id),
    User("dock@northwind.example", "Dock Terminal", "Warehouse account", "on-premises", NORTHWIND.id),
    User("lars@woodgrove.example", "Lars Ekholm", "Relationship Manager", "work", WOODGROVE.id),
    User("edith@woodgrove.example", "Edith Moor", "IT Administrator", "work", WOODGROVE.id, is_admin=True),
)

USERS = STAFF + SHARED + ODD

# who opens them may send as them, as the sandbox's Exchange has it
DELEGATIONS = tuple(
    Delegation(mailbox.address, delegate, send_as=True) for mailbox in SHARED for delegate in mailbox.delegates
)


def _customer(
    name: str, domain: str, city: str, language: str, currency: str, trade: str, phone: str, people: str
) -> Customer:
    """`people` lists one person a line: `local part | name | job title [| language]`."""
    contacts = []
    for number, line in enumerate(people.strip().splitlines()):
        local, full, title, *tongue = (part.strip() for part in line.split("|"))
        contacts.append(
            Contact(
                address=f"{local}@{domain}",
                name=full,
                job_title=title,
                company=name,
                language=tongue[0] if tongue else language,
                phone=f"{phone}{number + 31:02d}",
                city=city,
            )
        )
    return Customer(name, domain, city, language, currency, trade, tuple(contacts))


CUSTOMERS = (
    _customer("Contoso", "contoso.example", "Lisbon", "en", "EUR", "food import", "+351 21 555 01", """
        ines.ribeiro | Inês Ribeiro | Head of Procurement
        paul.meyer | Paul Meyer | Chief Financial Officer
        tiago.lopes | Tiago Lopes | Gestor de Operações | pt
        beatriz.nunes | Beatriz Nunes | Responsável de Armazém | pt
        marta.faria | Marta Faria | IT Manager
    """),
    _customer("Fabrikam", "fabrikam.example", "Leeds", "en", "GBP", "machine parts", "+44 113 555 01", """
        jonas.okafor | Jonas Okafor | Operations Director
        helen.shaw | Helen Shaw | Warehouse Manager
        imran.ali | Imran Ali | Systems Analyst
        kate.byrne | Kate Byrne | Procurement Lead
        george.pell | George Pell | Shift Supervisor
    """),
    _customer("Vogt & Söhne", "vogt-soehne.example", "Bremen", "de", "EUR", "ship chandlery", "+49 421 555 01", """
        lena.vogt | Lena Vogt | Geschäftsführerin
        matthias.krueger | Matthias Krüger | Leiter Logistik
        sabine.oehler | Sabine Öhler | Einkauf
        jan.petersen | Jan Petersen | IT-Leiter | en
    """),
    _customer("Sato Logistics", "sato-logistics.example", "Osaka", "en", "USD", "logistics", "+81 6 555 01", """
        tom.sato | Tom Sato | General Manager, Warehousing
        haruka.mori | 森 遥 | 倉庫管理 | ja
        kenji.ono | 小野 健二 | 情報システム部 | ja
        emi.watanabe | Emi Watanabe | Customer Operations
        ryo.fujita | Ryo Fujita | Purchasing
    """),
    _customer("Atelier Lumière", "atelier-lumiere.example", "Lyon", "fr", "EUR", "lighting", "+33 4 55 50 01 ", """
        claire.dumont | Claire Dumont | Directrice des opérations
        hugo.perrin | Hugo Perrin | Responsable entrepôt
        elodie.garnier | Élodie Garnier | Achats
        marc.delattre | Marc Delattre | Responsable informatique | en
    """),
    _customer("Grupo Almazara", "almazara.example", "Seville", "es", "EUR", "olive oil", "+34 95 555 01", """
        lucia.navarro | Lucía Navarro | Directora de Compras
        andres.pena | Andrés Peña | Jefe de Almacén
        carmen.ibanez | Carmen Ibáñez | Administración
        rafael.soto | Rafael Soto | Chief Information Officer | en
    """),
    _customer("Nile Cold Chain", "nilecold.example", "Cairo", "en", "USD", "refrigerated transport", "+20 2 555 01", """
        omar.farouk | Omar Farouk | Managing Partner
        salma.nassar | سلمى نصار | مديرة المستودع | ar
        karim.aziz | كريم عزيز | مشتريات | ar
        dina.halim | Dina Halim | Quality Manager
    """),
    _customer("Tailspin Outdoor", "tailspin.example", "Portland", "en", "USD", "outdoor equipment", "+1 503 555 01", """
        riley.cooper | Riley Cooper | VP Supply Chain
        dana.whitfield | Dana Whitfield | Fulfillment Manager
        marcus.bell | Marcus Bell | Accounts Payable
        sofia.reyes | Sofia Reyes | IT Operations
        amy.lin | Amy Lin | Returns Coordinator
    """),
    _customer("Wingtip Pharma", "wingtip.example", "Dublin", "en", "EUR", "pharmaceuticals", "+353 1 555 01", """
        aoife.brennan | Aoife Brennan | Head of Quality
        declan.walsh | Declan Walsh | Distribution Manager
        niamh.keane | Niamh Keane | Validation Engineer
        peter.osullivan | Peter O'Sullivan | Procurement Manager
    """),
)  # fmt: skip

CONTACTS = tuple(contact for customer in CUSTOMERS for contact in customer.contacts)
