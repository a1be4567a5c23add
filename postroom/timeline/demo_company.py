"""Whom the demo's company knows: its customers, their people, and what is being sold to them. Data only.

The addresses are those of the demo's made-up mail, so that it finds its records as it streams in.
"""

from __future__ import annotations

from typing import NamedTuple


class Customer(NamedTuple):
    """`people`: one a line, `local part | first and last name | job title`. The owner is a member's local part."""

    name: str
    domain: str
    industry: str
    owner: str
    phone: str
    people: str


class Sale(NamedTuple):
    """`people` are local parts at the customer's domain; `closes` counts days from today, `quiet` those since anybody
    was heard."""

    name: str
    domain: str
    stage: str
    amount: int
    currency: str
    closes: int
    owner: str
    people: str
    quiet: int = 0


CUSTOMERS: tuple[Customer, ...] = (
    Customer(
        "Contoso",
        "contoso.example",
        "Food import",
        "adele",
        "+351 21 555 01",
        """
        ines.ribeiro | Inês Ribeiro | Head of Procurement
        paul.meyer | Paul Meyer | Chief Financial Officer
        tiago.lopes | Tiago Lopes | Gestor de Operações
        beatriz.nunes | Beatriz Nunes | Responsável de Armazém
        marta.faria | Marta Faria | IT Manager
        """,
    ),
    Customer(
        "Fabrikam",
        "fabrikam.example",
        "Machine parts",
        "adele",
        "+44 113 555 01",
        """
        jonas.okafor | Jonas Okafor | Operations Director
        helen.shaw | Helen Shaw | Warehouse Manager
        imran.ali | Imran Ali | Systems Analyst
        kate.byrne | Kate Byrne | Procurement Lead
        george.pell | George Pell | Shift Supervisor
        """,
    ),
    Customer(
        "Vogt & Söhne",
        "vogt-soehne.example",
        "Ship chandlery",
        "theo",
        "+49 421 555 01",
        """
        lena.vogt | Lena Vogt | Geschäftsführerin
        matthias.krueger | Matthias Krüger | Leiter Logistik
        sabine.oehler | Sabine Öhler | Einkauf
        jan.petersen | Jan Petersen | IT-Leiter
        """,
    ),
    Customer(
        "Sato Logistics",
        "sato-logistics.example",
        "Third-party logistics",
        "mara",
        "+81 6 555 01",
        """
        tom.sato | Tom Sato | General Manager, Warehousing
        haruka.mori | 森 遥 | 倉庫管理
        kenji.ono | 小野 健二 | 情報システム部
        emi.watanabe | Emi Watanabe | Customer Operations
        ryo.fujita | Ryo Fujita | Purchasing
        """,
    ),
    Customer(
        "Atelier Lumière",
        "atelier-lumiere.example",
        "Lighting",
        "camille",
        "+33 4 55 50 01 ",
        """
        claire.dumont | Claire Dumont | Directrice des opérations
        hugo.perrin | Hugo Perrin | Responsable entrepôt
        elodie.garnier | Élodie Garnier | Achats
        marc.delattre | Marc Delattre | Responsable informatique
        """,
    ),
    Customer(
        "Grupo Almazara",
        "almazara.example",
        "Olive oil",
        "camille",
        "+34 95 555 01",
        """
        lucia.navarro | Lucía Navarro | Directora de Compras
        andres.pena | Andrés Peña | Jefe de Almacén
        carmen.ibanez | Carmen Ibáñez | Administración
        rafael.soto | Rafael Soto | Chief Information Officer
        """,
    ),
    Customer(
        "Nile Cold Chain",
        "nilecold.example",
        "Refrigerated transport",
        "mara",
        "+20 2 555 01",
        """
        omar.farouk | Omar Farouk | Managing Partner
        salma.nassar | سلمى نصار | مديرة المستودع
        karim.aziz | كريم عزيز | مشتريات
        dina.halim | Dina Halim | Quality Manager
        """,
    ),
    Customer(
        "Tailspin Outdoor",
        "tailspin.example",
        "Outdoor equipment",
        "adele",
        "+1 503 555 01",
        """
        riley.cooper | Riley Cooper | VP Supply Chain
        dana.whitfield | Dana Whitfield | Fulfillment Manager
        marcus.bell | Marcus Bell | Accounts Payable
        sofia.reyes | Sofia Reyes | IT Operations
        amy.lin | Amy Lin | Returns Coordinator
        """,
    ),
    Customer(
        "Wingtip Pharma",
        "wingtip.example",
        "Pharmaceuticals",
        "mara",
        "+353 1 555 01",
        """
        aoife.brennan | Aoife Brennan | Head of Quality
        declan.walsh | Declan Walsh | Distribution Manager
        niamh.keane | Niamh Keane | Validation Engineer
        peter.osullivan | Peter O'Sullivan | Procurement Manager
        """,
    ),
)

SALES: tuple[Sale, ...] = (
    Sale("Contoso renewal", "contoso.example", "Negotiation", 84_000, "EUR", 2, "adele", "ines.ribeiro paul.meyer"),
    Sale(
        "Fabrikam rollout", "fabrikam.example", "Contract sent", 126_500, "GBP", 9, "adele", "jonas.okafor kate.byrne"
    ),
    Sale("Bremen second warehouse", "vogt-soehne.example", "Proposal", 47_800, "EUR", 40, "theo", "lena.vogt"),
    Sale("Osaka pilot", "sato-logistics.example", "Qualified", 38_000, "USD", 75, "mara", "tom.sato ryo.fujita", 19),
    Sale("Cold store scanners", "nilecold.example", "Proposal", 29_400, "USD", -4, "mara", "omar.farouk dina.halim"),
    Sale("Extension entrepôt", "atelier-lumiere.example", "Negotiation", 18_900, "EUR", 26, "camille", "claire.dumont"),
    Sale("Harvest season licences", "almazara.example", "Qualified", 12_600, "EUR", 58, "camille", "lucia.navarro"),
    Sale("Tailspin peak season", "tailspin.example", "Proposal", 31_500, "USD", 45, "adele", "dana.whitfield", 23),
    Sale("Returns desk", "tailspin.example", "Won", 52_000, "USD", -21, "adele", "riley.cooper amy.lin"),
    Sale("Validation package", "wingtip.example", "Contract sent", 64_200, "EUR", 14, "mara", "aoife.brennan"),
    Sale("Fabrikam label printers", "fabrikam.example", "Lost", 9_800, "GBP", -60, "adele", "helen.shaw"),
)
