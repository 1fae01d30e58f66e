"""kam estimate, and kam backfill of CRMs, on two served ones."""

from __future__ import annotations

import json

import pytest

from connectors.sandbox.company import ServedCompany
from tests.flows.kam_command import kam

SPAN = ("--from", "2026-05-10", "--to", "2026-06-20")
FEW = ("--crm", "salesforce", "--stream", "accounts", "--stream", "opportunities")


def test_an_estimate_is_told_and_reads_nothing(crms: ServedCompany) -> None:
    """For each CRM its streams, and the whole in rows, calls, time and share of the day."""
    told = kam("estimate", "--json")
    assert told.exit_code == 0, told.output
    salesforce, hubspot = json.loads(told.stdout)
    assert (salesforce["source"], salesforce["kind"], hubspot["source"]) == ("salesforce", "increment", "hubspot")
    assert salesforce["calls"] == salesforce["setup"] + sum(one["calls"] for one in salesforce["streams"])
    assert 0 < salesforce["day_share"] < 0.01
    assert salesforce["is_enough"] is True
    after = salesforce["write_back"]
    assert after["run_calls"] == salesforce["calls"] + after["planning"] + after["writing"]
    assert 0 < after["written"] == after["accounts"]
    page = kam("estimate", "--crm", "hubspot", *SPAN, "--stream", "accounts").stdout
    assert "planning" not in page
    assert "hubspot: a backfill takes about" in page
    assert "in 2 windows" in page
    past = json.loads(kam("estimate", "--crm", "hubspot", *SPAN, "--json").stdout)[0]
    in_streams = sum(one["calls"] for one in past["streams"])
    assert past["calls"] == past["setup"] + past["asked"] + in_streams
    shown = " ".join(kam("estimate", "--crm", "hubspot", *SPAN).stdout.split())
    assert f"of the calls {past['setup']} are for signing in, {past['asked']} for counting; rows are those of" in shown
    assert "calls of a day; one run may make" in page
    assert crms.salesforce is not None
    assert not any("/jobs/" in call.path for call in crms.salesforce.faults.log)


def test_a_backfill_says_first_what_it_takes_and_goes_on_where_it_was(crms: ServedCompany) -> None:
    """With few calls it is partial, exit 4; then it ends, and has nothing more to do; no live bookmark is there."""
    few = kam("backfill", *FEW, *SPAN, "--calls", "7")
    assert few.exit_code == 4, few.output
    assert "not counted beforehand: of the 7 calls that it may make, signing in took 5" in few.stderr.splitlines()[0]
    assert "partial: salesforce resumes at " in few.stderr
    ended = kam("backfill", *FEW, *SPAN, "--json")
    assert ended.exit_code == 0, ended.output
    assert "takes about" in ended.stderr.splitlines()[0]
    (done,) = json.loads(ended.stdout)["crms"]
    assert (done["left"], done["stopped"], done["windows"][0]["state"]) == (0, None, "closed")
    assert done["kept"] + len(done["windows"]) == 4
    again = kam("backfill", *FEW, *SPAN)
    assert "0 windows closed, 4 were closed before" in again.stdout
    assert crms.salesforce is not None
    assert not any(call.method == "PATCH" for call in crms.salesforce.faults.log)


def test_scores_and_writing_are_done_when_asked_for(crms: ServedCompany) -> None:
    """After all was read: month ends of the span, then today's tiers into the CRM."""
    assert kam("provision", "--crm", "salesforce").exit_code == 0
    ended = kam("backfill", "--crm", "salesforce", *SPAN, "--scores", "--write-back", "--json")
    assert ended.exit_code == 0, ended.output
    said = "kam: salesforce: planning then looks at about "
    assert sum(line.startswith(said) for line in ended.stderr.splitlines()) == 1
    done = json.loads(ended.stdout)
    assert [day["as_of"] for day in done["scores"]["days"]] == ["2026-05-31"]
    assert done["write_backs"][0]["applied"]["written"] > 0
    assert done["crms"][0]["estimate"]["write_back"]["accounts"] > 0
    assert crms.salesforce is not None


def test_a_stream_of_one_crm_passes_over_the_other(crms: ServedCompany) -> None:
    """Which is not called at all; it is said in a line."""
    assert crms.hubspot is not None
    for verb in ("backfill", "estimate"):
        of = ("--of", "crm") if verb == "backfill" else ()
        ended = kam(verb, *of, *SPAN, "--stream", "cases", "--json")
        assert ended.exit_code == 0, ended.output
        assert ended.stderr.splitlines()[0] == "kam: hubspot: passed over, it has no cases"
        told = json.loads(ended.stdout)
        assert [one["source"] for one in (told["crms"] if verb == "backfill" else told)] == ["salesforce"]
        assert crms.hubspot.faults.log == []


@pytest.mark.parametrize(
    ("command", "code", "line"),
    [
        (("backfill", *SPAN, "--calls", "5"), 2, "--calls is of a CRM's rows: add --of crm"),
        (("backfill", *SPAN, "--of", "scores", "--crm", "hubspot"), 2, "--crm is of a CRM's rows"),
        (("backfill", "--crm", "hubspot", "--from", "2026-05-01", "--to", "2999-01-01"), 1, "2999-01-01 has not come"),
        (("backfill", "--crm", "hubspot", *SPAN, "--stream", "deals"), 1, "no stream named deals; this CRM serves"),
        (("backfill", "--of", "crm", *SPAN, "--stream", "deals"), 1, "no stream named deals: salesforce has"),
        (("estimate", "--stream", "deals"), 1, "no stream named deals: salesforce has"),
        (("backfill", "--crm", "salesforce", *SPAN, "--write-back"), 3, "kam provision --crm salesforce"),
        (("estimate", "--to", "2026-06-01"), 2, "--to needs the day to begin with"),
        (("estimate", "--full", *SPAN), 2, "--full is of a pull"),
        (("estimate", "--write-back"), 2, "--write-back is of a backfill: add --from"),
    ],
)
@pytest.mark.usefixtures("crms")
def test_what_cannot_be_done_is_said(command: tuple[str, ...], code: int, line: str) -> None:
    """In one line, without a traceback."""
    ended = kam(*command)
    assert ended.exit_code == code, ended.output
    assert line in ended.stderr
    assert "Traceback" not in ended.output
