"""The accounts of either CRM whose fields kam and people share, as people see them, and as each new process does."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic import SecretStr

from connectors.contract import Connector
from connectors.hubspot.connector import HubSpotConnector
from connectors.hubspot.settings import HubSpotSettings
from connectors.salesforce.connector import SalesforceConnector
from connectors.salesforce.settings import SalesforceSettings
from connectors.sandbox.hubspot.settings import ACCESS_TOKEN
from connectors.sandbox.salesforce.settings import CLIENT_ID, CLIENT_SECRET, ValidationRule
from kammodel.publish.fields import OURS
from tests.pipeline.edited_crm import Crm
from tests.pipeline.steps import NO_WAIT
from tests.pipeline.whose import Place, Value

NUMBERS = (1, 2, 4, 6)
WANTED: dict[str, tuple[Value, ...]] = {
    "tier": ("key", "growth", "standard", None),
    "score": ("10", "50.5", "7", None),
    "reason": ("uno", "dos", "tres", None),
}
TYPED: dict[str, tuple[Value, ...]] = {"tier": ("strategic",), "score": ("1.5", "10.0"), "reason": ("mine",)}
"""What people enter besides: values that nobody wants, and the same in another spelling."""
FINER: dict[Value, tuple[Value, ...]] = {"10": ("10.04",), "50.5": ("50.54", "50.50"), "7": ("6.96",)}
"""What people make of our numbers: more decimals than we write."""
FIELDS = [f for f in OURS if f.key in {*WANTED, "scored_on", "stamp"}]
_LOCKED_S = 600


class SharedAccounts:
    """Four accounts of a CRM. `connector`: of the process of the moment."""

    def __init__(self, crm: Crm) -> None:
        self.crm, self.there, self.faults = crm, crm.there, crm.faults
        self.ids = [crm.id(number) for number in NUMBERS]
        self.places: list[Place] = [(account, key) for account in self.ids for key in WANTED]
        self.connector = self._connected()
        identity = self.connector.identify()
        self.of = {"source": identity.source, "instance": identity.instance}

    @property
    def _is_salesforce(self) -> bool:
        return self.crm.name == "salesforce"

    def clear(self) -> None:
        """As if nobody had ever been there."""
        self.faults.clear()
        for account in self.ids:
            self._update(account, {f.key: None for f in FIELDS})
            if not self._is_salesforce:
                self.there.existing(self.there.known("companies"), account).history = None

    def type_in(self, account: str, key: str, value: Value) -> Value:
        """What then stands there, as it is compared."""
        self._update(account, {key: value})
        return _plain(value)

    def _update(self, account: str, values: dict[str, Value]) -> None:
        if self._is_salesforce:
            numbers = {k: float(v) if k == "score" and v is not None else v for k, v in values.items()}
            self.there.update("Account", account, {self._name(key): value for key, value in numbers.items()})
        else:
            self.there.update("companies", account, {self._name(key): value or "" for key, value in values.items()})

    def now(self) -> dict[Place, Value]:
        """What stands in the CRM, seen without a call."""
        if self._is_salesforce:
            rows = {account: self.there.record("Account", account) for account in self.ids}
        else:
            kind = self.there.known("companies")
            rows = {account: self.there.existing(kind, account).values for account in self.ids}
        return {(account, key): _plain(rows[account].get(self._name(key))) for account, key in self.places}

    def refuse(self, account: str) -> None:
        """Nobody can write to it for now."""
        if self._is_salesforce:
            rule = ValidationRule("Account", lambda row: bool(row["Id"] == account))
            self.there.settings.validation_rules.append(rule)
        else:
            self.there.keep_locked("companies", account, _LOCKED_S)

    def allow(self, account: str) -> None:
        if self._is_salesforce:
            self.there.settings.validation_rules.clear()
        else:
            self.there.keep_locked("companies", account, 0)

    def new_process(self) -> None:
        self.connector.close()
        self.connector = self._connected()

    def _name(self, key: str) -> str:
        return f"KAM_{key.title()}__c" if self._is_salesforce else f"kam_{key}"

    def _connected(self) -> Connector:
        if self._is_salesforce:
            settings = SalesforceSettings(
                instance_url=self.crm.front.url, client_id=CLIENT_ID, client_secret=SecretStr(CLIENT_SECRET)
            )
            return SalesforceConnector(settings, patience=NO_WAIT)
        # One call at a time: as many accounts to a portion as to a batch.
        given = HubSpotSettings(base_url=self.crm.front.url, access_token=SecretStr(ACCESS_TOKEN), parallel_calls=1)
        return HubSpotConnector(given, patience=NO_WAIT)


def _plain(raw: Any) -> Value:
    """A value as it is compared, by rules of its own."""
    text = "" if raw is None else str(raw).strip()
    try:
        return format(Decimal(text).normalize(), "f")
    except InvalidOperation:
        return text or None
