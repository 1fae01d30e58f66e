"""`kam demo`: two CRMs, three runs."""

from __future__ import annotations

import re

from tests.e2e.kam_process import DemoAtWork, ended


def test_demo_shows_the_whole_job_and_leaves_nothing_behind(demo_at_work: DemoAtWork) -> None:
    """Two CRMs hold what was computed; after some time tiers move; the third run writes nothing."""
    code, text, errors = ended(demo_at_work.process)
    assert (code, errors) == (0, "")
    assert "Salesforce: 17 custom fields created" in text
    assert "HubSpot: 17 custom fields created" in text
    assert len(re.findall(r"✓ All \d+ accounts hold in (?:Salesforce|HubSpot) what kam computed", text)) == 6
    assert "First run, as of 2026-06-30" in text
    assert "Time has passed: it is 2026-07-30" in text
    moved = text.split("Account groups whose tier moved, as Salesforce holds them now")[1]
    assert "(" in moved.split("Written")[0]
    assert "Nothing was written: the CRMs hold what we want already. Write calls: 0." in text
    assert list(demo_at_work.folder.glob("kam-demo-*")) == []
