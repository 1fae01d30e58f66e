"""Prefect's own settings, put into the environment before Prefect is imported.

prefect.toml says the same for `prefect server start` in a clone; an installed wheel has no such file.
Whatever is set already wins.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from pathlib import Path

ENVIRONMENT = {
    # Read from the process environment only, at import: prefect.toml is too late for it.
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    # The second UI asks an analytics host on every load, even with analytics off.
    "PREFECT_SERVER_UI_V2_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    # A first start on a slow machine takes 17 s; the default gives up after 20.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    # By default the server records about 36 task runs a second, and what is queued at exit is lost.
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "50",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
}


def set_prefect_environment(*, home: Path | None = None, environ: MutableMapping[str, str] = os.environ) -> None:
    """Sets what is not set. `home`: PREFECT_HOME, where profiles and the local server's database live."""
    for name, value in ENVIRONMENT.items():
        environ.setdefault(name, value)
    if home is not None:
        environ.setdefault("PREFECT_HOME", str(home))
