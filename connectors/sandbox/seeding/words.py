"""The words an invented book is made of: names, trades, countries, subjects. None of them is a real company's."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple


class Country(NamedTuple):
    """Where a company is: its currency, how its legal form is written, the end of its domain, how many are there."""

    name: str
    currency: str
    forms: tuple[str, ...]
    domain: str
    weight: int


COUNTRIES = (
    Country("Spain", "EUR", ("S.L.", "S.A.", "S.L.U."), "es", 38),
    Country("Germany", "EUR", ("GmbH", "AG", "GmbH & Co. KG"), "de", 12),
    Country("France", "EUR", ("SAS", "SA", "SARL"), "fr", 10),
    Country("Italy", "EUR", ("S.r.l.", "S.p.A."), "it", 6),
    Country("Portugal", "EUR", ("Lda.", "S.A."), "pt", 5),
    Country("United Kingdom", "GBP", ("Ltd", "plc"), "co.uk", 10),
    Country("United States", "USD", ("Inc.", "LLC", "Corp."), "com", 11),
    Country("Mexico", "MXN", ("S.A. de C.V.", "S. de R.L."), "com.mx", 6),
    Country("Japan", "JPY", ("K.K.",), "jp", 2),
)

HOME = "EUR"
# What one unit is worth in euros, at the start of the book and from each later turn of the rates on. Salesforce
# states the reciprocal with six decimals: these have one that short, so no CRM rounds and figures stay comparable.
RATES: dict[str, tuple[Decimal, ...]] = {
    "USD": (Decimal("0.8"), Decimal("0.78125"), Decimal("0.8")),
    "GBP": (Decimal("1.25"), Decimal("1.28"), Decimal("1.25")),
    "MXN": (Decimal("0.05"), Decimal("0.0512"), Decimal("0.04")),
    "JPY": (Decimal("0.00625"), Decimal("0.0064"), Decimal("0.00625")),
}

# Industry -> what a company of it calls its trade.
TRADES: dict[str, tuple[str, ...]] = {
    "Manufacturing": ("Rodamientos", "Bearings", "Metallbau", "Mecanizados", "Castings", "Outillage"),
    "Technology": ("Software", "Sistemas", "Datentechnik", "Networks", "Robotics", "Sensores"),
    "Healthcare": ("Clínicas", "Medical", "Labor", "Diagnostics", "Farmacia", "Dental"),
    "Retail": ("Tiendas", "Stores", "Moda", "Handel", "Distribución", "Outlet"),
    "Energy": ("Energía", "Solar", "Windkraft", "Power", "Renovables", "Grid"),
    "Food & Beverage": ("Bodegas", "Foods", "Conservas", "Brauerei", "Aceites", "Dairy"),
    "Construction": ("Obras", "Building", "Hochbau", "Cementos", "Estructuras", "Roofing"),
    "Transportation": ("Transportes", "Logistics", "Spedition", "Freight", "Naviera", "Couriers"),
    "Finance": ("Seguros", "Capital", "Leasing", "Credit", "Patrimonios", "Assurance"),
    "Chemicals": ("Químicas", "Coatings", "Chemie", "Polymers", "Pinturas", "Resins"),
    "Education": ("Academia", "Learning", "Editorial", "Campus", "Formación", "Institute"),
    "Hospitality": ("Hoteles", "Resorts", "Catering", "Hostelería", "Lodges", "Events"),
}

STEMS = (
    "Moncayo", "Valdoria", "Brennick", "Kestrelmoor", "Arvenia", "Torrealta", "Lindhavn", "Oakmere", "Sarriguren",
    "Belcourt", "Montseny", "Harrowdale", "Quintanar", "Falkenried", "Rivabella", "Stonebrook", "Altamira Sur",
    "Duernstein", "Casterbridge", "Peñalara", "Weissach", "Marisol", "Northgate", "Ibarrola", "Clairvaux", "Tramuntana",
    "Ashcombe", "Urdaibai", "Grünwald", "Villardeciervos", "Redfern", "Almenara", "Cabo Norte", "Silberbach",
    "Fontanar", "Whitcliff", "Bidasoa", "Larkspur", "Guadalora", "Eisenthal", "Puerto Claro", "Hollingford", "Arlanza",
    "Beaumarais", "Somontano", "Ravensworth", "Tierra Alta", "Königsau", "Lumbreras", "Greyfell", "Costa Verde",
    "Navacerrada", "Thornbury", "Aldealuz", "Feldkirchen", "Mirasierra", "Copperhill", "Zubieta", "Montclair",
    "Riofrío", "Blackwater", "Calatrava", "Steinbruck", "Los Olmos", "Fairhaven", "Ordesa", "Vallbona", "Kingsley",
    "Sotogrande", "Hawthorne", "Ebro Medio", "Rosenheim Süd", "Jarama", "Wexcombe", "Lagunilla", "Amberley",
)  # fmt: skip

FIRST_NAMES = (
    "Ana", "Lucía", "Marta", "Javier", "Pablo", "Iker", "Nerea", "Jordi", "Carmen", "Diego", "Laura", "Álvaro",
    "Anna", "Lukas", "Jonas", "Sophie", "Camille", "Hugo", "Giulia", "Marco", "Inês", "Tiago", "Emma", "Oliver",
    "Grace", "Henry", "Ximena", "Mateo", "Yuki", "Haruto", "Søren", "Zoë",
)  # fmt: skip
LAST_NAMES = (
    "García Ruiz", "Etxeberria", "Puig", "Navarro", "Ortega Gil", "Castaño", "Müller", "Weber", "Schäfer", "Dubois",
    "Lefèvre", "Rossi", "Ferrari", "Silva", "Carvalho", "Smith", "O'Connor", "Walker", "Hughes", "Johnson", "Miller",
    "Hernández", "Ramírez", "Tanaka", "Sato", "Nuñez-Hart", "van der Berg", "D'Angelo",
)  # fmt: skip
TITLES = (
    "Directora de Compras", "CFO", "Head of Operations", "Managing Director", "VP Procurement", "Jefe de planta",
    "IT Manager", "Responsable de logística", "Director general", "Einkaufsleiter", "CEO", "Quality Engineer",
    "Office Manager", "COO", "Técnico de mantenimiento", None,
)  # fmt: skip

DEPARTMENTS: dict[str, str] = {
    "Directora de Compras": "Compras",
    "VP Procurement": "Procurement",
    "Einkaufsleiter": "Einkauf",
    "CFO": "Finance",
    "Head of Operations": "Operations",
    "COO": "Operations",
    "Jefe de planta": "Producción",
    "Técnico de mantenimiento": "Producción",
    "Quality Engineer": "Quality",
    "IT Manager": "IT",
    "Responsable de logística": "Logística",
}
"""Title -> department; the others have none."""

ROLES = ("Decision Maker", "Economic Buyer", "Evaluator", "Executive Sponsor", "Influencer", "Business User")
TEAM_ROLES = ("Account Manager", "Sales Rep", "Pre-Sales Consultant", "Executive Sponsor")
ISSUES = (
    "Entrega incompleta", "Pump leaks after start", "Rechnung stimmt nicht", "No arranca tras la actualización",
    "Manual missing", "Delivery late again", "Solicitud de repuesto",
)  # fmt: skip

PRODUCTS = (
    "Plataforma", "Service contract", "Retrofit", "Licencias", "Spare parts", "Consulting", "Sensores", "Training",
    "Ampliación", "Soporte premium", "Line upgrade", "Pilotprojekt",
)  # fmt: skip
LOST_REASONS = (
    "Price", "Precio", "No budget this year", "Se fue con la competencia", "Timing", "No decision", None, None,
)  # fmt: skip
SUBJECTS: dict[str, tuple[str, ...]] = {
    "call": ("Llamada de seguimiento", "Call about delivery dates", "Discovery call", "Cierre de condiciones"),
    "email": ("Re: offer", "Envío de propuesta", "Confirmación de pedido", "Question about invoice", "Danke!"),
    "meeting": ("Quarterly business review", "Visita a planta", "Demo", "Reunión con dirección", "Kick-off"),
    "note": ("Notas de la visita", "Contract terms", "Org chart", "Riesgos"),
    "task": ("Preparar oferta", "Send reference list", "Actualizar previsión", "Book travel"),
}
