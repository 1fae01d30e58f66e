"""Write jobs that may not have ended, whichever machine began them."""

import datetime as dt

from kammodel.store import Store
from kammodel.store.write_jobs import forget, note, noted, strike

AT = dt.datetime(2026, 7, 1, 3, tzinfo=dt.UTC)
OF = {"source": "salesforce", "instance": "org"}
OTHER = {"source": "salesforce", "instance": "another org"}


def test_jobs_are_noted_until_they_are_struck(store: Store) -> None:
    """The oldest first; those of another org are none of ours, whatever their ids."""
    with store.transaction() as tx:
        note(tx, "b", **OF, at=AT)
        note(tx, "a", **OF, at=AT + dt.timedelta(minutes=1))
        note(tx, "b", **OTHER, at=AT)
    with store.transaction() as tx:
        assert noted(tx, **OF) == ["b", "a"]
        strike(tx, ["b", "never noted"], **OF)
        assert (noted(tx, **OF), noted(tx, **OTHER)) == (["a"], ["b"])


def test_a_job_is_not_asked_for_for_ever(store: Store) -> None:
    """One that nobody may look at any more would hold all writing up; Salesforce itself ends it after a week."""
    with store.transaction() as tx:
        note(tx, "old", **OF, at=AT)
        note(tx, "old", **OTHER, at=AT)
        note(tx, "young", **OF, at=AT + dt.timedelta(days=1))
        forget(tx, **OF, before=AT + dt.timedelta(days=1))
        assert (noted(tx, **OF), noted(tx, **OTHER)) == (["young"], ["old"])


def test_a_job_is_noted_once(store: Store) -> None:
    with store.transaction() as tx:
        for _ in range(2):
            note(tx, "a", **OF, at=AT)
        assert noted(tx, **OF) == ["a"]
