"""The seed of every sample the tests draw: rotated by CI, which prints it, and set by hand to see a run again."""

from __future__ import annotations

import os

SEED = int(os.environ.get("KAM_TEST_SEED", "1"))
