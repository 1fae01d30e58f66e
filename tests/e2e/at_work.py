"""What an ops engineer has: deployments, a worker that reaches a Salesforce org, and what store and org hold."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from connectors.sandbox.company import ServedCompany
from connectors.sandbox.faults import Faults
from connectors.sandbox.salesforce.org import Org
from kammodel.entities import Account
from kammodel.identity import account_groups
from kammodel.store import Store, health
from kammodel.store.snapshots import latest_snapshots
from tests.e2e.prefect_worker import Api


@dataclass(frozen=True)
class Ops:
    """A server with deployments, a worker that reaches a Salesforce org, and the org."""

    api: Api
    served: ServedCompany
    variables: dict[str, str]
    rules: Path
    process: Popen[bytes]

    @property
    def file(self) -> Path:
        """The store's."""
        return Path(self.variables["KAM_HOME"]) / "kam.db"

    @property
    def store(self) -> str:
        return f"sqlite:///{self.file}"

    @property
    def faults(self) -> Faults:
        assert self.served.salesforce is not None
        return self.served.salesforce.faults

    @property
    def org(self) -> Org:
        assert self.served.company.org is not None
        return self.served.company.org

    def newest_run(self) -> tuple[str, object]:
        """How the newest whole run ended, as the store has it."""
        with Store(self.store) as store, store.transaction() as tx:
            found = health.newest_run(tx, ["run"], None)
            assert found is not None
            return found.state, found.result.get(health.LINE)

    def tiers(self) -> list[str]:
        return [row["KAM_Tier__c"] for row in self.org.records("Account") if row.get("KAM_Tier__c")]

    def computed(self) -> dict[str, str | None]:
        """The tier of each account by its id: that of its account group, of which the store has a snapshot."""
        with Store(self.store) as store, store.transaction() as tx:
            tiers = dict(latest_snapshots(tx).select("group_id", "tier_effective").iter_rows())
            members = account_groups(store.read(Account)).members
        return {account: tiers[group] for account, group in members.select("source_id", "group_id").iter_rows()}
