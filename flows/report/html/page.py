"""The whole report as one HTML text. Whatever comes from a CRM is escaped by the template, and can load nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from flows.escaping import plain
from flows.pipeline.reporting import ReportFacts
from flows.report.digest import NAMED
from flows.report.html import quality, risk
from flows.report.html.account import AccountPage, account_page
from flows.report.html.cadence import against_cadence
from flows.report.html.concentration import concentration
from flows.report.html.plot import Plot
from flows.report.html.rfm import rfm_grid
from flows.report.html.tiers import migration, shares
from flows.report.written import Figure, Written
from flows.words import Words
from kammodel.scoring import config_hash
from kammodel.tiering.criteria import CRITERION

TILES = (
    *("revenue_ttm", "revenue_yoy_growth", "nrr_ttm", "grr_ttm", "weighted_pipeline", "win_rate_value"),
    *("renewals_due_90d", "open_cases_high", "capacity_use", "data_quality_score"),
)
"""KPIs of the portfolio that stand at the top."""


@dataclass(frozen=True)
class Report:
    """What the template fills in, in order of the page."""

    language: str
    title: str
    day: str
    about: tuple[tuple[str, str], ...]
    is_empty: bool
    tiles: tuple[Figure, ...]
    plots: tuple[Plot, ...]
    signals: Plot
    meanings: tuple[tuple[str, str], ...]
    endangered: tuple[risk.Endangered, ...]
    endangered_more: int
    quality_figures: tuple[Figure, ...]
    quality_plots: tuple[Plot, ...]
    missing: tuple[quality.Missing, ...]
    counts: tuple[tuple[str, str], ...]
    rejects: tuple[tuple[str, ...], ...]
    rebuilt: int
    accounts: tuple[AccountPage, ...]
    left_out: int
    made_from: str


def report_page(facts: ReportFacts, say: Words) -> str:
    """The page, in the language of `say`: no script, nothing loaded, and a policy for the browser that says so."""
    written = Written(say, facts.day.config.reporting_currency)
    report = report_of(facts, written)
    anchors = {page.group_id: page.anchor for page in report.accounts}
    style = Markup(_text("report.css"))  # noqa: S704 - our own file
    return _template().render(report=report, say=say, style=style, anchors=anchors)


def report_of(facts: ReportFacts, written: Written) -> Report:
    """Everything on the page, as text and drawings."""
    day, say = facts.day, written.say
    portfolio = day.portfolio.row(0, named=True) if day.portfolio is not None else {}
    names = dict(day.groups.select("group", "name").iter_rows())
    found = risk.signals(day)
    shown = risk.endangered(found, names, written)
    return Report(
        language=say.language,
        title=say("r_title"),
        day=written.day(day.config.as_of),
        about=tuple(_about(facts, written)),
        is_empty=day.scores.frame.is_empty(),
        tiles=tuple(written.figure(portfolio, name) for name in TILES),
        plots=_plots(facts, portfolio, written),
        signals=risk.at_risk(found, written),
        meanings=tuple((say(f"r_sign_{name}"), say(f"r_means_{name}")) for name in risk.SIGNALS),
        endangered=shown,
        endangered_more=found.filter(found["signs"] > 0).height - len(shown),
        quality_figures=tuple(written.figure(portfolio, name) for name in quality.FIGURES),
        quality_plots=(quality.known_measures(day, written), quality.coverage(day, written)),
        missing=quality.reasons(day, written),
        counts=quality.counts(day, written),
        rejects=tuple(_reject(row, written) for row in facts.rejects.iter_rows(named=True)),
        rebuilt=day.reconstructed.filter(day.reconstructed["reconstructed"] != "[]").height,
        accounts=tuple(account_page(one, place, written) for place, one in enumerate(facts.accounts, start=1)),
        left_out=facts.left_out,
        made_from=_made_from(facts, say),
    )


def _plots(facts: ReportFacts, portfolio: dict[str, Any], written: Written) -> tuple[Plot, ...]:
    day = facts.day
    return (
        shares(day, portfolio, written),
        concentration(day, portfolio, written),
        rfm_grid(day, written),
        migration(day, facts.before, facts.before_day, written),
        against_cadence(day, written),
    )


def _about(facts: ReportFacts, written: Written) -> list[tuple[str, str]]:
    """What the figures are of, and how complete that is."""
    day, say = facts.day, written.say
    at = facts.synced_at
    told = [(say("r_read_at"), written.instant(at) if at is not None else say("r_never_read"))]
    told.append((say("r_accounts"), say.number(day.members.height)))
    told.append((say("r_groups"), say.number(day.scores.frame.height)))
    told.append((say("r_ranked"), say.number(day.scores.population_n)))
    told.append((say("r_aside"), say.number(int(facts.rejects["n"].sum()))))
    if day.scores.unavailable:
        names = ", ".join(CRITERION[key].label(say.language) for key in day.scores.unavailable)
        told.append((say("r_without"), names))
    return told


def _made_from(facts: ReportFacts, say: Words) -> str:
    config, inputs = facts.day.config, facts.day.inputs_fingerprint
    return say("x_made_from", rules=config_hash(config), release=config.release, inputs=inputs)


def _reject(row: dict[str, Any], written: Written) -> tuple[str, ...]:
    crm = NAMED.get(row["source"], row["source"])
    return (crm, row["entity"], row["field"], row["reason"], written.say.number(row["n"]))


@cache
def _template() -> jinja2.Template:
    sources = {name: _text(name) for name in ("report.html.j2", "plot.html.j2", "account.html.j2")}
    environment = jinja2.Environment(
        loader=jinja2.DictLoader(sources),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Every text is stripped of signs that steer the direction of writing before it is escaped.
        finalize=lambda value: value if isinstance(value, Markup) or not isinstance(value, str) else plain(value),
    )
    return environment.get_template("report.html.j2")


def _text(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")
