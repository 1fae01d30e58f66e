"""What can be set about a portal: its plan, its quirks, its credential."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from connectors.sandbox.hubspot.kinds import KINDS

ACCESS_TOKEN = "pat-eu1-5a4d0000-b0c5-4000-8000-000000000001"  # noqa: S105 - the sandbox's own, public
CLIENT_ID = "5a4db0c5-0000-4000-8000-00000000c11e"
CLIENT_SECRET = "5a4db0c5-0000-4000-8000-00000000005e"  # noqa: S105 - the sandbox's own, public
REFRESH_TOKEN = "eu1-5a4d-b0c5-refresh"  # noqa: S105 - the sandbox's own, public
PORTAL_ID = 145_000_001

SEARCHES_PER_SECOND = 5
"""What HubSpot allows to a whole account."""

FAMILIES = frozenset({"v1", "v3", "v4", "2025-09", "2026-03", "2026-09"})
"""The versions that paths can name."""

ALL_SCOPES: frozenset[str] = frozenset(
    scope for kind in KINDS for scope in (*kind.read_scopes, *kind.write_scopes, *kind.schema_scopes)
) | {"crm.objects.owners.read", "settings.currencies.read", "sales-email-read", "oauth"}


@dataclass
class PortalSettings:
    """The knobs of a portal; all can be turned while it serves. Defaults are a quiet Professional portal.

    Rate limits count by the sandbox's clock: with a clock that stands still, a window never reopens by itself.
    """

    portal_id: int = PORTAL_ID
    account_type: str = "STANDARD"

    # Credentials. The access token is a service key and does not expire; OAuth tokens live 1800 s.
    access_token: str = ACCESS_TOKEN
    client_id: str = CLIENT_ID
    client_secret: str = CLIENT_SECRET
    refresh_token: str = REFRESH_TOKEN
    # A refresh gives a new refresh token, and the old one is worth nothing any more. (`refresh_token` is then the new.)
    refresh_token_rotates: bool = False
    token_lifetime_s: int = 1800
    scopes: frozenset[str] = ALL_SCOPES

    # What the portal has: versions in paths (others are 404), and kinds of record it lacks (by name).
    families: frozenset[str] = FAMILIES
    absent_kinds: frozenset[str] = frozenset()
    # "companies.rating": not shown to this token, in lists or on records, as sensitive data is without its scope.
    hidden_properties: frozenset[str] = frozenset()
    # Seconds every answer takes; calls side by side wait side by side.
    latency_s: float = 0.0

    # Pages.
    page_limit: int = 100
    # A list's cursor is the id of its next record; or, what no document excludes, that of the last one shown.
    cursor_is_last_id: bool = False
    # How a list answers a cursor that is no record's id; None takes it. No document says either.
    strange_cursor_status: int | None = None
    history_page_limit: int = 50
    search_page_limit: int = 200
    search_result_cap: int = 10_000
    association_page_limit: int = 500
    association_batch_limit: int = 1000

    # Search trails behind writes by this much; 0 shows them at once.
    index_lag_s: float = 0.0
    # Every n-th write shows so much later than that, behind writes made after it; 0 for none.
    index_straggler_every: int = 0
    index_straggler_lag_s: float = 30.0
    # Every n-th search page has two neighbours swapped; 0 keeps the order asked for.
    search_disorder_every: int = 0
    # What search counts, as created and changed long ago, and never shows: kind name -> ids.
    index_ghosts: dict[str, tuple[int, ...]] = field(default_factory=dict)
    # "companies.hs_merged_object_ids": refused in filters. Which properties are is documented of a few alone.
    unsearchable_properties: frozenset[str] = frozenset()

    # Rate limits (Professional): refused with 429 when on; headers are sent either way.
    rate_limits: bool = False
    window_requests: int = 190
    associations_window_requests: int = 150
    # What answers about associations state as the limit of ten seconds, of which no document says: their own, the
    # general one, or none.
    associations_limit_stated: Literal["own", "general", "none"] = "own"
    search_per_second: int = SEARCHES_PER_SECOND
    daily_requests: int = 625_000
    # The day is shared: what other apps of the account have spent of it so far.
    daily_requests_by_others: int = 0
    associations_daily_requests: int = 500_000

    # Behaviour that is undocumented, or differs between portals.
    shuffled_results: bool = True
    # Whether `createdAt` is what stands in the property, which imports and people can set, or when the record was made.
    created_at_follows_property: bool = False
    trace_ids_on_update: bool = True
    same_value_bumps_modified: bool = True
    restore_bumps_modified: bool = True
    cleared_reads_as_empty: bool = True
    merge_mints_new_id: bool = False
    stage_date_properties: bool = True
    # Off: `propertiesWithHistory` is passed over, in what is asked and in what is answered.
    property_history: bool = True
    # Archived records can be restored for so long, then they are gone.
    bin_days: int = 90
    # A record that was written is locked for so long (423); 0 never is.
    locked_after_write_s: float = 0.0
    # A property cannot be read or written for so long after it was made.
    new_property_delay_s: float = 0.0
    custom_property_limit: int = 1000
    record_limit: int = 15_000_000
    second_companies: bool = True
    # Host of paging links, e.g. "https://api.hubapi.com"; None answers with the host that was asked.
    link_base: str | None = None
    # Properties the administrator made required, enforced under 2026-09 only: kind name -> property names.
    required_properties: dict[str, tuple[str, ...]] = field(default_factory=dict)
    # The same, where another has a value: kind name -> (property, its value, what is then required).
    required_when: dict[str, tuple[tuple[str, str, str], ...]] = field(default_factory=dict)


def unhurried() -> PortalSettings:
    """A portal in which nobody has to wait for a window to reopen."""
    most = 100_000
    return PortalSettings(window_requests=most, associations_window_requests=most, search_per_second=most)
