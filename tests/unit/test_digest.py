"""Digests of tier changes: whose they are, what counts as a change, and the page that a manager reads."""

from __future__ import annotations

import datetime as dt
import re

import polars as pl
import pytest
from markdown_it import MarkdownIt

from flows.report.digest import digest_page, digest_subject
from flows.words import Words
from kammodel.publish.digest import Digest, TierChange, digests_of
from kammodel.store.digests import SCORED, TIER_CELLS

DAY = dt.date(2026, 6, 30)
Cell = dict[str, object]
ANA, BO = "salesforce:org:005A", "salesforce:org:005B"


def member(id_: str, group: int, name: str, *, root: bool = True, source: str = "salesforce") -> dict[str, object]:
    """An account. Each group's root is called `r<group>`, and is one company with the HubSpot row of that group."""
    return {
        "source": source,
        "source_instance": "org",
        "source_id": id_,
        "name": name,
        "group": group,
        "group_id": f"salesforce:org:r{group}",
        "is_root": root and source == "salesforce",
        "is_counted": source == "salesforce",
        "company": 100 * group if root else 100 * group + 1,
    }


MEMBERS = pl.DataFrame(
    [
        member("r0", 0, "Alpha"),
        member("c0", 0, "Alpha Child", root=False),
        member("77", 0, "ALPHA Inc", source="hubspot"),
        member("r1", 1, "Beta"),
        member("r2", 2, "Gamma"),
        member("r3", 3, "Delta"),
    ],
    schema_overrides={"group": pl.UInt32},
)
KAMS = pl.DataFrame({"group": [0, 1, 2], "owner": ["Ana Ruiz", "Ana Ruiz", None], "kam": [ANA, ANA, BO]}).cast(
    {"group": pl.UInt32}
)


def cell(id_: str, before: str | None, after: str | None, outcome: str | None = "written", **more: object) -> Cell:
    """A tier cell of the only plan, which was to be written."""
    return {
        "plan_id": "p1",
        "number": 1,
        "is_latest": 1,
        "source": "salesforce",
        "source_instance": "org",
        "source_id": id_,
        "before": before,
        "after": after,
        "decision": "write",
        "outcome": outcome,
    } | more


def scored(*rows: tuple[str, str | None, float]) -> pl.DataFrame:
    """Snapshots: group, tier, score; covered by nine tenths, and `because`."""
    told = [(f"salesforce:org:{root}", tier, score, 0.9, "because") for root, tier, score in rows]
    return pl.DataFrame(told, schema=SCORED, orient="row")


def digests(*cells: Cell, snapshots: pl.DataFrame | None = None) -> tuple[Digest, ...]:
    frame = pl.DataFrame(list(cells), schema=TIER_CELLS)
    known = scored() if snapshots is None else snapshots
    return digests_of(frame, MEMBERS, KAMS, known, as_of=DAY, page_of=lambda crm, id_: f"https://{crm}.example/{id_}")


def test_each_owner_has_one_digest_and_groups_without_one_come_last() -> None:
    """Bo's name is not known: the id stands for it, and the slug is still Bo's own."""
    made = digests(
        cell("r3", None, "key"), cell("r2", "key", "growth"), cell("r1", "growth", "key"), cell("r0", None, "key")
    )
    assert [(d.kam, d.owner, len(d.changes)) for d in made] == [(ANA, "Ana Ruiz", 2), (BO, None, 1), (None, None, 1)]
    assert [d.slug for d in made] == ["ana-ruiz-40fc822e", "owner-bce6dcd2", "without-owner"]


def test_a_change_that_was_not_written_is_none() -> None:
    """Nobody reads of a tier that the CRM refused, that waits, that a newer plan overtook or that is held."""
    outcomes = ("rejected", "waiting", "superseded", "held", None)
    assert digests(*(cell("r0", "key", "growth", outcome) for outcome in outcomes)) == ()


def test_what_was_not_written_is_told_beside_what_was() -> None:
    """Of the newest plan only: what an older one left was looked at again."""
    (made,) = digests(
        cell("c0", "key", "growth", None, plan_id="p0", number=0, is_latest=0),
        cell("r0", "growth", "key"),
        cell("77", "growth", "key", "rejected", source="hubspot"),
        cell("r1", "standard", "key", None, decision="held"),
    )
    assert (len(made.changes), made.unwritten, made.held) == (1, 1, ("Beta",))


