"""Upgrading a store: by two processes at once, looked at first, and refused where it is newer."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from kammodel.errors import StoreNewer
from kammodel.migrations import newest_version
from kammodel.store import Store
from kammodel.store.versioning import version_of
from tests.store.test_migrations import schema, to_version

OPENS = """
import sys
from kammodel.store import Store
print("ready", flush=True)
sys.stdin.readline()
with Store(sys.argv[1]) as store:
    print(store.version_before)
"""


def open_twice(url: str) -> list[str]:
    """What two processes, let go together, find the store to be before they open it; in order."""
    piped = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    both = [subprocess.Popen([sys.executable, "-c", OPENS, url], **piped) for _ in range(2)]  # type: ignore[call-overload]
    for one in both:
        assert one.stdout.readline() == "ready\n"
    for one in both:
        one.stdin.write("go\n")
        one.stdin.flush()
    answers = [one.communicate(timeout=60) for one in both]
    assert [one.returncode for one in both] == [0, 0], answers
    return sorted(out.strip() for out, _ in answers)


@pytest.mark.parametrize("start", [None, "0001"])
def test_two_processes_upgrade_once(url: str, another_url: str, start: str | None) -> None:
    """One migrates, the other waits and finds it done."""
    if start:
        to_version(url, start)
    assert open_twice(url) == sorted([str(start), newest_version()])
    Store(another_url).close()
    assert schema(url) == schema(another_url)


def test_looking_changes_nothing(url: str) -> None:
    """Neither a store that is not there yet nor an old one."""
    assert version_of(url) is None
    assert schema(url) == set()
    to_version(url, "0001")
    before = schema(url)
    assert version_of(url) == "0001"
    assert schema(url) == before


def test_looking_makes_no_file(tmp_path: Path) -> None:
    assert version_of(f"sqlite:///{tmp_path / 'not' / 'kam.db'}") is None
    assert list(tmp_path.iterdir()) == []


def test_a_newer_store_is_not_looked_at_either(url: str) -> None:
    """Exit code 3, as for whatever has to be set up first."""
    Store(url).close()
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num='9999'")
    engine.dispose()
    with pytest.raises(StoreNewer, match="upgrade kam") as fault:
        version_of(url)
    assert fault.value.exit_code == 3
