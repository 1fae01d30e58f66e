"""Settles a portion of a plan: looks at its accounts, writes what is still as planned, and looks again.

No cell is sent unseen: what stands in it is read right before, and once more where nobody knows what became of it. What
a person enters between that look and the CRM's own writing is seen afterwards, where the CRM can tell, and put back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Map

import polars as pl

from connectors.contract import Connector, LooksBack, WriteOutcome
from connectors.errors import ConnectorError, TryAgainLater
from connectors.overdrawing import overdrawing
from flows.pipeline.cells import fields_now, writes_of
from flows.pipeline.progress import quiet
from kammodel.publish.fields import CustomField, unrounded

ROUNDS = 3
"""How often a cell is sent whose outcome stays unclear; then it waits for a later run."""
EDITED = "EDITED"
_PUT_BACK_ROUNDS = 3
_KEY = ["source_id", "field"]
_TOLD = {"outcome": pl.String, "kind": pl.String, "code": pl.String, "message": pl.String}
ENDED = dict.fromkeys(_KEY, pl.String) | _TOLD | {"was_over": pl.Boolean, "is_back": pl.Boolean}
"""A settled cell: written, held (EDITED: it is somebody's), gone, rejected or retry. `was_over`: our write went over
what a person had entered; `is_back`: that stands there again, or something newer of theirs."""
_NOTHING = pl.lit(None, pl.String)
_OVER = dict.fromkeys((*_KEY, "theirs"), pl.String)


class Settling:
    """Settles cells (source_id, field, before, after, after_spelled; in the order in which they are to be sent) in one
    CRM."""

    def __init__(self, connector: Connector, fields: Sequence[CustomField]) -> None:
        self._connector, self._fields = connector, fields

    def settle(self, cells: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """Frames of ENDED as it goes, in which each cell comes once. What stops the run is raised after what was
        settled until then has been told; faults that pass end cells as `retry`."""
        given = cells.select(*_KEY, "before", after=pl.coalesce("after_spelled", "after"))
        for ended in self._settle(self._told_plain(given), _PUT_BACK_ROUNDS):
            if ended.height:
                yield ended

    def _told_plain(self, cells: pl.DataFrame) -> pl.DataFrame:
        """The cells with `plain`: what they are given, as it is compared with what they hold."""
        plain = [
            cells.filter(pl.col("field") == f.key).select(*_KEY, plain=unrounded(f, pl.col("after")))
            for f in self._fields
        ]
        return cells.join(pl.concat(plain), on=_KEY, how="left", maintain_order="left")

    def _settle(self, cells: pl.DataFrame, put_back_rounds: int) -> Iterator[pl.DataFrame]:
        """`after` is what is sent; `plain` the spelling of it that is compared."""
        # What holds ours at the first look may have been written by a run that never learned of it.
        left = sent = cells
        told = _told("retry", "other", "UNCLEAR", "nobody knows what became of it: a later run looks again")
        for number in range(ROUNDS + 1):
            try:
                judged = self._looked_at(left)
            except TryAgainLater as fault:
                yield _ended(left, _told("retry", "other", fault.code or str(fault.status), str(fault)))
                return
            is_there, is_done = pl.col("is_there"), pl.col("now").eq_missing(pl.col("plain"))
            is_as_before = pl.col("now").eq_missing(pl.col("before"))
            yield _ended(judged.filter(~is_there), _told("gone", "gone", "NOT_FOUND", "the CRM does not have it now"))
            yield _ended(judged.filter(is_there & ~is_done & ~is_as_before), _told("held", None, EDITED, None))
            done = judged.filter(is_there & is_done)
            yield from self._written(done, self._over_by(done.join(sent, on=_KEY, how="semi")), put_back_rounds)
            left = judged.filter(is_there & ~is_done & is_as_before).select(cells.columns)
            if left.is_empty():
                return
            if number == ROUNDS:
                break
            unclear = left.clear()
            for outcomes in self._sent(left):
                answered = left.join(_frame(outcomes), on="source_id", how="inner", maintain_order="left")
                is_taken, is_unclear = pl.col("outcome") == "written", pl.col("outcome") == "unclear"
                yield _ended(answered.filter(~is_taken & ~is_unclear))
                yield from self._written(answered.filter(is_taken), _over_of(outcomes), put_back_rounds)
                lost = answered.filter(is_unclear)
                unclear = pl.concat([unclear, lost.select(left.columns)])
                if lost.height:
                    told = lost.select(*_TOLD).row(0, named=True) | {"outcome": "retry"}
            left = sent = unclear
            if left.is_empty():
                return
        yield _ended(left, told)

    def _looked_at(self, cells: pl.DataFrame) -> pl.DataFrame:
        """The cells with what they hold `now`, and whether their account `is_there`."""
        accounts = cells["source_id"].unique(maintain_order=True)
        now = fields_now(self._connector, accounts, self._fields, quiet)
        held = now.unpivot(index="source_id", variable_name="field", value_name="now").with_columns(is_there=True)
        looked = cells.join(held, on=_KEY, how="left", maintain_order="left")
        return looked.with_columns(pl.col("is_there").fill_null(value=False))

    def _sent(self, cells: pl.DataFrame) -> Iterator[list[WriteOutcome]]:
        """The outcomes of the accounts, batch by batch; those of accounts that a passing fault left out at the end."""
        writes, told = writes_of(cells), set[str]()
        try:
            for outcomes in self._connector.write_fields(self._fields, writes):
                told |= {o.source_id for o in outcomes}
                yield outcomes
        except TryAgainLater as fault:
            code, told_by = fault.code or str(fault.status), str(fault)
            left = [w.source_id for w in writes if w.source_id not in told]
            # Whether they went out, nobody says.
            yield [WriteOutcome(i, "unclear", code, told_by, "other") for i in left]

    def _over_by(self, cells: pl.DataFrame) -> pl.DataFrame:
        """What cells went over that were written without an answer, where the CRM keeps what they held before."""
        if cells.is_empty() or not isinstance(self._connector, LooksBack):
            return pl.DataFrame(schema=_OVER)
        return _over(self._connector.overwritten(self._fields, writes_of(cells)))

    def _written(self, cells: pl.DataFrame, over: pl.DataFrame, put_back_rounds: int) -> Iterator[pl.DataFrame]:
        """Ends cells that hold what we want, once those that were somebody's are put back."""
        yield _ended(cells.join(over, on=_KEY, how="anti"), _told("written", None, None, None))
        theirs = cells.join(over, on=_KEY, how="inner", maintain_order="left")
        if theirs.is_empty():
            return
        turned = self._told_plain(theirs.select(*_KEY, before="plain", after="theirs"))
        if put_back_rounds == 0:
            yield _not_back(turned)
            return
        fault: ConnectorError | None = None
        ended = [pl.DataFrame(schema=ENDED)]
        try:
            # A person's value is worth a few calls more than we have. What came before a fault stays in the list.
            with overdrawing():
                ended.extend(self._settle(turned, put_back_rounds - 1))
        except ConnectorError as stopped:
            fault = stopped
        yield from _put_back(turned, pl.concat(ended))
        if fault is not None:
            raise fault


def _put_back(turned: pl.DataFrame, ended: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """What became of cells in which a person's value was to stand again."""
    is_theirs, is_gone = pl.col("outcome").is_in(["written", "held"]), pl.col("outcome") == "gone"
    # Where putting it back went over yet another value, that one may be lost.
    held = ended.filter(is_theirs).with_columns(
        is_back=~pl.col("was_over") | pl.col("is_back"), was_over=pl.lit(value=True)
    )
    yield held.with_columns(outcome=pl.lit("held"), kind=_NOTHING, code=pl.lit(EDITED), message=_NOTHING)
    yield ended.filter(is_gone).with_columns(was_over=pl.lit(value=True))
    yield _not_back(turned.join(ended.filter(is_theirs | is_gone), on=_KEY, how="anti"))


def _told(outcome: str, kind: str | None, code: str | None, message: str | None) -> dict[str, str | None]:
    return {"outcome": outcome, "kind": kind, "code": code, "message": message}


def _ended(
    cells: pl.DataFrame, told: Map[str, str | None] | None = None, *, was_over: bool = False, is_back: bool = False
) -> pl.DataFrame:
    """The cells as ENDED, all with the same outcome, or with the one that they have."""
    given = [pl.lit(value, pl.String).alias(name) for name, value in (told or {}).items()]
    return cells.with_columns(given).select(*_KEY, *_TOLD, was_over=pl.lit(was_over), is_back=pl.lit(is_back))


def _not_back(cells: pl.DataFrame) -> pl.DataFrame:
    """Cells that hold ours still, over what a person had entered: what we wrote has to be known as ours."""
    return _ended(cells, _told("written", None, None, None), was_over=True)


def _frame(outcomes: Sequence[WriteOutcome]) -> pl.DataFrame:
    rows = [(o.source_id, o.outcome, o.kind, o.code, o.message) for o in outcomes]
    return pl.DataFrame(rows, schema={"source_id": pl.String} | _TOLD, orient="row")


def _over_of(outcomes: Sequence[WriteOutcome]) -> pl.DataFrame:
    return _over({o.source_id: dict(o.overwritten) for o in outcomes})


def _over(theirs: dict[str, dict[str, str | None]]) -> pl.DataFrame:
    rows = [(source_id, key, value) for source_id, row in theirs.items() for key, value in row.items()]
    return pl.DataFrame(rows, schema=_OVER, orient="row")
