"""What can be set about the setup side of an org: automation that is there, limits, quirks of deploys."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class ApexTrigger:
    """A trigger that an org lists; it does nothing to the rows of the sandbox."""

    name: str
    sobject: str = "Account"
    is_active: bool = True
    before_update: bool = False
    after_update: bool = True
    namespace: str | None = None


@dataclass(frozen=True)
class RecordTriggeredFlow:
    """A flow that an org lists; it does nothing to the rows of the sandbox."""

    api_name: str
    label: str
    sobject: str = "Account"
    trigger_type: str = "RecordAfterSave"
    record_trigger_type: str = "CreateAndUpdate"
    is_active: bool = True
    namespace: str | None = None


@dataclass
class MetadataSettings:
    """The knobs of setup; `edition` and `is_sandbox` are read when the org is made. Defaults: a quiet sandbox org."""

    edition: str = "Enterprise Edition"
    is_sandbox: bool = True
    """A production org neither purges deleted fields nor keeps the good half of a deploy."""

    # What is there.
    apex_triggers: list[ApexTrigger] = field(default_factory=list)
    flows: list[RecordTriggeredFlow] = field(default_factory=list)

    # Limits.
    custom_fields_per_object: int | None = None
    """None: by edition. Fields deleted in the last 15 days count."""
    others_deploy_polls: int = 0
    """Polls during which a deploy of somebody else works, and ours wait."""
    setup_locked: int = 0
    """How many more deploys fail because somebody else is changing the setup."""

    tracked_fields_per_object: int = 20

    # Behaviour that the documentation leaves open.
    untracked_object_refuses: bool = True
    """A deploy of a tracked field fails where the object has no history tracking; else it passes, and the field is not
    tracked. Both are reported."""
    warnings_fail_deploys: bool = True
    """A warning counts as an error unless `ignoreWarnings` is set, as the documentation of deploy() says."""
    permission_set_deploys_replace: bool = False
    """A deployed permission set loses the entries that it does not list. Not confirmed on a real org."""
    used_fields_can_be_deleted: bool = True
    """A deleted field drops out of layouts and list views; else these keep it. Not confirmed on a real org."""
    deleted_field_restamps_rows: bool = True
    """The rows of an object move their SystemModstamp when a field goes. Reported, not documented."""
