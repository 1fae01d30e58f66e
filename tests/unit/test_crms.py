"""Streams by name, where several CRMs are asked: who has which, and who is passed over."""

from __future__ import annotations

import pytest

from connectors.hubspot import mapping as hubspot
from connectors.salesforce import mapping as salesforce
from flows.crms import SERVED, Crm, shared_out
from kammodel.errors import KamError

BOTH = tuple(Crm)
WHOLE = {"pipeline_stages", "exchange_rates"}


def test_what_each_has_is_what_its_connector_declares() -> None:
    """And what it reads whole beside."""
    theirs = {one.name for one in salesforce.declared("x", many_currencies=True, insist=False)}
    others = {one.name for one in hubspot.declared("x", "UTC", many_currencies=True, insist=False)}
    assert SERVED[Crm.salesforce] == theirs | WHOLE
    assert SERVED[Crm.hubspot] == others | WHOLE | {hubspot.OWNERS_NAME}


def test_all_read_all_where_nothing_is_named() -> None:
    """No name is left out, and nobody is told of anything."""
    sharing = shared_out(BOTH, ())
    assert (sharing.streams, sharing.passed_over) == ({"salesforce": (), "hubspot": ()}, ())


def test_each_reads_what_it_has() -> None:
    """One that lacks a part reads the rest; one that has nothing of it reads nothing."""
    some = shared_out(BOTH, ("accounts", "cases"))
    assert some.streams == {"salesforce": ("accounts", "cases"), "hubspot": ("accounts",)}
    assert some.passed_over == ("hubspot: it has no cases; accounts alone",)
    calls = shared_out(BOTH, ("tickets", "calls"))
    assert (calls.streams, calls.crms) == ({"hubspot": ("tickets", "calls")}, ("hubspot",))
    assert calls.passed_over == ("salesforce: passed over, it has no tickets, calls",)


def test_what_nobody_has_is_refused() -> None:
    """Though others were named beside it; with what there is to choose from."""
    with pytest.raises(KamError, match=r"no stream named deals: salesforce has .*, cases, .*; hubspot has .*, tickets"):
        shared_out(BOTH, ("accounts", "deals"))


def test_one_alone_says_itself_what_it_lacks() -> None:
    """What an org has beside is known to it only."""
    sharing = shared_out(("hubspot",), ("cases",))
    assert (sharing.streams, sharing.passed_over) == ({"hubspot": ("cases",)}, ())
