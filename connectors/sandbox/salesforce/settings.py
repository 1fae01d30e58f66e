"""What can be set about an org: its credentials, its features, its quirks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.sandbox.salesforce.bulk.settings import BulkSettings
from connectors.sandbox.salesforce.metadata.settings import MetadataSettings

CLIENT_ID = "3MVG9sandbox.kam.integration"
CLIENT_SECRET = "5A4DB0C500000000000000000000005E"  # noqa: S105 - the sandbox's own, public
USERNAME = "integration@sandbox.example"
PASSWORD = "sandbox-password"  # noqa: S105 - the sandbox's own, public
SECURITY_TOKEN = "sandboxtoken"  # noqa: S105 - the sandbox's own, public
REFRESH_TOKEN = "5Aepsandboxrefresh"  # noqa: S105 - the sandbox's own, public

ADMIN_CLIENT_ID = "3MVG9sandbox.kam.admin"
ADMIN_CLIENT_SECRET = "5A4DB0C50000000000000000000000AD"  # noqa: S105 - the sandbox's own, public
ADMIN_USERNAME = "admin@sandbox.example"

ALL_PERMISSIONS: frozenset[str] = frozenset(
    {
        "ApiEnabled",
        "ModifyMetadata",
        "ModifyAllData",
        "ViewAllData",
        "ViewSetup",
        "CustomizeApplication",
        "ManageUsers",
        "AssignPermissionSets",
        "ManageProfilesPermissionsets",
        "BulkApiHardDelete",
        "ManageDataIntegrations",
    }
)
NIGHTLY_PERMISSIONS: frozenset[str] = frozenset({"ApiEnabled", "ViewAllData"})
"""What a user needs that only reads and writes records: it can neither deploy nor assign a permission set."""


@dataclass(frozen=True)
class ValidationRule:
    """Refuses a row of an object while it is active: `refuses` gets the whole row as it would become."""

    sobject: str
    refuses: Callable[[Mapping[str, Any]], bool]
    message: str = "This account cannot be changed."
    field: str | None = None
    name: str = "Guard"
    active: bool = True


@dataclass
class OrgSettings:
    """The knobs of an org; all but the ones marked so can be turned while it serves. Defaults: a quiet org."""

    # Read when the org is made.
    org_number: int = 1
    name: str = "Sandbox Org"
    multi_currency: bool | None = None
    """None: on where the book has more than one currency."""
    dated_rates: bool = True
    """Advanced Currency Management: DatedConversionRate exists (in an org with several currencies)."""
    rate_scale: int = 6
    """Decimals of a conversion rate, which is units of the currency per unit of the corporate one."""

    # Features, read when the org is made too: an org without one has none of its objects.
    contacts_to_multiple_accounts: bool = True
    account_teams: bool = True
    account_plans: bool = True
    products: bool = True
    contracts: bool = True
    orders: bool = True
    assets: bool = True
    opportunity_field_history: bool = True
    account_field_history: bool = True
    """Tracking is switched on for the object; which fields are tracked is told field by field."""

    # Credentials: connected apps run as the integration user, and as an administrator.
    client_id: str = CLIENT_ID
    client_secret: str = CLIENT_SECRET
    username: str = USERNAME
    password: str = PASSWORD
    security_token: str = SECURITY_TOKEN
    refresh_token: str = REFRESH_TOKEN
    refresh_token_rotates: bool = False
    admin_client_id: str = ADMIN_CLIENT_ID
    admin_client_secret: str = ADMIN_CLIENT_SECRET
    has_run_as_user: bool = True
    """Whether the apps name a user for the client credentials flow."""
    refresh_needs_secret: bool = True
    """Whether a refresh asks for the app's secret, which is a policy of the app."""
    jwt_public_key: str | None = None
    """PEM of the certificate's key that assertions are held against; an app without one takes no assertion."""
    jwt_seconds: int = 180
    """How far ahead an assertion may expire. Not confirmed on a real org."""
    jwt_audiences: frozenset[str] = frozenset({"login.salesforce.com", "test.salesforce.com", "its own"})
    """Hosts that an assertion may be for. Whether an org takes each of these is not confirmed."""
    session_seconds: int | None = None
    session_calls: int | None = None
    max_soap_login_version: int = 64
    """SOAP login() is gone from v65.0 on."""

    # What the integration user may do. Its profile gives every standard object and field but these.
    permissions: frozenset[str] = ALL_PERMISSIONS
    hidden_objects: frozenset[str] = frozenset()
    read_only_objects: frozenset[str] = frozenset()
    hidden_fields: frozenset[str] = frozenset()
    """`Account.Industry`: the profile grants no field-level security on it."""
    read_only_fields: frozenset[str] = frozenset()
    api_enabled: bool = True

    # Limits.
    versions: tuple[int, int] = (41, 68)
    daily_api_requests: int = 100_000
    calls_of_others: int = 0
    """Calls that other clients have made in the past 24 hours."""
    others_between_calls: int = 0
    """Calls that they make between one call of ours and the next."""
    query_page_rows: int | None = None
    """Rows per page at most, whatever was asked: a page may always be smaller."""
    locator_lifetime_s: int = 2 * 86_400
    uri_bytes: int = 16_384
    collection_rows: int = 200
    feed_ids: int = 600_000

    # Behaviour.
    commit_lag_s: float = 0.0
    """Writes of others than the two users of the API are seen only this much after their stamp."""
    commit_lag_every: int = 1
    """Only every n-th such write is late, so that later stamps are seen before earlier ones."""
    tracked_fields: frozenset[str] = frozenset({"Amount", "CloseDate", "OwnerId", "StageName"})
    """Fields of Opportunity whose changes leave OpportunityFieldHistory."""
    tracked_account_fields: frozenset[str] = frozenset()
    """Fields of Account that are tracked beside the custom ones whose definition says so."""
    history_holds_labels: bool = False
    """Field history holds the labels of choices, not their values. Which of them it is, is not confirmed."""
    contracts_expire: bool = True
    """An activated contract reads as expired after its end, without any stamp moving."""
    recycle_bin_days: int | None = 15
    """Rows deleted so long ago are gone for good; None keeps them. Loaded ones count from when they were loaded."""
    delete_log_hours: float | None = None
    """The log of deleted ids is trimmed to so many hours, as it is where many are deleted; None: to 15 days."""
    accounts_in_use_stay: bool = False
    """An account with cases or activated contracts is not deleted, as help pages say; else these go along with it."""
    activity_restamps_parents: bool = True
    """A changed LastActivityDate moves the SystemModstamp of account, contact or opportunity."""
    same_value_bumps_stamp: bool = True
    """An update with the values a row already has moves its stamps. Not confirmed on a real org."""
    archive_after_days: int = 365
    """Activities that ended this long ago are archived when they are loaded."""
    unordered_results: bool = True
    """Without ORDER BY, rows come newest id first; else oldest first."""
    composite_takes_collections: bool = True
    """Whether a composite may hold Collections among its calls. Not confirmed on a real org."""
    deploy_polls: int = 2
    """Polls that a deploy is seen Pending and InProgress before it ends."""
    locked_rows: dict[str, int] = field(default_factory=dict)
    """Id -> how many more writes through the API find it locked."""
    validation_rules: list[ValidationRule] = field(default_factory=list)
    bulk: BulkSettings = field(default_factory=BulkSettings)
    metadata: MetadataSettings = field(default_factory=MetadataSettings)
