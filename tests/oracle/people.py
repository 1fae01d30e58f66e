"""Who is at the customers, who of them decides, and when we spoke, row by row."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass, field
from functools import cache

from kammodel.entities import AccountPerson, Activity, Case, Opportunity, OpportunityPerson, Person
from tests.oracle.known import Group, Key, Knowledge
from tests.oracle.world import Row

EXECUTIVE = (
    "chief", "president", "vp", "svp", "evp", "vice president", "founder", "cofounder", "owner", "managing director",
    "director general", "directora general", "presidente", "presidenta", "vicepresidente", "vicepresidenta",
    "consejero delegado", "consejera delegada", "fundador", "fundadora", "propietario", "propietaria",
    "socio director", "socia directora", "gerente general", "c[a-z]o",
)  # fmt: skip
NOT_EXECUTIVE = ("assistant", "asistente", "secretary", "secretaria", "secretario", "product owner", "process owner")
BY_TITLE = {
    "economic_buyer": (
        "cfo", "finance", "purchasing", "procurement", "buyer", "compras", "financiero", "financiera", "einkauf",
        "einkaufsleiter",
    ),
    "technical": (
        "cto", "cio", "it", "engineer", "engineering", "technical", "technology", "tecnico", "tecnica", "ingeniero",
        "ingeniera", "sistemas",
    ),
    "user": ("operations", "plant", "production", "coo", "operaciones", "planta", "produccion", "logistica"),
}  # fmt: skip
NOTED = {
    "economic_buyer": ("economic buyer", "economic decision maker", "budget holder", "comprador economico"),
    "champion": ("champion", "promotor interno"),
    "user": ("user", "business user", "end user", "usuario", "usuario final"),
    "technical": ("technical", "technical buyer", "technical evaluator", "comprador tecnico", "evaluador tecnico"),
    "executive_sponsor": ("executive sponsor", "patrocinador ejecutivo"),
}
REQUIRED = ("economic_buyer", "champion", "user", "technical")
TOUCHES = ("call", "email", "meeting")


def folded(text: str | None) -> str:
    """Lower case, without accents, `_` and `-` as spaces."""
    plain = unicodedata.normalize("NFD", (text or "").lower())
    return "".join(c for c in plain if not unicodedata.combining(c)).replace("_", " ").replace("-", " ").strip()


@cache
def says(title: str | None, words: tuple[str, ...]) -> bool:
    """Whether one of the words stands in a title by itself."""
    return any(re.search(rf"(?<![a-z0-9]){word}(?![a-z0-9])", folded(title)) for word in words)


def roles_of(text: str | None) -> set[str]:
    """The parts that the words of a CRM name."""
    parts = {folded(part) for part in (text or "").split(";")}
    return {role for role, words in NOTED.items() if parts & set(words)}


@dataclass
class Contact:
    """A person on file at a group."""

    title: str | None
    roles: set[str]
    spoken: list[dt.date] = field(default_factory=list)

    @property
    def is_executive(self) -> bool:
        named = says(self.title, EXECUTIVE) and not says(self.title, NOT_EXECUTIVE)
        return named or bool(self.roles & {"economic_buyer", "executive_sponsor"})


@dataclass(frozen=True)
class Touch:
    """Something logged: a call, an e-mail or a meeting that was done."""

    day: dt.date
    kind: str
    owner: Key
    persons: tuple[Key, ...]
    direction: str | None

    @property
    def same(self) -> tuple[object, ...]:
        """What two logs of one touch have in common (reading 21)."""
        return self.day, self.kind, None if self.kind == "meeting" else self.owner, self.persons


def people(known: Knowledge) -> None:
    """Gives each group its `contacts`, `logged` touches and open `tasks`."""
    _contacts(known, {(row["source"], row["source_id"]): row for row in known.rows(Person)})
    places = _Places(known)
    for row in known.rows(Activity):
        if row["is_counted"]:
            for group in places.of(row):
                _touch(known, row, group)
                _task(known, row, group)


def _contacts(known: Knowledge, persons: dict[Key, Row]) -> None:
    for group in known.groups:
        group.rows["contacts"] = [{}]
    places = [(key, known.group_of(key[0], row["account_id"]), "") for key, row in persons.items()]
    for row in known.rows(AccountPerson):
        in_force = row["is_active"] is not False
        in_force &= (row["since_on"] or known.t) <= known.t <= (row["until_on"] or known.t)
        if in_force:
            place = known.group_of(row["source"], row["account_id"])
            places.append(((row["source"], row["person_id"]), place, row["roles"]))
    deals = {deal.key: deal for group in known.groups for deal in group.rows["deals"]}
    told = [
        ((row["source"], row["person_id"]), deals[row["source"], row["opportunity_id"]].group, row["role"])
        for row in known.rows(OpportunityPerson)
        if (row["source"], row["opportunity_id"]) in deals
    ]
    for key, place, roles in places:
        if place is not None and key in persons:
            contacts: dict[Key, Contact] = place.rows["contacts"][0]
            contact = contacts.setdefault(
                key, Contact(persons[key]["title"], roles_of(persons[key].get("buying_roles")))
            )
            contact.roles |= roles_of(roles)
    for key, group, role in told:
        if key in group.rows["contacts"][0]:
            group.rows["contacts"][0][key].roles |= roles_of(role)


@dataclass
class _Places:
    """To which groups an activity belongs (reading 22)."""

    known: Knowledge

    def __post_init__(self) -> None:
        self.deals, self.cases = self.known.every(Opportunity), self.known.every(Case)
        self.persons = self.known.every(Person)

    def of(self, row: Row) -> list[Group]:
        source = row["source"]
        accounts = (row["account_ids"] or "").split(";") if row["account_ids"] else []
        accounts = accounts or self._one(self.deals.get((source, row["opportunity_id"])))
        accounts = accounts or self._case(self.cases.get((source, row["case_id"])))
        accounts = accounts or [
            account
            for person in (row["person_ids"] or "").split(";")
            for account in self._one(self.persons.get((source, person)))
        ]
        found = {id(group): group for account in accounts if (group := self.known.group_of(source, account))}
        return list(found.values())

    def _one(self, row: Row | None) -> list[str]:
        return [] if row is None or row["account_id"] is None else [row["account_id"]]

    def _case(self, row: Row | None) -> list[str]:
        return [] if row is None else self._one(row) or self._one(self.persons.get((row["source"], row["person_id"])))


def done_on(known: Knowledge, row: Row) -> dt.date | None:
    """The day of an activity that was done by the cut (readings 1 and 22)."""
    own = "starts_at" if row["is_calendar"] else "completed_at"
    day: dt.date | None = row.get("occurred_on") or known.day(row.get(own)) or row.get("due_on")
    if row["is_calendar"]:
        is_done = row["status"] != "cancelled" and (row.get("ends_at") or row["starts_at"]) <= known.cut
    else:
        is_done = row["status"] == "done" and (row.get("completed_at") or known.cut) <= known.cut
    return day if is_done and day is not None and day <= known.t else None


def _touch(known: Knowledge, row: Row, group: Group) -> None:
    day = done_on(known, row)
    if row["kind"] in TOUCHES and day is not None:
        persons = tuple((row["source"], person) for person in (row["person_ids"] or "").split(";") if person)
        touch = Touch(day, row["kind"], (row["source"], row["owner_id"]), persons, row["direction"])
        group.rows["logged"].append(touch)


def _task(known: Knowledge, row: Row, group: Group) -> None:
    done_later = row["status"] == "done" and row.get("completed_at") is not None and row["completed_at"] > known.cut
    if row["kind"] in {*TOUCHES, "task"} and not row["is_calendar"] and (row["status"] == "planned" or done_later):
        group.rows["tasks"].append(row.get("due_on"))
