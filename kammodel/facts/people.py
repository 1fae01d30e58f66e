"""The persons at our customers: who decides, what part each plays, and when we last spoke with them."""

from __future__ import annotations

import polars as pl

from kammodel.entities import KEY, AccountPerson, Opportunity, OpportunityPerson, Person, Sourced
from kammodel.entities.activities import SEPARATOR
from kammodel.facts.frames import ACCOUNT, DEAL, OWN, PERSON, FactFrame, Sources
from kammodel.facts.touches import PERSONS, TOUCHES, touches
from kammodel.facts.touches import STREAMS as TOUCH_STREAMS
from kammodel.given.words import BUYING_ROLES, has_word, is_one_of, words_of
from kammodel.numbering import number

_WHO, _SPOKEN_TO = number("person_id"), number("person_ids")
_PERSON_COLUMNS = (*KEY, "created_at", "deleted", "account_id", "title", "buying_roles", "merged_into_id")
_RELATION_COLUMNS = (
    *KEY,
    "created_at",
    "deleted",
    "account_id",
    "person_id",
    "roles",
    "is_active",
    "since_on",
    "until_on",
)
_ROLE_COLUMNS = (*KEY, "created_at", "deleted", "opportunity_id", "person_id", "role")
_EXECUTIVE_ROLES = ("economic_buyer", "executive_sponsor")
_SPLIT = r"[;,/]"


def persons(sources: Sources) -> pl.DataFrame:
    """One row per person and group: group, PERSON, `is_executive`, and of each of
    BUYING_ROLES `<role>` (noted in the CRM) and `<role>_by_title`.

    Persons belong to the account where they work and to those they are actively related to. An executive is one by
    title (reading 26, words.csv), or is noted as economic buyer or sponsor.
    """
    roles = sources.once(_roles)
    known = sources.of(Person).filter(sources.moment.existed(), pl.col("merged_into_id").is_null())
    named = known.select("title", pl.col(OWN).alias(PERSON))
    placed = sources.once(_places).join(named, on=PERSON).join(roles, on=["group", PERSON], how="left")
    # Titles repeat: each is looked at once.
    titles = _read_titles(named.select("title").unique(), sources.file("words"))
    told = placed.join(titles, on="title", how="left", nulls_equal=True)
    noted = pl.any_horizontal(pl.col(name) for name in _EXECUTIVE_ROLES).fill_null(value=False)
    return told.select(
        "group",
        PERSON,
        *(pl.col(role).fill_null(value=False) for role in BUYING_ROLES),
        *(f"{role}_by_title" for role in BUYING_ROLES),
        is_executive=pl.col("is_named") | noted,
    )


def _read_titles(titles: pl.DataFrame, words: pl.DataFrame | None) -> pl.DataFrame:
    """title, `is_named` (an executive), and of each of BUYING_ROLES `<role>_by_title`."""
    title = pl.col("title")
    is_named = has_word(title, words_of("executive_title", words))
    is_named &= ~has_word(title, words_of("no_executive_title", words))
    by_title = {
        f"{role}_by_title": pl.lit(value=False)
        if role == "champion"
        else has_word(title, words_of(f"{role}_title", words))
        for role in BUYING_ROLES
    }
    return titles.with_columns(is_named=is_named, **by_title)


def _places(sources: Sources) -> pl.DataFrame:
    """group, PERSON: once each."""
    known = sources.of(Person).filter(sources.moment.existed(), pl.col("merged_into_id").is_null())
    own = known.select(ACCOUNT, pl.col(OWN).alias(PERSON))
    related = sources.once(relations).select(ACCOUNT, pl.col(_WHO).alias(PERSON))
    return sources.counted(pl.concat([own, related])).select("group", PERSON).unique()


def relations(sources: Sources) -> pl.DataFrame:
    """Relations of persons with accounts that were in force at the cut."""
    day = sources.moment.day
    is_out = pl.any_horizontal(pl.col("since_on") > day, pl.col("until_on") < day, ~pl.col("is_active"))
    return sources.of(AccountPerson).filter(sources.moment.existed(), ~is_out.fill_null(value=False))


