"""How everything stands as metrics, in the text format that node_exporter's textfile collector reads.

The format: https://prometheus.io/docs/instrumenting/exposition_formats/ (read 2026-11).
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from flows.results.standing import VERDICTS, Standing


def exposition(found: Standing) -> str:
    """Gauges only: each run of the command tells the whole. A step that never ended well has no time of it."""
    registry = CollectorRegistry()

    def gauge(name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"kam_{name}", text, labels, registry=registry)

    status = gauge("status", "1 for the verdict that holds, 0 for the others", "verdict")
    for verdict in VERDICTS:
        status.labels(verdict).set(verdict == found.verdict)
    gauge("status_timestamp_seconds", "When this was looked at").set(found.at.timestamp())
    ended = gauge("last_success_timestamp_seconds", "When the step last ended well", "crm", "step")
    seconds = gauge("last_success_duration_seconds", "How long it took then", "crm", "step")
    rows = gauge("last_success_rows", "Rows read, cells planned or written, snapshots added then", "crm", "step")
    failed = gauge("newest_run_failed", "1 where the newest run of the step failed", "crm", "step")
    for step in (*(step for one in found.crms for step in one.steps), found.score):
        labels = (step.crm or "all", step.kind)
        failed.labels(*labels).set(step.newest == "failed")
        if step.ended_at is not None:
            ended.labels(*labels).set(step.ended_at.timestamp())
            seconds.labels(*labels).set(step.seconds or 0.0)
        if step.rows is not None:
            rows.labels(*labels).set(step.rows)
    lagging = gauge("streams_lagging", "Streams that are behind", "crm")
    rejects = gauge("rejects_open", "Rows that are set aside", "crm", "stream")
    differs = gauge("certificates_failed", "Streams of which the store does not hold what the CRM has", "crm")
    waits = gauge("plans_waiting_for_approval", "Plans that the guard stopped", "crm")
    cells = gauge("plan_cells", "Cells of the newest plan by outcome", "crm", "outcome")
    for one in found.crms:
        lagging.labels(one.crm).set(len(one.lagging))
        differs.labels(one.crm).set(len(one.failed_certificates))
        waits.labels(one.crm).set(one.waits_for_approval is not None)
        for reject in one.rejects:
            rejects.labels(one.crm, reject.stream).inc(reject.rows)
        for outcome, n in one.cells.items():
            cells.labels(one.crm, outcome).set(n)
    return generate_latest(registry).decode()