def test_one_line_stands_for_all_accounts_of_a_group_that_moved_alike() -> None:
    """The root's name; the twin in the other CRM is the same company, and has a page of its own."""
    (made,) = digests(
        cell("c0", "growth", "key"),
        cell("r0", "growth", "key"),
        cell("77", "growth", "key", source="hubspot"),
        snapshots=scored(("r0", "key", 71.5)),
    )
    pages = {"salesforce": "https://salesforce.example/r0", "hubspot": "https://hubspot.example/77"}
    assert made.changes == (
        TierChange(
            "salesforce:org:r0",
            "Alpha",
            2,
            "growth",
            "key",
            71.5,
            0.9,
            "because",
            ("salesforce", "hubspot"),
            pages,
        ),
    )


def test_an_account_that_joins_a_group_is_told_by_its_own_name() -> None:
    """The group has its tier already: what changed is that account's."""
    (made,) = digests(cell("c0", "standard", "key"))
    assert [(c.name, c.section) for c in made.changes] == [("Alpha Child", "up")]


def test_several_plans_of_a_day_are_one_change() -> None:
    """From before the first to after the last; who was told of what was then taken back hears of that too."""
    (made,) = digests(
        cell("r0", "standard", "growth", is_latest=0),
        cell("r0", "growth", "key", plan_id="p2", number=2),
        cell("r1", "growth", "key", is_latest=0),
        cell("r1", "key", "growth", plan_id="p2", number=2),
    )
    told = [(c.name, c.before, c.after, c.section) for c in made.changes]
    assert told == [("Alpha", "standard", "key", "up"), ("Beta", "key", "growth", "back")]
    assert made.plans == ("p1", "p2")


def test_a_snapshot_of_another_tier_explains_nothing() -> None:
    """A plan that was made without a score run: no score and no reason rather than those of another day."""
    (made,) = digests(cell("r0", "growth", "key"), snapshots=scored(("r0", "growth", 55.0)))
    assert [(c.score, c.coverage, c.reason) for c in made.changes] == [(None, None, None)]


@pytest.mark.parametrize(
    ("before", "after", "section"),
    [
        ("growth", "key", "up"),
        ("strategic", "key", "down"),
        (None, "standard", "new"),
        ("provisional", "strategic", "new"),
        ("a word of somebody's", "key", "new"),
        ("key", "provisional", "provisional"),
        (None, "provisional", "provisional"),
        ("key", None, "left"),
    ],
)
def test_sections(before: str | None, after: str | None, section: str) -> None:
    """Provisional is no rank: into it and out of it nobody moves up or down."""
    (made,) = digests(cell("r0", before, after))
    assert [c.section for c in made.changes] == [section]


@pytest.mark.parametrize(
    ("owner", "word"),
    [
        ("Zoë O'Brien-Ñúñez", "zoe-o-brien-nunez"),
        ("../../etc/passwd", "etc-passwd"),
        ("CON", "con"),
        ("張偉", "owner"),
        ("", "owner"),
        ("a" * 300, "a" * 40),
        ("x\x00\u202ey.md", "x-y-md"),
    ],
)
def test_slugs_are_safe_names(owner: str, word: str) -> None:
    """Lower case, digits and dashes, whatever somebody is called."""
    slug = Digest(ANA, owner, DAY, (), (), 0, ()).slug
    assert slug == f"{word}-40fc822e"
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug)


def test_two_owners_of_one_name_have_two_slugs() -> None:
    assert Digest(ANA, "Ana", DAY, (), (), 0, ()).slug != Digest(BO, "Ana", DAY, (), (), 0, ()).slug


ADA = Digest(
    ANA,
    "Ada Gil",
    DAY,
    (
        TierChange(
            "salesforce:org:r0",
            "Alpha S.A.",
            3,
            "growth",
            "key",
            71.46,
            0.9,
            "Revenue up 12 %.",
            ("salesforce", "hubspot"),
            {"salesforce": "https://org.example/r0", "hubspot": "https://portal.example/77"},
        ),
        TierChange("salesforce:org:r1", "Beta", 1, "strategic", "key", 60.04, 0.455, None, ("salesforce",), {}),
        TierChange("salesforce:org:r2", None, 1, None, "standard", None, None, None, ("salesforce",), {}),
        TierChange("salesforce:org:r3", "Delta", 1, "key", "provisional", None, 0.2, "Few data.", ("salesforce",), {}),
        TierChange("salesforce:org:r4", "Eps", 1, "key", None, None, None, "Left out.", ("salesforce",), {}),
    ),
    held=("Gamma", "Zeta"),
    unwritten=2,
    plans=("p1",),
)