def _roles(sources: Sources) -> pl.DataFrame:
    """group, PERSON, and whether the CRM notes each role of BUYING_ROLES and
    `executive_sponsor`: with the account, in a deal of it, or with the person."""
    moment, words = sources.moment, sources.file("words")
    related = sources.once(relations).select(ACCOUNT, pl.col(_WHO).alias(PERSON), told="roles")
    people = sources.of(Person).filter(moment.existed())
    typed = people.select(ACCOUNT, pl.col(OWN).alias(PERSON), told="buying_roles")
    deals = sources.of(Opportunity).filter(~pl.col("deleted"))
    deals = deals.select(ACCOUNT, pl.col(OWN).alias(DEAL))
    in_deals = sources.of(OpportunityPerson).filter(moment.existed()).join(deals, on=DEAL)
    dealt = in_deals.select(ACCOUNT, pl.col(_WHO).alias(PERSON), told="role")
    told = sources.counted(pl.concat([related, typed, dealt]).drop_nulls(["told", PERSON]))
    each = told.with_columns(word=pl.col("told").str.replace_all(_SPLIT, SEPARATOR).str.split(SEPARATOR)).explode(
        "word"
    )
    names = (*BUYING_ROLES, "executive_sponsor")
    found = [is_one_of(pl.col("word"), words_of(name, words)).alias(name) for name in names]
    read = each.select("word").unique().with_columns(found)
    return each.join(read, on="word").group_by("group", PERSON).agg(pl.col(names).any())


def _spoken(sources: Sources) -> pl.DataFrame:
    """group, PERSON, day, kind, the number of `person_ids`: each executive in each touch of the group."""
    known = sources.once(persons).filter("is_executive").select("group", PERSON)
    logged = sources.once(touches).logged.filter("has_person").select("group", "day", "kind", _SPOKEN_TO)
    each = sources.numbers.each(logged.with_columns(pl.col(_SPOKEN_TO).alias(PERSON)), PERSON)
    return each.join(known, on=["group", PERSON], how="semi")


def _executives(sources: Sources) -> pl.DataFrame:
    """group, PERSON, `last_on`: the executives of each group, and the day of the last touch with them if any."""
    known = sources.once(persons).filter("is_executive").select("group", PERSON)
    last = sources.once(_spoken).group_by("group", PERSON).agg(last_on=pl.col("day").max())
    return known.join(last, on=["group", PERSON], how="left").select("group", PERSON, "last_on")


def _executive_touches(sources: Sources) -> pl.DataFrame:
    """group, day, kind: the touches in which an executive of the group took part, each once per day, kind and set of
    persons."""
    spoken = sources.once(_spoken).select("group", "day", "kind", _SPOKEN_TO).unique()
    return spoken.select("group", "day", "kind")


def _role_holders(sources: Sources) -> pl.DataFrame:
    """group, role, `is_noted`: the required roles that somebody fills, noted in the CRM or by title only; and
    `required_n`, how many roles are required."""
    required = [
        name for name in BUYING_ROLES if name.replace("_", " ") in words_of("required_role", sources.file("words"))
    ]
    known = sources.once(persons)
    parts = [
        known.filter(pl.col(role) | pl.col(f"{role}_by_title")).select(
            "group", role=pl.lit(role), is_noted=pl.col(role)
        )
        for role in required
    ]
    empty = pl.DataFrame(schema={"group": pl.UInt32, "role": pl.String, "is_noted": pl.Boolean})
    filled = pl.concat([empty, *parts]).group_by("group", "role").agg(pl.col("is_noted").any())
    anyone = (
        known.select("group").unique().with_columns(role=pl.lit(None, pl.String), is_noted=pl.lit(None, pl.Boolean))
    )
    rows = pl.concat([filled, anyone])
    return rows.with_columns(required_n=pl.lit(len(required), pl.Int64)).sort("group", "role", nulls_last=True)


CONTACTS_READ = (frozenset({"contacts"}),)
_ENTITIES: dict[type[Sourced], tuple[str, ...]] = {
    Person: _PERSON_COLUMNS,
    AccountPerson: _RELATION_COLUMNS,
    OpportunityPerson: _ROLE_COLUMNS,
    Opportunity: (*KEY, "account_id"),
}
_WITH_TOUCHES: dict[type[Sourced], tuple[str, ...]] = {**_ENTITIES, **TOUCHES.entities, Person: _PERSON_COLUMNS}
_BOTH = tuple(streams | {"contacts"} for streams in TOUCH_STREAMS)

PEOPLE = FactFrame("people", reads=CONTACTS_READ, entities=_ENTITIES, build=lambda sources: sources.once(persons))
ROLE_HOLDERS = FactFrame("role_holders", reads=CONTACTS_READ, entities=_ENTITIES, build=_role_holders)
EXECUTIVES = FactFrame("executives", reads=_BOTH, needs=PERSONS, entities=_WITH_TOUCHES, build=_executives)
EXECUTIVE_TOUCHES = FactFrame(
    "executive_touches", reads=_BOTH, needs=PERSONS, entities=_WITH_TOUCHES, build=_executive_touches
)
