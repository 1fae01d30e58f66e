"""Digests of tier changes on a real Prefect server: artifacts, a webhook that is called, and what fails of it."""

from __future__ import annotations

import asyncio
import gc
import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from prefect import flow
from prefect.blocks.notifications import CustomWebhookNotificationBlock, MattermostWebhook
from prefect.blocks.system import Secret
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowFilter, FlowFilterName, LogFilter, LogFilterFlowRunId
from prefect.client.schemas.sorting import FlowRunSort
from prefect.runtime import flow_run
from prefect.settings import PREFECT_API_URL, temporary_settings
from pydantic import SecretStr

from connectors.sandbox.company import ServedCompany
from flows import steps
from flows.crms import Crm
from flows.notifying import MOST_FAILURES, tell_owners
from flows.pipeline import quiet
from flows.results import ApplyReceipt, DigestReceipt
from flows.runtime import Runtime, using
from flows.settings import settings_from
from flows.write_back import write_back
from kammodel.publish.fields import FIELDS

pytestmark = [
    # Prefect's clients leave their sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

KEY_IN_ADDRESS = "T0KEN-OF-THE-WEBHOOK"


@dataclass
class Chat:
    """A webhook of this machine: what was posted to it, and with which status it answers."""

    url: str
    status: int = 200
    posts: list[dict[str, str]] = field(default_factory=list)


@pytest.fixture
def chat() -> Iterator[Chat]:
    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            there.posts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(there.status)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Nothing on the terminal."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        there = Chat(f"http://127.0.0.1:{server.server_port}/{KEY_IN_ADDRESS}")
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        yield there
        server.shutdown()
        serving.join()


@pytest.fixture
def runtime(served: ServedCompany, tmp_path: Path, prefect_api: str, chat: Chat) -> Iterator[Runtime]:
    """One CRM that is read and scored, our fields empty; a block of Prefect's that posts to the chat."""
    there = {name: value for name, value in served.environment().items() if "SALESFORCE" not in name}
    settings = settings_from({**there, "KAM_HOME": str(tmp_path), "KAM_NOTIFY_BLOCK": "custom-webhook/kam-chat"})
    with (
        temporary_settings({PREFECT_API_URL: prefect_api}),
        Runtime(settings, clock=served.company.clock.now) as opened,
        using(opened),
    ):
        opened.connector("hubspot").provision(FIELDS, "en")
        steps.pull(opened, "hubspot", full=False, progress=quiet)
        steps.score(opened, None, progress=quiet)
        message = {"title": "{{subject}}", "text": "{{body}}"}
        block = CustomWebhookNotificationBlock(name="kam", url=chat.url, json_data=message)
        block.save("kam-chat", overwrite=True)
        yield opened
    # Here, and not in some later test that has nothing to do with it.
    gc.collect()


def told_again(
    runtime: Runtime, applied: list[ApplyReceipt], block: str
) -> tuple[tuple[DigestReceipt, ...], list[str]]:
    """Receipts and log of a flow that tells of what was written, its files being lost, through a block."""
    shutil.rmtree(runtime.settings.home / "digests")
    runtime.settings = runtime.settings.model_copy(update={"notify_block": block})

    @flow
    async def telling() -> tuple[str, tuple[DigestReceipt, ...]]:
        return str(flow_run.id), await tell_owners(runtime, applied)

    run_id, receipts = asyncio.run(telling())
    return receipts, log_of(run_id)


def log_of(run_id: str) -> list[str]:
    """The warnings of a run, once Prefect has sent them."""
    from prefect.logging.handlers import APILogWorker

    APILogWorker.drain_all(timeout=10)
    with get_client(sync_client=True) as client:
        logs = client.read_logs(LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run_id])))
    return [one.message for one in logs if one.level >= 30]


def test_digests_reach_files_artifacts_and_the_chat_and_no_failure_is_the_run_s(runtime: Runtime, chat: Chat) -> None:
    """One message and one artifact per owner. Then the chat refuses, the block is another one, or is gone: warnings
    that say what to do, without the address of the webhook."""
    (receipt,) = asyncio.run(write_back(crm=Crm("hubspot")))
    assert receipt.applied.written > 50
    files = sorted((runtime.settings.home / "digests").glob("*/*.md"))
    assert len(files) > 1
    with get_client(sync_client=True) as client:
        flows = FlowFilter(name=FlowFilterName(any_=["kam-write-back"]))
        (run,) = client.read_flow_runs(flow_filter=flows, sort=FlowRunSort.START_TIME_DESC, limit=1)
        own = [a for a in client.read_artifacts() if a.flow_run_id == run.id]
        artifacts = {a.key: str(a.data) for a in own if str(a.key).startswith("kam-digest-")}
    assert {f"kam-digest-{file.stem}": file.read_text("utf-8") for file in files} == artifacts
    assert sorted(post["text"] for post in chat.posts) == sorted(artifacts.values())
    assert all(post["title"].startswith("Tier changes: ") for post in chat.posts)

    chat.posts.clear()
    receipts, log = told_again(runtime, [receipt.applied], "custom-webhook/kam-chat")
    assert ([one.is_sent for one in receipts], log) == ([True] * len(files), [])

    chat.status = 404
    chat.posts.clear()
    receipts, log = told_again(runtime, [receipt.applied], "custom-webhook/kam-chat")
    assert [one.is_sent for one in receipts] == [False] * len(files)
    assert len(chat.posts) == min(MOST_FAILURES, len(files))
    (line,) = log
    assert f"{len(files)} of {len(files)} digests: KAM_NOTIFY_BLOCK: custom-webhook/kam-chat did not send" in line
    assert "HTTPStatusError 404" in line
    assert "prefect block inspect custom-webhook/kam-chat" in line
    assert KEY_IN_ADDRESS not in str(receipts) + line

    Secret(value="no chat").save("kam-secret", overwrite=True)
    port = int(str(urlsplit(chat.url).port))
    silent = MattermostWebhook(hostname="127.0.0.1", port=port, secure=False, token=SecretStr("t" * 26))
    silent.save("kam-silent", overwrite=True)
    for block, why in (
        ("secret/kam-secret", "is no notification block"),
        ("slack-webhook/none", "cannot be loaded"),
        ("mattermost-webhook/kam-silent", "did not send (NotificationError)"),
    ):
        receipts, (line,) = told_again(runtime, [receipt.applied], block)
        assert f"{block} {why}" in line
        assert all(Path(str(one.file)).is_file() for one in receipts)
