"""What a refresh gave is kept between runs, and no run ends the token of another."""

from __future__ import annotations

import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson
import pytest

from connectors.errors import SignInRefused, TryAgainLater
from connectors.sandbox.salesforce.settings import CLIENT_ID, REFRESH_TOKEN
from connectors.token_file import FileKeeper, Kept
from kammodel.errors import NotConfigured
from kammodel.publish.fields import FIELDS
from tests.contract.salesforce_connected import Front, open_front, org
from tests.contract.salesforce_runs import BY_REFRESH, TOKEN, kept_file, run, sign_in


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


@pytest.mark.parametrize("rotates", [True, False])
def test_the_next_run_needs_no_refresh_while_the_session_lasts(front: Front, tmp_path: Path, rotates: bool) -> None:
    """And once it has ended, it is renewed with the newest token, not with the one configured."""
    front.show(org(refresh_token_rotates=rotates))
    first = sign_in(front, tmp_path)
    assert sign_in(front, tmp_path) == first
    assert front.asked(TOKEN) == 1
    assert front.app is not None
    front.app.sessions.revoke()  # type: ignore[attr-defined]
    assert sign_in(front, tmp_path) == first
    assert front.asked(TOKEN) == 2


def test_two_runs_at_once_do_not_end_each_others_token(front: Front, tmp_path: Path) -> None:
    """Sessions end at every twelfth call and tokens rotate, while two runs read: neither ever uses an old token."""
    front.show(org(refresh_token_rotates=True, session_calls=12))

    def looks(_: int) -> int:
        # Waits for real, if shortly: the other run holds the lock for as long as its refresh takes.
        with run(front, tmp_path, sleep=lambda seconds: time.sleep(min(seconds, 0.01))) as connector:
            return sum(len(connector.missing_fields(FIELDS)) for _ in range(30))

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(looks, range(2)))
    assert found == [30 * len(FIELDS)] * 2
    refused = [call for call in front.faults.log if call.path.endswith("/token") and call.status != 200]
    assert front.asked(TOKEN) > 4
    assert refused == []


def test_a_session_that_another_run_got_is_used_and_renewed_if_it_has_ended_too(front: Front, tmp_path: Path) -> None:
    """The run holds an old session, the file holds a newer one that has ended as well."""
    front.show(org(refresh_token_rotates=True))
    assert front.app is not None
    with run(front, tmp_path) as early:
        early.identify()
        front.app.sessions.revoke()  # type: ignore[attr-defined]
        sign_in(front, tmp_path)
        front.faults.clear()
        assert early.streams()
        assert front.asked(TOKEN) == 0
        front.app.sessions.revoke()  # type: ignore[attr-defined]
        sign_in(front, tmp_path)
        front.app.sessions.revoke()  # type: ignore[attr-defined]
        front.faults.clear()
        assert early.missing_fields(FIELDS)
        assert front.asked(TOKEN) == 1


def test_who_waited_for_the_lock_uses_what_the_other_run_got(front: Front, tmp_path: Path) -> None:
    """The other one renews while we wait: we look once more, and do not ask for what is there."""
    front.show(org(refresh_token_rotates=True))
    sign_in(front, tmp_path)
    old = orjson.loads(kept_file(tmp_path).read_bytes())
    front.app.sessions.revoke()  # type: ignore[union-attr]
    other = FileKeeper("Salesforce", tmp_path, (front.url, CLIENT_ID, REFRESH_TOKEN), lambda _: None)
    sign_in(front, tmp_path)
    new = Kept(**orjson.loads(kept_file(tmp_path).read_bytes()))
    other.write(Kept(**old))
    lock = other.alone()

    def other_ends(_: float) -> None:
        other.write(new)
        lock.__exit__(None, None, None)

    front.faults.clear()
    lock.__enter__()
    with run(front, tmp_path, sleep=other_ends) as connector:
        assert connector.identify().user
    assert front.asked(TOKEN) == 0


