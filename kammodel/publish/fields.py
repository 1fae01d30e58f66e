"""The custom fields of an account that we publish or read: name, type, labels, who may write them.

Table in design.md, "The fields we write". Picklist values are stable English codes; labels and help follow
the language. Canonical text of a value: what `canonical` gives, the same for what we want and what a CRM holds; what a
CRM holds is told apart more finely, see `unrounded`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

Kind = Literal["picklist", "number", "percent", "text", "date"]
TIERS = ("strategic", "key", "growth", "standard", "provisional")
QUADRANTS = ("key", "development", "maintenance", "opportunistic")


@dataclass(frozen=True)
class Words:
    """A text in the languages we speak."""

    en: str
    es: str

    def in_(self, language: str) -> str:
        return self.es if language == "es" else self.en


@dataclass(frozen=True)
class CustomField:
    """One field. `precision` counts all digits of a number, `scale` its decimals, `length` a text's characters.

    `ours`: we write it and nobody else should. Otherwise a person types it and we only read it. `for_people`: it says
    something to them, and belongs on the page.
    """

    key: str
    kind: Kind
    label: Words
    help: Words
    ours: bool = True
    precision: int = 18
    scale: int = 0
    length: int = 255
    options: tuple[tuple[str, Words], ...] = ()
    for_people: bool = True

    @property
    def is_number(self) -> bool:
        return self.kind in {"number", "percent"}

    @property
    def salesforce_name(self) -> str:
        return f"KAM_{self.key.title()}__c"

    @property
    def hubspot_name(self) -> str:
        return f"kam_{self.key}"


_TIER_OPTIONS = (
    ("strategic", Words("Strategic", "Estratégica")),
    ("key", Words("Key", "Clave")),
    ("growth", Words("Growth", "Crecimiento")),
    ("standard", Words("Standard", "Estándar")),
    ("provisional", Words("Provisional", "Provisional")),
)
_QUADRANT_OPTIONS = (
    ("key", Words("Key accounts: invest", "Cuentas clave: invertir")),
    ("development", Words("Development: be selective", "Desarrollo: ser selectivo")),
    ("maintenance", Words("Maintenance: keep at lower cost", "Mantenimiento: conservar a menor coste")),
    ("opportunistic", Words("Opportunistic: manage for cash", "Oportunista: gestionar por caja")),
)

FIELDS: tuple[CustomField, ...] = (
    CustomField(
        "tier",
        "picklist",
        Words("KAM tier", "Nivel KAM"),
        Words(
            "How much we invest in this customer. Computed for the whole account group by kam; see KAM reason.",
            "Cuánto invertimos en este cliente. Lo calcula kam para todo el grupo; véase Motivo KAM.",
        ),
        options=_TIER_OPTIONS,
    ),
    CustomField(
        "score",
        "number",
        Words("KAM score", "Puntuación KAM"),
        Words("0 to 100, against all customers.", "De 0 a 100, frente a todos los clientes."),
        precision=5,
        scale=1,
    ),
    CustomField(
        "reason",
        "text",
        Words("KAM reason", "Motivo KAM"),
        Words("Why this tier, in words.", "Por qué este nivel, en palabras."),
    ),
    CustomField(
        "quadrant",
        "picklist",
        Words("KAM quadrant", "Cuadrante KAM"),
        Words(
            "Which strategy fits: attractiveness of the customer against the strength of our position.",
            "Qué estrategia conviene: atractivo del cliente frente a la fuerza de nuestra posición.",
        ),
        options=_QUADRANT_OPTIONS,
    ),
    CustomField(
        "rfm",
        "text",
        Words("KAM RFM", "RFM KAM"),
        Words(
            "Recency, frequency and monetary value of purchases, 5 is best.",
            "Recencia, frecuencia y valor de las compras; 5 es lo mejor.",
        ),
        length=3,
    ),
    CustomField(
        "revenue_ttm",
        "number",
        Words("KAM revenue, 12 months", "Ingresos KAM, 12 meses"),
        Words(
            "Won business of the account group in the last 12 months, in the reporting currency.",
            "Negocio ganado del grupo en los últimos 12 meses, en la moneda de informe.",
        ),
        scale=2,
    ),
    CustomField(
        "revenue_growth",
        "percent",
        Words("KAM revenue growth", "Crecimiento de ingresos KAM"),
        Words("Last 12 months against the 12 before.", "Últimos 12 meses frente a los 12 anteriores."),
        precision=9,
        scale=1,
    ),
    CustomField(
        "weighted_pipeline",
        "number",
        Words("KAM weighted pipeline", "Cartera ponderada KAM"),
        Words(
            "Open business of the next 12 months times its probability, in the reporting currency.",
            "Negocio abierto de los próximos 12 meses por su probabilidad, en la moneda de informe.",
        ),
        scale=2,
    ),
    CustomField(
        "win_rate",
        "percent",
        Words("KAM win rate", "Tasa de éxito KAM"),
        Words(
            "Share of closed deals won in 12 months; pulled towards the average where there are few.",
            "Proporción de oportunidades ganadas en 12 meses; con pocas, acercada a la media.",
        ),
        precision=5,
        scale=1,
    ),
    CustomField(
        "days_since_touch",
        "number",
        Words("KAM days since last touch", "Días desde el último contacto KAM"),
        Words(
            "Days since the last call, e-mail or meeting with a person there, as of KAM scored on.",
            "Días desde la última llamada, correo o reunión, a la fecha de cálculo KAM.",
        ),
        precision=6,
    ),
    CustomField(
        "open_cases",
        "number",
        Words("KAM open cases", "Casos abiertos KAM"),
        Words("Support cases open in the account group.", "Casos de soporte abiertos en el grupo."),
        precision=6,
    ),
    CustomField(
        "coverage",
        "percent",
        Words("KAM coverage", "Cobertura KAM"),
        Words(
            "Share of the criteria's weight that had data. Low coverage: read the tier with care.",
            "Parte del peso de los criterios que tenía datos. Si es baja, lea el nivel con cautela.",
        ),
        precision=5,
        scale=1,
    ),
    CustomField(
        "scored_on",
        "date",
        Words("KAM scored on", "Fecha de cálculo KAM"),
        Words("Date of the last change of any KAM field above.", "Fecha del último cambio de un campo KAM."),
    ),
    CustomField(
        "stamp",
        "text",
        Words("KAM stamp", "Sello KAM"),
        Words(
            "Proves which values kam wrote, so that it never takes a person's for its own. Do not edit.",
            "Prueba qué valores escribió kam, para no tomar nunca por suyo el de una persona. No editar.",
        ),
        for_people=False,
    ),
    CustomField(
        "tier_override",
        "picklist",
        Words("KAM tier override", "Nivel KAM manual"),
        Words(
            "Set by a person: this tier counts instead of the computed one. kam never writes here.",
            "Lo fija una persona: cuenta en lugar del calculado. kam nunca escribe aquí.",
        ),
        ours=False,
        options=_TIER_OPTIONS[:4],
    ),
    CustomField(
        "tier_override_reason",
        "text",
        Words("KAM override reason", "Motivo del nivel manual"),
        Words("Why the tier was set by hand.", "Por qué se fijó el nivel a mano."),
        ours=False,
    ),
    CustomField(
        "tier_override_until",
        "date",
        Words("KAM override until", "Nivel manual hasta"),
        Words(
            "Last day on which the override counts; empty is for good.",
            "Último día en que vale; vacío, siempre.",
        ),
        ours=False,
    ),
    CustomField(
        "strategic_value",
        "number",
        Words("KAM strategic value", "Valor estratégico KAM"),
        Words(
            "0 to 10, judged by a person: new markets, reference, position in its industry.",
            "De 0 a 10, a juicio de una persona: nuevos mercados, referencia, posición en su sector.",
        ),
        ours=False,
        precision=3,
        scale=1,
    ),
)

OURS: tuple[CustomField, ...] = tuple(f for f in FIELDS if f.ours)
_FINEST = 10
"""Decimals that are looked at."""


def canonical(field: CustomField, value: pl.Expr) -> pl.Expr:
    """A text column in the one spelling that values of this field are compared in; blank is null.

    Numbers are rounded to the field's decimals, without trailing zeros, so that `1.0`, `1` and `1.00` are
    one value. An option counts in any case. Text that is no number stays as it is, so that a difference is seen and
    not hidden.
    """
    stripped = value.cast(pl.String).str.strip_chars()
    given = pl.when(stripped != "").then(stripped)
    if field.is_number:
        return pl.coalesce(_rounded(given, field.scale), given)
    if field.kind == "date":
        return given.str.slice(0, 10)
    if field.kind == "picklist":
        codes = {code.lower(): code for code, _ in field.options}
        return given.str.to_lowercase().replace_strict(codes, default=given, return_dtype=pl.String)
    return given


def unrounded(field: CustomField, value: pl.Expr) -> pl.Expr:
    """A text column of what a CRM holds, as `canonical`, but numbers with the decimals that they have beyond ours.

    A CRM may keep more decimals than the field was made with: `82.34` over our `82.3` is what somebody typed. Decimals
    that only spell out a double are none: HubSpot may send 0.2 as `0.200000000000000011102230246251565`.
    https://github.com/revertinc/revert/pull/552 (read 2026-11-23)
    """
    plain = canonical(field, value)
    if not field.is_number:
        return plain
    given = value.cast(pl.String).str.strip_chars()
    is_plain = given.cast(pl.Float64, strict=False) == plain.cast(pl.Float64, strict=False)
    return pl.when(is_plain).then(plain).otherwise(pl.coalesce(_rounded(given, _FINEST), plain))


def _rounded(given: pl.Expr, scale: int) -> pl.Expr:
    """Numbers of so many decimals at most, half to even; null where the text is no number."""
    exact = given.cast(pl.Decimal(38, _FINEST), strict=False).round(scale, mode="half_to_even")
    plain = exact.cast(pl.Decimal(38, scale)).cast(pl.String)
    return without_zeros(plain).str.replace(r"^-0$", "0")


def without_zeros(number: pl.Expr) -> pl.Expr:
    """A column of decimal numbers as text, without zeros that say nothing: `7.50` is `7.5`."""
    return number.str.replace(r"\.0+$", "").str.replace(r"(\.\d*?)0+$", "${1}")
