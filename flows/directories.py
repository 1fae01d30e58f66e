"""Where this platform keeps a program's data."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def data_directory(platform: str = sys.platform, environ: Mapping[str, str] = os.environ) -> Path:
    """The directory for the store: XDG on Linux, Application Support on macOS, Local AppData on Windows."""
    if platform == "win32":
        local = environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "kam"
    if platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "kam"
    # The specification says that a relative XDG path is to be ignored.
    given = Path(environ.get("XDG_DATA_HOME") or "~")
    return (given if given.is_absolute() else Path.home() / ".local" / "share") / "kam"