def test_a_run_that_was_killed_gives_the_lock_back(tmp_path: Path) -> None:
    """While it lives others wait, for a time; when it ends, however it ends, the next one has it."""
    holder = (
        "import sys; from pathlib import Path; from connectors.token_file import FileKeeper\n"
        "with FileKeeper('Salesforce', Path(sys.argv[1]), ('a',), print).alone():\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    waits: list[float] = []
    keeper = FileKeeper("Salesforce", tmp_path, ("a",), waits.append)
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(TryAgainLater, match="another run is renewing"), keeper.alone():
            pass
        child.kill()
    assert sum(waits) == pytest.approx(29.8)
    with keeper.alone():
        keeper.write(Kept("next"))
    assert keeper.read() == Kept("next")


def test_what_is_kept_is_for_its_owner_only(front: Front, tmp_path: Path) -> None:
    """Nobody else may read the file, its name tells nothing, and nothing is left beside it."""
    front.show(org(refresh_token_rotates=True))
    sign_in(front, tmp_path)
    file = kept_file(tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert f'"refresh_token":"{REFRESH_TOKEN}.next"' in file.read_text()
    assert {path.suffix for path in file.parent.iterdir()} == {".json", ".lock"}


def test_a_token_changed_in_the_configuration_counts_again(front: Front, tmp_path: Path) -> None:
    """What was kept of the one before is not used, and not lost."""
    there = front.show(org(refresh_token_rotates=True))
    sign_in(front, tmp_path)
    there.settings.refresh_token = "5Aepauthorisedagain"
    assert sign_in(front, tmp_path, **{**BY_REFRESH, "refresh_token": "5Aepauthorisedagain"})
    assert front.asked(TOKEN) == 2
    assert len(list((tmp_path / "sign-in").glob("*.json"))) == 2


@pytest.mark.parametrize("fault", ["503", "429", "html_502", "dropped_before"])
def test_a_refresh_that_fails_for_now_is_tried_again(front: Front, tmp_path: Path, fault: Any) -> None:
    """The token was not used up."""
    front.show(org(refresh_token_rotates=True))
    front.faults.on_path(TOKEN, fault)
    assert sign_in(front, tmp_path)
    assert front.asked(TOKEN) == 2


@pytest.mark.parametrize("fault", ["dropped_after", "truncated"])
def test_an_answer_that_was_lost_says_to_authorise_again(front: Front, tmp_path: Path, fault: Any) -> None:
    """The old token is used up and the new one never came: the variable is named, and the tokens are not."""
    there = front.show(org(refresh_token_rotates=True))
    front.faults.on_path(TOKEN, fault)
    with pytest.raises(SignInRefused) as refused:
        sign_in(front, tmp_path)
    assert "KAM_SALESFORCE__REFRESH_TOKEN: its last renewal got no answer" in str(refused.value)
    assert "authorise the app again" in str(refused.value)
    with pytest.raises(SignInRefused, match="its last renewal got no answer"):
        sign_in(front, tmp_path)
    assert REFRESH_TOKEN not in str(refused.value)
    assert sign_in(front, tmp_path, **{**BY_REFRESH, "refresh_token": there.settings.refresh_token})


def test_a_revoked_token_says_to_authorise_again(front: Front, tmp_path: Path) -> None:
    """Told apart from one whose successor is refused: that may have been renewed elsewhere."""
    there = front.show(org(refresh_token_rotates=True))
    with pytest.raises(SignInRefused, match="KAM_SALESFORCE__REFRESH_TOKEN is not accepted any more"):
        sign_in(front, tmp_path / "a", **{**BY_REFRESH, "refresh_token": "5Aeprevoked"})
    sign_in(front, tmp_path / "b")
    there.settings.refresh_token = "5Aepelsewhere"
    assert front.app is not None
    front.app.sessions.revoke()  # type: ignore[attr-defined]
    with pytest.raises(SignInRefused, match="renewed by a kam with another KAM_HOME"):
        sign_in(front, tmp_path / "b")


def test_where_nothing_can_be_kept_the_token_is_not_used_up(front: Front, tmp_path: Path) -> None:
    """The place is named, and the token still works once the place does."""
    front.show(org(refresh_token_rotates=True))
    (tmp_path / "sign-in").write_text("a file where the directory should be")
    with pytest.raises(NotConfigured, match="KAM_HOME"):
        sign_in(front, tmp_path)
    assert front.asked(TOKEN) == 0
    (tmp_path / "sign-in").unlink()
    assert sign_in(front, tmp_path)


def test_without_a_directory_the_session_is_kept_in_memory(front: Front) -> None:
    """Within the process rotation works all the same."""
    front.show(org(refresh_token_rotates=True, session_calls=1))
    with run(front) as connector:
        assert connector.streams()
        assert len(connector.missing_fields(FIELDS)) == len(FIELDS)
    assert front.asked(TOKEN) > 4


@pytest.mark.parametrize("content", ["", "[]", '{"refresh_token": ""}', '{"unknown": 1}', "{"])
def test_a_file_that_is_not_ours_counts_as_none(front: Front, tmp_path: Path, content: str) -> None:
    """The configured token is all there is then."""
    front.show(org())
    sign_in(front, tmp_path)
    kept_file(tmp_path).write_text(content)
    assert sign_in(front, tmp_path)
    assert front.asked(TOKEN) == 2