ENGLISH = r"""# Tier changes: Ada Gil

**As of 2026-06-30** · up 1, down 1, new 1, provisional 1, without tier 1

Every change below is written into HubSpot and Salesforce.

## Up (1)

| account group | before | now | score | coverage | why |
| --- | --- | --- | ---: | ---: | --- |
| [Alpha S\.A\.](https://org.example/r0) (3 accounts) [HubSpot](https://portal.example/77) | Growth | **Key** | 71.5 | 90 % | Revenue up 12 %\. |

## Down (1)

| account group | before | now | score | coverage | why |
| --- | --- | --- | ---: | ---: | --- |
| Beta | Strategic | **Key** | 60.0 | 46 % | - |

## New among the tiers (1)

| account group | before | now | score | coverage | why |
| --- | --- | --- | ---: | ---: | --- |
| salesforce\:org\:r2 | - | **Standard** | - | - | - |

## Provisional: not enough data for a tier yet (1)

| account group | before | now | score | coverage | why |
| --- | --- | --- | ---: | ---: | --- |
| Delta | Key | **Provisional** | - | 20 % | Few data\. |

## No tier any more (1)

| account group | before | why |
| --- | --- | --- |
| Eps | Key | Left out\. |

## Completeness

- Coverage, the share of the criteria's weight that had data: 52 % on average, least 20 % (Delta).
- Changes of which neither score nor coverage was recorded: 2.
- Accounts whose tier is decided and not yet written: 2. The next run goes on with them.
- Accounts that keep the tier that a person typed into the field, until it is cleared: 2 (Gamma, Zeta).
"""  # noqa: E501

SPANISH = r"""# Cambios de nivel: grupos sin propietario

**A fecha de 2026-06-30** · suben 1

Todos los cambios de abajo están escritos en Salesforce.

## Suben (1)

| grupo | antes | ahora | puntuación | cobertura | por qué |
| --- | --- | --- | ---: | ---: | --- |
| Alpha | Crecimiento | **Clave** | 71,5 | 90 % | because |

## Integridad

- Cobertura, la parte del peso de los criterios que tenía datos: 90 % de media, mínimo 90 % (Alpha).
- Nada de lo decidido espera a ser escrito.
"""
ALPHA = TierChange("salesforce:org:r0", "Alpha", 1, "growth", "key", 71.46, 0.9, "because", ("salesforce",), {})


def test_the_page_in_english() -> None:
    assert digest_page(ADA, Words("en")) == ENGLISH


def test_the_page_in_spanish() -> None:
    assert digest_page(Digest(None, None, DAY, (ALPHA,), (), 0, ()), Words("es")) == SPANISH


def test_the_subject_names_the_owner_the_number_and_the_day() -> None:
    assert digest_subject(ADA, Words("en")) == "Tier changes: Ada Gil (5, 2026-06-30)"


def test_a_long_section_is_cut_where_there_is_little_room() -> None:
    """The line under it says so; the head has the whole number."""
    page = digest_page(Digest(ANA, "Ada", DAY, (ALPHA,) * 1_200, (), 0, ()), Words("es"), most=2)
    assert page.count("| Alpha |") == 2
    assert "## Suben (1.200)" in page
    assert "Los primeros 2 de 1.200, por puntuación." in page


def test_hostile_names_stay_words_of_the_page() -> None:
    """Rendered, there is no link, no picture, no HTML, no heading and no cell that we did not make."""
    bad = "![x](http://e.vil)<script>|\n# H\n\n| a | `b` | [l](javascript:alert(1)) www.e.vil \x1b[31m\u202e"
    change = TierChange("g", bad, 2, "key", bad, 1.0, 0.5, bad, ("crm",), {"crm": "https://org.example/x)|<y> z"})
    up = TierChange("g", bad, 2, "growth", "key", 1.0, 0.5, bad, ("crm",), {"crm": "https://org.example/x)|<y> z"})
    page = digest_page(Digest("k", bad, DAY, (up, change), (bad,), 0, ()), Words("en"))
    html = MarkdownIt("commonmark").enable("table").render(page)
    assert re.findall(r'href="([^"]*)"', html) == ["https://org.example/x%29%7C%3Cy%3E%20z"] * 2
    assert not re.search(r"<(?!/?(h1|h2|p|strong|table|thead|tbody|tr|th|td|a|ul|li)\b)", html)
    assert (html.count("<h1>"), html.count("<h2>"), html.count("<td")) == (1, 3, 9)
    assert not {"\x1b", "\u202e"} & set(page)
