"""Brings digests to people: as artifacts in Prefect's UI, and through a notification block where one is configured."""

import asyncio
import inspect
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from prefect.artifacts import acreate_markdown_artifact
from prefect.blocks.abstract import NotificationBlock
from prefect.blocks.core import Block
from prefect.logging import get_run_logger

from flows import steps
from flows.pipeline.digesting import Kept
from flows.report.digest import digest_page, digest_subject
from flows.report.markdown import MOST_MOVES
from flows.results import ApplyReceipt, DigestReceipt
from flows.runtime import Runtime
from flows.words import Words

MOST_SENT = 20
"""Changes of a section in a message: chats cut long ones off. The file has them all."""

PATIENCE = 60.0
"""Seconds for one message; a block's own limit is usually ten."""

MOST_FAILURES = 3
"""Messages in a row that fail before the rest is not tried: a channel that is down would cost each its time."""


async def tell_owners(runtime: Runtime, applied: Sequence[ApplyReceipt]) -> tuple[DigestReceipt, ...]:
    """Files, artifacts and messages of the tier changes that have just been written. What cannot be delivered is a
    warning in the log and in the receipt, never a fault of the run: the CRMs hold what they should."""
    kept = await asyncio.to_thread(steps.keep_digests, runtime, applied)
    say = Words(runtime.settings.language)
    for one in kept:
        page = digest_page(one.digest, say, most=MOST_MOVES)
        title = digest_subject(one.digest, say)
        await acreate_markdown_artifact(page, key=f"kam-digest-{one.digest.slug}", description=title)
    receipts = steps.digest_receipts(kept)
    block = runtime.settings.notify_block
    if kept and block is not None:
        receipts = await _sent(block, kept, receipts, say)
    for warning in sorted({one.warning for one in receipts if one.warning}):
        n = sum(one.warning == warning for one in receipts)
        # Without the names of owners: a log is read by many, and kept.
        get_run_logger().warning("%d of %d digests: %s", n, len(receipts), warning)
    return receipts


async def _sent(
    block: str, kept: Sequence[Kept], receipts: tuple[DigestReceipt, ...], say: Words
) -> tuple[DigestReceipt, ...]:
    """Sends one message per owner, so that whoever receives them can pass each on by its subject."""
    told: list[DigestReceipt] = []
    failures, why = 0, None
    channel = await _loaded(block)
    for one, receipt in zip(kept, receipts, strict=True):
        if isinstance(channel, str):
            why = channel
        elif failures < MOST_FAILURES:
            why = await _send(channel, one, say)
            failures = failures + 1 if why else 0
        warning = None if why is None else _advice(block, why)
        warnings = "; ".join(text for text in (receipt.warning, warning) if text)
        told.append(replace(receipt, is_sent=why is None, warning=warnings or None))
    return tuple(told)


async def _loaded(block: str) -> NotificationBlock | str:
    """The block; or why there is none."""
    try:
        found: Any = await Block.aload(block)
    except Exception as fault:  # noqa: BLE001 - a block's own code runs here, and raises what it likes
        return f"cannot be loaded ({_named(fault)})"
    return found if isinstance(found, NotificationBlock) else "is no notification block"


async def _send(channel: NotificationBlock, one: Kept, say: Words) -> str | None:
    """None once it is sent; else why not."""
    try:
        # Some blocks only say so in their log where a message fails, unless they are told to raise.
        with channel.raise_on_failure():
            async with asyncio.timeout(PATIENCE):
                page = digest_page(one.digest, say, most=MOST_SENT)
                answer: object = channel.notify(page, subject=digest_subject(one.digest, say))
                if inspect.isawaitable(answer):
                    await answer
    except Exception as fault:  # noqa: BLE001 - as above
        return f"did not send ({_named(fault)})"
    return None


def _named(fault: Exception) -> str:
    """What happened, without its text: in it stands the address of a webhook, which is a secret."""
    status = getattr(getattr(fault, "response", None), "status_code", None)
    return type(fault).__name__ if status is None else f"{type(fault).__name__} {status}"


def _advice(block: str, why: str) -> str:
    return (
        f"KAM_NOTIFY_BLOCK: {block} {why}; see Blocks in Prefect's UI, or prefect block inspect {block}; the digests "
        "are in their files, and kam digest prints them"
    )
