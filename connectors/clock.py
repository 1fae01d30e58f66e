"""Refuses to read with a fast clock: slices end at our time, and what changes until then would be lost unseen."""

from __future__ import annotations

import email.utils

from kammodel.errors import NotConfigured

MOST_AHEAD = 600.0
"""Seconds that our clock may be fast: no more than what every connector reads twice."""


def check_clock(crm: str, stated: str, now: float) -> None:
    """Raises NotConfigured where `now` (seconds since 1970) is far ahead of what a CRM's answer states in its header
    `Date`. A clock that is slow only has rows read later; an answer that states none proves nothing."""
    try:
        ahead = now - email.utils.parsedate_to_datetime(stated).timestamp()
    except (ValueError, TypeError):
        return
    if ahead > MOST_AHEAD:
        raise NotConfigured(
            f"the clock of this machine is {ahead / 60:.0f} minutes ahead of {crm}'s, and changes would be missed: set "
            "it right (by NTP) and run again"
        )
