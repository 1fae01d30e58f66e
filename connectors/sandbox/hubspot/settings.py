"""What can be set about a portal: its plan, its quirks, its credential."""

from __future__ import annotations

from dataclasses import dataclass, field

from connectors.sandbox.hubspot.kinds import KINDS

ACCESS_TOKEN = "pat-eu1-5a4d0000-b0c5-4000-8000-000000000001"  # noqa: S105 - the sandbox's own, public
CLIENT_ID = "5a4db0c5-0000-4000-8000-00000000c11e"
CLIENT_SECRET = "5a4db0c5-0000-4000-8000-00000000005e"  # noqa: S105 - the sandbox's own, public
REFRESH_TOKEN = "eu1-5a4d-b0c5-refresh"  # noqa: S105 - the sandbox's own, public
PORTAL_ID = 145_000_001

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
    token_lifetime_s: int = 1800
    scopes: frozenset[str] = ALL_SCOPES

    # Pages.
    page_limit: int = 100
    history_page_limit: int = 50
    search_page_limit: int = 200
    search_result_cap: int = 10_000
    association_page_limit: int = 500
    association_batch_limit: int = 1000

    # Search trails behind writes by this much; 0 shows them at once.
    index_lag_s: float = 0.0
    # Every n-th search page has two neighbours swapped; 0 keeps the order asked for.
    search_disorder_every: int = 0

    # Rate limits (Professional): refused with 429 when on; headers are sent either way.
    rate_limits: bool = False
    window_requests: int = 190
    associations_window_requests: int = 150
    search_per_second: int = 5
    daily_requests: int = 625_000

    # Behaviour that is undocumented, or differs between portals.
    shuffled_results: bool = True
    trace_ids_on_update: bool = True
    same_value_bumps_modified: bool = True
    restore_bumps_modified: bool = True
    cleared_reads_as_empty: bool = True
    merge_mints_new_id: bool = False
    stage_date_properties: bool = True
    second_companies: bool = True
    # Host of paging links, e.g. "https://api.hubapi.com"; None answers with the host that was asked.
    link_base: str | None = None
    # Properties the administrator made required, enforced under 2026-09 only: kind name -> property names.
    required_properties: dict[str, tuple[str, ...]] = field(default_factory=dict)
