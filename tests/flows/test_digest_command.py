"""kam digest on a served CRM: printed, as JSON, as files, and when there is nothing to tell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.sandbox.company import ServedCompany
from tests.flows.kam_command import kam


@pytest.fixture
def published(served: ServedCompany, monkeypatch: pytest.MonkeyPatch) -> ServedCompany:
    """The portal alone is configured, read, scored and written."""
    for name, value in served.environment().items():
        if "SALESFORCE" not in name:
            monkeypatch.setenv(name, value)
    for command in ("provision", "pull", "score", "plan"):
        assert kam(command).exit_code == 0
    return served


def test_before_anything_is_applied_there_is_no_digest() -> None:
    """Nothing on standard output, a line beside it, and no fault."""
    ended = kam("digest")
    assert (ended.exit_code, ended.stdout) == (0, "")
    assert "No plan has been applied yet: kam run" in ended.stderr


def test_the_last_digests_printed_and_written(
    published: ServedCompany, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What apply kept as files is what is printed, and written elsewhere; as JSON it has the same changes."""
    assert kam("digest", "--as-of", "2020-01-01").stderr.endswith("No tier changes were written as of 2020-01-01.\n")
    monkeypatch.setenv("KAM_NOTIFY_BLOCK", "slack-webhook/kam")
    applied = kam("apply")
    assert applied.exit_code == 0
    assert "warning: KAM_NOTIFY_BLOCK: digests are sent by flows only; add --prefect" in applied.stderr
    files = sorted((tmp_path / "home" / "digests").glob("*/*.md"))
    assert f"{len(files)} digests of tier changes in {files[0].parent}" in applied.stderr
    texts = {file.name: file.read_text("utf-8") for file in files}

    printed = kam("digest").stdout
    assert sorted(printed.count(text) for text in texts.values()) == [1] * len(files)
    listed = kam("digest", "--out", str(tmp_path / "out"))
    assert {file.name: file.read_text("utf-8") for file in (tmp_path / "out").iterdir()} == texts
    assert listed.stdout.count(" changes\n") == len(files)

    told = json.loads(kam("digest", "--crm", "hubspot", "--json").stdout)
    assert told["as_of"] == files[0].parent.name
    assert {f"{one['slug']}.md" for one in told["digests"]} == set(texts)
    sections = {change["section"] for one in told["digests"] for change in one["changes"]}
    assert sections == {"new", "provisional"}

    monkeypatch.setenv("KAM_LANGUAGE", "es")
    assert kam("digest").stdout.count("# Cambios de nivel: ") == len(files)


def test_faults_say_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that cannot be one, a CRM that is not set up, a block that is none."""
    (tmp_path / "file").write_text("in the way")
    ended = kam("digest", "--out", str(tmp_path / "file" / "deeper"))
    assert (ended.exit_code, "name a folder you may write" in ended.stderr) == (1, True)
    assert kam("digest", "--crm", "salesforce").exit_code == 3
    monkeypatch.setenv("KAM_NOTIFY_BLOCK", "slack")
    ended = kam("digest")
    assert (ended.exit_code, ended.stderr.count("\n")) == (3, 1)
    assert "KAM_NOTIFY_BLOCK is no block of Prefect by type and name, such as slack-webhook/kam" in ended.stderr
