"""What stands below the page of a run, and that it is never what a run fails for."""

from __future__ import annotations

import asyncio
from pathlib import Path

from flows.results import ApplyReceipt
from flows.runtime import Runtime
from flows.seeing import with_usage
from flows.settings import settings_from

APPLIED = ApplyReceipt("hubspot-1", "hubspot", written=4, rejected=0, gone=0, retry=0, calls=7, seconds=1.5)


def test_what_a_run_cost_stands_on_its_page(tmp_path: Path) -> None:
    with Runtime(settings_from({"KAM_HOME": str(tmp_path)})) as runtime:
        page = asyncio.run(with_usage(runtime, "# Written", ["hubspot"], [APPLIED]))
    assert page.startswith("# Written\n\n## API calls\n")
    assert "| hubspot | 7 | apply, 7 |" in page


def test_a_run_that_is_done_does_not_fail_for_what_it_cost(tmp_path: Path) -> None:
    """Here the store is gone meanwhile."""
    (tmp_path / "file").touch()
    with Runtime(settings_from({"KAM_STORE_URL": f"sqlite:///{tmp_path}/file/kam.db"})) as runtime:
        page = asyncio.run(with_usage(runtime, "# Written", ["hubspot"], [APPLIED]))
    assert page == "# Written\n\nWhat it cost, and what is set aside, could not be found out (StoreUnusable)."
