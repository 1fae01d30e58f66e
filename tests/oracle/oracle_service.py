"""How customers are served, what they answer, and what they have agreed to."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from statistics import median
from typing import Any

from kammodel.entities import Case, Contract, Person
from tests.oracle.acts import months_before
from tests.oracle.known import Amount, Group, Knowledge, Null
from tests.oracle.oracle_value import Found, between, known_sum, nulls, rounded
from tests.oracle.people import folded, roles_of
from tests.oracle.world import Row

HIGH = {"high", "urgent", "critical", "highest", "alta", "urgente", "critica"}
ESCALATED = {"escalated", "escalado", "escalada"}
NOT_IN_FORCE = {
    "draft", "cancelled", "canceled", "archived", "inactive", "borrador", "cancelado", "cancelada", "archivado",
    "inactivo",
}  # fmt: skip


def gather(known: Knowledge) -> None:
    """Gives each group its `cases`, `surveys`, `contracts` and `wallets`."""
    persons = known.every(Person)
    desk = {line["case"]: line for line in known.book.files.get("service", [])}
    for row in known.rows(Case):
        account = row["account_id"] or (persons.get((row["source"], row["person_id"])) or {}).get("account_id")
        group = known.group_of(row["source"], account)
        if group is not None and row["opened_at"] <= known.cut:
            group.rows["cases"].append({**row, "desk": desk.get(row["source_id"], {})})
    for name in ("surveys", "wallet"):
        for line in known.book.files.get(name, []):
            _, group = known.named.get(line["account"], (None, None))
            if group is not None:
                group.rows[name].append(line)
    contracts(known)


def service(known: Knowledge, group: Group, found: Found) -> None:
    t = known.t
    cases: list[Row] = group.rows["cases"]

    def last(n: int, instant: dt.datetime | None) -> bool:
        return between(known.day(instant), t - dt.timedelta(days=n), t)

    def is_open(case: Row) -> bool:
        closed_at = case.get("closed_at")
        return not case["is_closed"] or (closed_at is not None and closed_at > known.cut)

    standing = [case for case in cases if is_open(case)]
    recent = [case for case in cases if last(90, case["opened_at"])]
    year = [case for case in cases if last(365, case["opened_at"])]
    found["open_cases"] = len(standing)
    found["open_cases_high"] = sum(folded(case["priority"]) in HIGH for case in standing)
    found["escalations_90d"] = sum(bool(case["is_escalated"]) or folded(case["status"]) in ESCALATED for case in recent)
    found["cases_opened_365d"] = len(year)
    hours = [
        Fraction((case["closed_at"] - case["opened_at"]) // dt.timedelta(seconds=1), 3600)
        for case in cases
        if not is_open(case) and last(90, case.get("closed_at")) and case["closed_at"] >= case["opened_at"]
    ]
    found["median_ttr_h"] = rounded(Fraction(median(hours)), 2) if hours else Null("nothing_closed")
    ages = sorted((t - known.day(case["opened_at"])).days for case in standing)
    found["oldest_open_case_days"] = ages[-1] if ages else Null("none_open")
    found["p90_backlog_age"] = rounded(quantile(ages, Fraction(9, 10)), 1) if ages else Null("none_open")
    first = [h for case in recent if (h := answered_after(known, case)) is not None]
    found["first_response_h"] = rounded(Fraction(median(first)), 2) if first else Null("not_given")
    kept = [met for case in recent if (met := was_kept(known, case, is_open(case))) is not None]
    found["sla_attainment"] = rounded(Fraction(sum(kept), len(kept)), 6) if kept else Null("no_sla")
    again = [n for case in year if (n := reopened(case)) is not None]
    found["reopen_rate"] = rounded(Fraction(sum(n > 0 for n in again), len(again)), 6) if again else Null("not_given")
    ttm = found["revenue_ttm"]
    if isinstance(ttm, Null) or ttm <= 0:
        found["case_intensity"] = ttm if isinstance(ttm, Null) else Null("no_revenue")
    else:
        found["case_intensity"] = rounded(Fraction(len(year) * 100_000 * 10_000, ttm), 4)


def answered_after(known: Knowledge, case: Row) -> Fraction | None:
    """Hours to the first answer: as the desk has them, else as the CRM has its time."""
    told = case["desk"].get("first_response_hours")
    if told is not None:
        return Fraction(str(told))
    answered = case.get("first_response_at")
    if answered is None or answered < case["opened_at"] or answered > known.cut:
        return None
    return Fraction((answered - case["opened_at"]) // dt.timedelta(seconds=1), 3600)


def was_kept(known: Knowledge, case: Row, is_open: bool) -> bool | None:
    """Whether the agreed time was kept; None where nothing was agreed, or it can still be."""
    told = case["desk"].get("is_sla_met")
    if told is not None:
        return bool(told)
    due = case.get("sla_due_at")
    if is_open:
        return False if due is not None and due < known.cut else None
    if case.get("is_sla_met") is not None:
        return bool(case["is_sla_met"])
    closed_at = case.get("closed_at")
    return None if due is None or closed_at is None else bool(closed_at <= due)


def reopened(case: Row) -> int | None:
    told = case["desk"].get("reopened")
    return case.get("reopened_n") if told is None else told


def quantile(ordered: list[int], share: Fraction) -> Fraction:
    """Type 7: between the two neighbours of (n - 1) x share."""
    place = (len(ordered) - 1) * share
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def satisfaction(known: Knowledge, group: Group, found: Found) -> None:
    t, year = known.t, months_before(known.t, 12)
    asked = []
    for line in group.rows["surveys"]:
        on = line.get("asked_on") or line.get("answered_on")
        if on <= t:
            answered = line.get("answered_on")
            asked.append({**line, "on": on, "answered": answered if answered is not None and answered <= t else None})
    answers = [line for line in asked if between(line["answered"], year, t)]
    csat = [line for line in answers if line["kind"] == "csat"]
    nps = [line for line in answers if line["kind"] == "nps"]
    found["csat_answers_12m"], found["nps_answers_12m"] = len(csat), len(nps)
    top = sum(line["score"] >= 4 for line in csat)
    found["csat"] = few(csat) or rounded(Fraction(top, len(csat)), 6)
    promoters = found["nps_promoters_12m"] = sum(line["score"] >= 9 for line in nps)
    detractors = [line for line in nps if line["score"] <= 6]
    found["nps_detractors_12m"] = len(detractors)
    found["nps_detractors_key_12m"] = sum(bool(roles_of(line["role"])) for line in detractors)
    found["nps"] = few(nps) or rounded(Fraction(100 * (promoters - len(detractors)), len(nps)), 1)
    within = [line for line in asked if between(line["on"], year, t)]
    share = Fraction(sum(line["answered"] is not None for line in within), len(within)) if within else None
    found["survey_response_rate_12m"] = Null("not_asked") if share is None else rounded(share, 6)
    days = [line["answered"] for line in asked if line["answered"] is not None]
    found["days_since_last_answer"] = (t - max(days)).days if days else Null("never")


def few(answers: list[Row]) -> Null | None:
    return Null("no_answers") if not answers else Null("few_answers") if len(answers) < 5 else None


def contracts(known: Knowledge) -> None:
    """Contracts that had begun by t and run to an end, and whether another one follows."""
    rows = [row for row in known.rows(Contract) if folded(row["status"]) not in NOT_IN_FORCE]
    rows = [row for row in rows if row["activated_at"] is None or row["activated_at"] <= known.cut]
    signed = [row for row in rows if row["starts_on"] <= known.t or row["activated_at"] is not None]
    for row in rows:
        group = known.group_of(row["source"], row["account_id"])
        if group is None or row["starts_on"] > known.t:
            continue
        group.rows["in_force"].append(row["ends_on"] is None or row["ends_on"] >= known.t)
        if row["ends_on"] is None:
            continue
        is_renewed = any(_follows(row, other) for other in signed)
        notice = dt.timedelta(days=row["notice_days"] or 0) if row["is_auto_renewed"] else dt.timedelta(0)
        value = known.reporting(row["amount"], row["currency"], row["starts_on"], row["source"])
        group.rows["contracts"].append((row["ends_on"], row["ends_on"] - notice, value, is_renewed))


def _follows(row: Row, other: Row) -> bool:
    """Named by the contract; or of the same account, begun after it and within 90 days of its end."""
    if other["source_id"] == row["renewed_by_id"]:
        return True
    is_next = other["account_id"] == row["account_id"] and other["starts_on"] > row["starts_on"]
    return bool(is_next) and abs((other["starts_on"] - row["ends_on"]).days) <= 90


RATES = ("renewal_rate_count", "renewal_rate_value")


def renewal(known: Knowledge, group: Group, found: Found) -> None:
    t = known.t
    rows: list[tuple[dt.date, dt.date, Amount, bool]] = group.rows["contracts"]
    if any(key[0] == "hubspot" and known.is_counted(key) for key in group.accounts):
        # HubSpot has no contracts: what such a group has agreed to is not known.
        sums = [f"renewals_due_{n}{days}d" for n in ("", "n_") for days in (90, 180)]
        found |= dict.fromkeys(
            (*sums, "days_to_renewal", "active_contracts_n", "renewals_up_n_12m", *RATES), Null("not_read")
        )
        return
    for n in (90, 180):
        due = [value for _, decide, value, renewed in rows if not renewed and t < decide <= t + dt.timedelta(days=n)]
        found[f"renewals_due_{n}d"] = known_sum(due)
        found[f"renewals_due_n_{n}d"] = len(due)
    ahead = [decide for _, decide, _, renewed in rows if not renewed and decide >= t]
    found["days_to_renewal"] = (min(ahead) - t).days if ahead else Null("no_contract")
    ended = [row for row in rows if between(row[0], months_before(t, 12), t)]
    ended = [row for row in ended if row[3] or (t - row[0]).days >= 90]
    found["active_contracts_n"] = group.rows["in_force"].count(True)
    found["renewals_up_n_12m"] = len(ended)
    renewed = [row for row in ended if row[3]]
    none = Null("nothing_to_renew")
    found["renewal_rate_count"] = rounded(Fraction(len(renewed), len(ended)), 6) if ended else none
    found["renewal_rate_value"] = _by_value(ended, renewed) if ended else none


def _by_value(ended: list[Any], renewed: list[Any]) -> Any:
    whys = [row[2].why or "amounts_unknown" for row in ended if row[2].value is None]
    if whys:
        return Null(*whys)
    total = sum(row[2].value for row in ended)
    return Null("no_value") if total <= 0 else rounded(Fraction(sum(row[2].value for row in renewed), total), 6)


def growth(known: Knowledge, group: Group, found: Found) -> None:
    """Of several lines for one account the last one counts; those of several accounts add up."""
    latest: dict[str, Row] = {}
    for line in sorted(group.rows["wallet"], key=lambda line: line["valid_from"] or dt.date.min):
        if (line["valid_from"] or dt.date.min) <= known.t:
            latest[line["account"]] = line
    amounts = [known.filed(line["amount"], line["currency"], known.t, line["account"]) for line in latest.values()]
    wallet: Any = known_sum(amounts) if amounts else Null("not_given")
    found["wallet"] = wallet
    unknown = nulls(wallet, found["revenue_ttm"])
    if unknown or found["revenue_ttm"] > wallet:
        found["share_of_wallet"] = found["wallet_gap"] = unknown or Null("wallet_below_revenue")
        return
    found["share_of_wallet"] = rounded(Fraction(found["revenue_ttm"], wallet), 6)
    found["wallet_gap"] = wallet - found["revenue_ttm"]
