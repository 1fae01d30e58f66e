"""Faults: each stands in the tree that its module draws, and ends the program with the stated code."""

import inspect
import re
from types import ModuleType

import pytest

import connectors.errors
import kammodel.errors
from connectors.errors import AnswerUnclear, ConnectorError, FieldsNotProvisioned, TryAgainLater
from kammodel.errors import KamError, NotConfigured

MODULES = (kammodel.errors, connectors.errors)


def drawn(module: ModuleType) -> dict[str, str]:
    """Class -> parent as the module's docstring draws them, by indentation."""
    parents: dict[str, str] = {}
    above = [(0, "KamError")]
    for branch, name in re.findall(r"^([│├└─ ]+)([A-Z]\w+)", module.__doc__ or "", flags=re.MULTILINE):
        above = [a for a in above if a[0] < len(branch)]
        parents[name] = above[-1][1]
        above.append((len(branch), name))
    return parents


def defined(module: ModuleType) -> dict[str, type[KamError]]:
    classes = inspect.getmembers(module, inspect.isclass)
    return {name: c for name, c in classes if issubclass(c, KamError) and c.__module__ == module.__name__}


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__)
def test_every_fault_is_drawn_and_every_drawn_fault_exists(module: ModuleType) -> None:
    """A new class must be put into the tree, where one looks up what to do next."""
    assert set(drawn(module)) == set(defined(module)) - {"KamError"}


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__)
def test_the_tree_is_drawn_as_it_is(module: ModuleType) -> None:
    """The first base of a class is its parent in the drawing."""
    classes = defined(module)
    assert {name: classes[name].__base__.__name__ for name in drawn(module)} == drawn(module)


def test_a_missing_class_would_be_noticed() -> None:
    """The reader of the drawing sees depth: a check that cannot fail is none."""
    module = ModuleType("made_up")
    module.__doc__ = "Faults.\n\nKamError   1\n├── Up   x\n│   └── Down   y\n└── Out   z\n\nAnother one.\n"
    assert drawn(module) == {"Up": "KamError", "Down": "Up", "Out": "KamError"}


def test_exit_codes() -> None:
    """3 for what has to be set up first, 1 for the rest: those that the drawing of kammodel.errors states."""
    stated = dict(re.findall(r"([A-Z]\w+) +([13])  ", kammodel.errors.__doc__ or ""))
    three = dict.fromkeys(("NotConfigured", "PolicyInvalid", "GivenInvalid", "StoreNewer"), "3")
    assert stated == {"KamError": "1", **three, "StoreUnusable": "1"}
    assert {name: str(c.exit_code) for name, c in defined(kammodel.errors).items()} == stated
    of_crms = {name for name, c in defined(connectors.errors).items() if c.exit_code == 3}
    assert of_crms == {"FieldsNotProvisioned"}


def test_missing_fields_are_a_matter_of_setup_and_of_the_crm() -> None:
    """Whoever catches either kind catches it."""
    assert issubclass(FieldsNotProvisioned, ConnectorError)
    assert issubclass(FieldsNotProvisioned, NotConfigured)


def test_vendor_facts_travel_with_the_fault() -> None:
    """Code, status and wait are for programs, the text for a person."""
    fault = AnswerUnclear("cut", code="X", status=200, after=3.0)
    assert (str(fault), fault.code, fault.status, fault.after) == ("cut", "X", 200, 3.0)
    assert isinstance(fault, TryAgainLater)
    bare = ConnectorError("no")
    assert (bare.code, bare.status) == (None, None)
