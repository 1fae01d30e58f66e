"""A Salesforce org in memory: its records, and the write functions people, stories and the API share."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from zoneinfo import ZoneInfo

from connectors.sandbox.book import Book
from connectors.sandbox.clock import Clock
from connectors.sandbox.salesforce import columns, consequences, derivations, loading, recycling, rules, setup
from connectors.sandbox.salesforce.access import Access, access_of
from connectors.sandbox.salesforce.fields import Field
from connectors.sandbox.salesforce.ids import number_of, salesforce_id, widened
from connectors.sandbox.salesforce.instants import stamp
from connectors.sandbox.salesforce.journal import journaled
from connectors.sandbox.salesforce.metadata.holdings import Holdings
from connectors.sandbox.salesforce.refusals import RowRefused
from connectors.sandbox.salesforce.settings import OrgSettings
from connectors.sandbox.salesforce.table import Formula, Row, Table
from connectors.sandbox.salesforce.values import checked


class Org:
    """One org. Hold `lock` to see several things at one moment; write functions take it themselves.

    `by` is the id of the user who writes; None is one of the company's own people. Their writes carry the name of
    the administrator, and may be late to be seen, as those of other users may (`commit_lag_s`).

    Write functions raise RowRefused as Salesforce would refuse the row, WrongType for a value of a wrong type,
    LookupError for an object that the org does not have.
    """

    def __init__(
        self,
        clock: Clock,
        settings: OrgSettings | None = None,
        *,
        currencies: Sequence[str] = ("USD",),
        timezone: str = "America/Los_Angeles",
    ) -> None:
        self.clock = clock
        self.settings = settings or OrgSettings()
        self.zone = ZoneInfo(timezone)
        self.lock = threading.RLock()
        self.changes = 0
        self.tables: dict[str, Table] = {}
        self.metadata = Holdings()
        self.deletions: dict[str, dict[str, str]] = {}
        self.deletions_known_since: str | None = None
        self.binned: dict[tuple[str, str], str] = {}
        self.cascades: dict[str, list[tuple[str, str]]] = {}
        self.waiting: dict[tuple[str, str], dict[str, Any]] = {}
        self.home_currency = currencies[0]
        multi = self.settings.multi_currency
        self.multi_currency = len(currencies) > 1 if multi is None else multi
        self.org_id = salesforce_id("00D", self.settings.org_number)
        self.admin_user_id = salesforce_id("005", setup.ADMIN_USER)
        self.integration_user_id = salesforce_id("005", setup.INTEGRATION_USER)
        self._numbers: dict[str, int] = {}
        self._access: dict[str, tuple[object, Access]] = {}
        setup.furnish(self, currencies, timezone)

    @classmethod
    def from_book(
        cls,
        book: Book,
        clock: Clock,
        cross_reference: Mapping[int, str] | None = None,
        settings: OrgSettings | None = None,
    ) -> Org:
        """The org of a company whose business is `book`, with ids by `ids.salesforce_id`.

        `cross_reference` maps ids of the book's companies to ids of HubSpot companies.
        """
        from connectors.sandbox.salesforce.filling import filled_org

        return filled_org(book, clock, cross_reference or {}, settings)

    # What is there.

    def now(self) -> str:
        """The sandbox's clock as a stamp."""
        return stamp(self.clock.now())

    def table(self, sobject: str) -> Table:
        """The rows of an object, named without regard to case. Raises LookupError."""
        found = self.tables.get(sobject.lower())
        if found is None:
            raise LookupError(f"the org has no object {sobject}")
        return found

    def record(self, sobject: str, record_id: str) -> dict[str, Any] | None:
        """A record by field name, deleted ones too; None where there is none."""
        with self.lock:
            recycling.keep_bin(self)
            table = self.table(sobject)
            row = table.rows.get(widened(record_id) or "")
            return None if row is None else table.record_of(row)

    def records(self, sobject: str) -> list[dict[str, Any]]:
        """All records of an object, deleted ones too, in the order of their ids."""
        with self.lock:
            recycling.keep_bin(self)
            table = self.table(sobject)
            return [table.record_of(table.rows[record_id]) for record_id in sorted(table.rows)]

    def access(self, user_id: str) -> Access:
        """What a user may see and do now. Each call to the API asks this first, so it also keeps the bin."""
        with self.lock:
            recycling.keep_bin(self)
            knobs = self.settings
            deciding = ("User", "PermissionSet", "PermissionSetAssignment", "FieldPermissions", "ObjectPermissions")
            key = (
                tuple(self.table(name).version for name in deciding),
                knobs.permissions,
                knobs.hidden_objects,
                knobs.read_only_objects,
                knobs.hidden_fields,
                knobs.read_only_fields,
            )
            known = self._access.get(user_id)
            if known is None or known[0] != key:
                known = self._access[user_id] = (key, access_of(self, user_id))
            return known[1]

    # What can be done.

    def load(self, sobject: str, records: Iterable[Mapping[str, Any]]) -> int:
        """Take many records as they are, each with its Id: nothing is checked, re-stamped or logged as history.

        Values may be text, as in an export. What is derived (IsClosed, AccountId, LastActivityDate, ...) is filled
        in where a record does not say it. Gives the number of records. Raises LookupError naming an unknown field.
        """
        with self.lock:
            return loading.load(self, self.table(sobject), records)

    def bulk_insert(self, sobject: str, records: Iterable[Mapping[str, Any]], *, by: str | None = None) -> list[str]:
        """New records by the thousand, all under the stamp of this moment; gives their ids. Raises as `load`."""
        with self.lock:
            return loading.insert(self, self.table(sobject), records, by or self.admin_user_id)

    def create(self, sobject: str, values: Mapping[str, Any], *, by: str | None = None) -> str:
        """A new record; gives its id."""
        with self.lock:
            table = self.table(sobject)
            given = {one.name: checked(one, value) for one, value in self._known(table, values)}
            new = rules.fresh(self, table, given, by or self.admin_user_id)
            new["Id"] = self.new_id(table)
            rules.derive(self, table, new, None, given)
            rules.check(self, table, new, None, given)
            self.save(table, new, None, by)
            return str(new["Id"])

    def update(self, sobject: str, record_id: str, values: Mapping[str, Any], *, by: str | None = None) -> None:
        """New values for a record; None clears."""
        with self.lock:
            table = self.table(sobject)
            row = self.existing(table, record_id)
            given = {one.name: checked(one, value) for one, value in self._known(table, values)}
            old = table.record_of(row)
            new = {**old, **given}
            rules.derive(self, table, new, old, given)
            rules.check(self, table, new, old, given)
            if new == old and not self.settings.same_value_bumps_stamp:
                return
            now = self.now()
            new.update(LastModifiedDate=now, LastModifiedById=by or self.admin_user_id, SystemModstamp=now)
            derivations.sign(new)
            self.save(table, new, old, by)

    def delete(self, sobject: str, record_id: str, *, by: str | None = None) -> None:
        """Into the recycle bin, with the children that go along; objects without a bin lose the row for good."""
        with self.lock:
            recycling.delete(self, self.table(sobject), record_id, by)

    def undelete(self, sobject: str, record_id: str, *, by: str | None = None) -> None:
        """Out of the recycle bin, with the children that went along."""
        with self.lock:
            recycling.undelete(self, self.table(sobject), record_id, by)

    def purge(self, sobject: str, record_id: str) -> None:
        """Gone for good: only the feed of deleted ids still tells of it."""
        with self.lock:
            recycling.purge(self, self.table(sobject), record_id)

    def empty_bin(self) -> int:
        """All that is in the recycle bin is gone for good; gives how many records."""
        with self.lock:
            return recycling.empty_bin(self)

    def merge(self, sobject: str, winner: str, losers: Sequence[str], *, by: str | None = None) -> None:
        """Losers are deleted and point to the winner, which gets their children."""
        with self.lock:
            recycling.merge(self, self.table(sobject), winner, losers, by)

    def add_field(self, sobject: str, new: Field) -> None:
        """A new custom field, or a new definition of one. Nobody sees it until a permission set says so."""
        with self.lock:
            columns.add_field(self, self.table(sobject), new)

    def add_formula(self, sobject: str, new: Field, formula: Formula) -> None:
        """A custom field worked out from the record whenever it is read: it changes without any stamp moving.

        `formula` may look elsewhere in the org too. Like any new field it is seen once it is granted (edit=False).
        """
        with self.lock:
            columns.add_formula(self, self.table(sobject), new, formula)

    def grant_field(self, sobject: str, field: str, *, edit: bool = True) -> None:
        """Field-level security on a field for every profile, as the page that makes fields does."""
        sets = self.table("PermissionSet")
        for row in sets.where("IsOwnedByProfile", True):
            rights = {"PermissionsRead": True, "PermissionsEdit": edit}
            self.create(
                "FieldPermissions",
                {"ParentId": row[0], "SobjectType": sobject, "Field": f"{sobject}.{field}", **rights},
            )

    def forget_deletions(self, until: str) -> None:
        """The log of deleted ids loses what is older than a stamp."""
        with self.lock:
            self.deletions_known_since = until
            for log in self.deletions.values():
                for record_id in [record_id for record_id, at in log.items() if at < until]:
                    del log[record_id]

    @contextmanager
    def transaction(self) -> Iterator[Callable[[], None]]:
        """What is written in this block can be taken back: call what it gives. Not to be nested."""
        with self.lock, journaled(self) as take_back:
            yield take_back

    # For the parts of the org.

    def new_id(self, table: Table) -> str:
        """An id above all that the org has given for this object."""
        if table.name not in self._numbers:
            self._numbers[table.name] = max((number_of(record_id) for record_id in table.rows), default=0)
        while True:
            self._numbers[table.name] += 1
            found = salesforce_id(table.sobject.prefix, self._numbers[table.name])
            if found not in table.rows:
                return found

    def existing(self, table: Table, record_id: str) -> Row:
        """The live row with an id. Raises RowRefused."""
        full = widened(record_id)
        if full is None:
            raise RowRefused("MALFORMED_ID", f"{table.name} ID: id value of incorrect type: {record_id}", ["Id"])
        row = table.rows.get(full)
        if row is None:
            raise RowRefused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        if table.deleted(row):
            raise RowRefused("ENTITY_IS_DELETED", "entity is deleted")
        return row

    def save(
        self,
        table: Table,
        new: Mapping[str, Any],
        old: Mapping[str, Any] | None,
        by: str | None,
        *,
        quiet: bool = False,
    ) -> None:
        """Put a full record into its table and let follow what follows; `quiet`: nothing follows."""
        record_id = str(new["Id"])
        before = table.rows.get(record_id)
        table.put(table.row_of(new))
        self.changes += 1
        lag = self.settings.commit_lag_s
        others = by not in {self.integration_user_id, self.admin_user_id}
        if others and lag and self.changes % self.settings.commit_lag_every == 0 and record_id not in table.late:
            table.late[record_id] = (stamp(self.clock.now() + dt.timedelta(seconds=lag)), before)
        if not quiet:
            consequences.follow(self, table, new, old, by)

    def restamp(self, table: Table, record_id: str, **values: Any) -> None:
        """A change by the system: SystemModstamp moves, LastModifiedDate does not."""
        row = table.rows.get(record_id)
        if row is not None:
            old = table.record_of(row)
            self.save(table, {**old, **values, "SystemModstamp": self.now()}, old, self.admin_user_id, quiet=True)

    def _known(self, table: Table, values: Mapping[str, Any]) -> list[tuple[Field, Any]]:
        pairs = []
        for name, value in values.items():
            one = table.field(name)
            if one is None:
                raise RowRefused("INVALID_FIELD", f"No such column '{name}' on sobject of type {table.name}")
            pairs.append((one, value))
        return pairs
