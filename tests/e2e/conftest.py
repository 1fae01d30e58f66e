"""The demo begins before the first of these tests and is looked at by the last: both cores have work."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.kam_process import DemoAtWork, begun


@pytest.fixture(scope="session", autouse=True)
def demo_at_work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoAtWork]:
    """`kam demo` of the smallest book, as of a day."""
    folder = tmp_path_factory.mktemp("demo")
    process = begun(folder, "demo", "--size", "40", "--as-of", "2026-06-30")
    yield DemoAtWork(process, folder)
    with process:
        process.kill()
