"""Everything a CRM can answer, named by what to do next.

kammodel.errors.KamError
└── ConnectorError
    ├── TryAgainLater          the same call may work in a while (429, 5xx, dropped connection, HTML)
    │   ├── AnswerUnclear      it may even have worked: read before repeating a call that is not idempotent
    │   └── JobUnderWay        a job that an earlier run began may still write: nothing is written beside it
    ├── SessionExpired         sign in again, once, and repeat
    ├── SliceLost              the CRM forgot our place: start this slice again
    ├── QuotaSpent             stop now: exit 4, partial; a later run goes on from here
    ├── SignInRefused          wrong credentials: a person has to act
    ├── PermissionMissing      a scope, object or field permission is missing: an admin has to act
    ├── FieldRetyped           a field that was read holds something else now: an admin has to act
    ├── ShortAnswer            the CRM sent less than it announced: nothing was closed, run again
    ├── UnexpectedAnswer       not what the vendor documents; ids and codes only, never the payload
    ├── RequestRefused         the CRM refuses this very request; repeating it will not help
    └── FieldsNotProvisioned   custom fields are missing: exit 3, with the command to run
"""

from __future__ import annotations

from kammodel.errors import KamError, NotConfigured


class ConnectorError(KamError):
    """A CRM did not give what was asked. `code` is the vendor's own word for it, `status` the HTTP status."""

    def __init__(self, message: str, *, code: str | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class TryAgainLater(ConnectorError):
    """May work in a while. `after` is the wait in seconds that the CRM asked for, if it did."""

    def __init__(
        self, message: str, *, code: str | None = None, status: int | None = None, after: float | None = None
    ) -> None:
        super().__init__(message, code=code, status=status)
        self.after = after


class AnswerUnclear(TryAgainLater):
    """The request went out and no full answer came back: the CRM may have done it."""


class JobUnderWay(TryAgainLater):
    """The CRM may still carry out a job that an earlier run began: nothing may be written beside it."""


class SessionExpired(ConnectorError):
    """The access token is no longer valid."""


class SliceLost(ConnectorError):
    """A locator or cursor has expired: the slice has to be read from its start."""


class QuotaSpent(ConnectorError):
    """No calls are left, for the day or for our share of it. What was done stands; a later run goes on from there."""

    exit_code = 4


class SignInRefused(ConnectorError):
    """The credentials are not accepted."""


class PermissionMissing(ConnectorError):
    """The credentials work, and may not do this; the message names object and scope."""


class FieldRetyped(ConnectorError):
    """A field that was read before has another type now, whose values mean something else."""


class ShortAnswer(ConnectorError):
    """Fewer rows came than the CRM itself announced."""


class UnexpectedAnswer(ConnectorError):
    """An answer that the vendor's documentation does not know."""


class RequestRefused(ConnectorError):
    """The request is wrong in the CRM's eyes."""


class FieldsNotProvisioned(ConnectorError, NotConfigured):
    """Custom fields that we would write do not exist, or the user cannot see them."""

    exit_code = 3
