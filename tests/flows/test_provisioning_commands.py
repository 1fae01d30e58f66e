"""`kam provision` with its trial and its removal, and what `kam check` says beforehand, against two served CRMs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from connectors.sandbox.company import ServedCompany
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.settings import NIGHTLY_PERMISSIONS, ValidationRule
from flows.cli.app import app
from flows.cli.provisioning import cannot
from kammodel.errors import KamError
from tests.flows.kam_command import kam
from tests.pipeline.scripted import ScriptedConnector


def our_properties(crms: ServedCompany) -> int:
    portal = crms.company.portal
    assert portal is not None
    return sum(one.name.startswith("kam_") for one in portal.catalog.all(portal.known("companies")))


def typing(line: str, *arguments: str) -> Result:
    """A command, and what a person answers it."""
    return CliRunner().invoke(app, list(arguments), input=line)


def the_org(crms: ServedCompany) -> Org:
    assert crms.company.org is not None
    return crms.company.org


def our_fields(crms: ServedCompany) -> int:
    return sum(field.name.startswith("KAM_") for field in the_org(crms).table("Account").fields)


def test_a_trial_is_told_as_one(crms: ServedCompany) -> None:
    """Exit 0, what would be made by name, and nothing made, in both CRMs."""
    ended = kam("provision", "--dry-run")
    assert ended.exit_code == 0, ended.output
    assert "tried only, nothing was changed" in ended.stdout
    assert "list view created: KAM_Key_Accounts" in ended.stdout
    assert "layout left alone: acmebill__Billing Layout: it belongs to the package acmebill" in ended.stdout
    assert "property group created: kam" in ended.stdout
    assert our_fields(crms) == our_properties(crms) == 0
    told = json.loads(kam("provision", "--crm", "salesforce", "--dry-run", "--json").stdout)["salesforce"]
    assert (len(told["created"]), told["dry_run"], told["findings"]) == (18, True, [])


def test_provisioning_says_what_it_did_and_a_second_time_that_it_did_nothing(crms: ServedCompany) -> None:
    """Fields, list view, permission sets, layouts and the assignment; then one line."""
    first = kam("provision", "--crm", "salesforce", "--no-layouts")
    assert "created: KAM_Tier__c" in first.stdout
    assert "permission set created: KAM_Integration, KAM_Reader" in first.stdout
    assert "layout" not in first.stdout.split("where the Account page")[0]
    second = kam("provision", "--crm", "salesforce")
    assert "layout changed: Account Layout, Partner (EMEA) Layout" in second.stdout
    third = kam("provision", "--crm", "salesforce")
    assert "nothing to do: everything is there as it shall be" in third.stdout


def test_what_is_in_the_way_ends_with_3_and_one_line(crms: ServedCompany) -> None:
    """Every permission by name, before anything is written; check says it too."""
    the_org(crms).settings.permissions = NIGHTLY_PERMISSIONS
    ended = kam("provision", "--crm", "salesforce")
    assert (ended.exit_code, ended.stderr.count("\n")) == (3, 1)
    for name in ("View Setup", "Assign Permission Sets", "Modify Metadata"):
        assert name in ended.stderr
    checked = kam("check")
    assert checked.exit_code == 3
    assert "error: the user that provisions lacks the permission Assign Permission Sets" in checked.stdout


def test_check_names_what_a_run_will_set_off(crms: ServedCompany) -> None:
    """As a warning, which does not make it fail; what only provisioning needs is not told once that is done."""
    org = the_org(crms)
    org.settings.validation_rules.append(ValidationRule("Account", bool, name="Needs_Industry"))
    assert kam("provision").exit_code == 0
    checked = kam("check")
    assert checked.exit_code == 0, checked.output
    assert "warning: active validation rules on Account" in " ".join(checked.stdout.split())
    assert "Needs_Industry" in checked.stdout
    found = {crm["crm"]: crm for crm in json.loads(kam("check", "--json").stdout)["crms"]}
    assert [one["grade"] for one in found["salesforce"]["findings"]] == ["warning"]


def test_removing_shows_asks_and_removes(crms: ServedCompany) -> None:
    """Nothing goes without a typed yes; afterwards there is nothing, and that is said."""
    assert kam("provision", "--crm", "salesforce").exit_code == 0
    shown = typing("no\n", "provision", "--crm", "salesforce", "--remove")
    assert shown.exit_code == 1
    assert "field KAM_Score__c: 0 accounts hold a value" in shown.stdout
    assert "permission set KAM_Reader" in shown.stdout
    assert "our fields on the layout Account Layout" in shown.stdout
    assert "nothing was removed" in shown.stderr
    nobody = typing("", "provision", "--crm", "salesforce", "--remove")
    assert (nobody.exit_code, "--yes" in nobody.stderr) == (1, True)
    assert our_fields(crms) == 18
    assert typing("yes\n", "provision", "--crm", "salesforce", "--remove").exit_code == 0
    assert our_fields(crms) == 0
    again = kam("provision", "--crm", "salesforce", "--remove", "--yes")
    assert (again.exit_code, "nothing of kam is there" in again.stdout) == (0, True)


def test_removal_for_programs_and_as_a_trial(crms: ServedCompany) -> None:
    """JSON cannot ask; a trial removes nothing."""
    assert kam("provision").exit_code == 0
    assert kam("provision", "--crm", "salesforce", "--remove", "--json").exit_code == 2
    tried = json.loads(kam("provision", "--remove", "--dry-run", "--json").stdout)
    assert (tried["salesforce"]["removed"], len(tried["salesforce"]["fields"])) == (False, 18)
    assert (tried["hubspot"]["removed"], len(tried["hubspot"]["fields"])) == (False, 18)
    assert our_fields(crms) == our_properties(crms) == 18
    done = json.loads(kam("provision", "--crm", "salesforce", "--remove", "--yes", "--json").stdout)["salesforce"]
    assert (done["removed"], our_fields(crms)) == (True, 0)


def test_hubspot_is_tried_and_cleared_too(crms: ServedCompany) -> None:
    """What goes is shown with the companies that hold a value; afterwards there is nothing."""
    assert kam("provision", "--crm", "hubspot").exit_code == 0
    shown = typing("no\n", "provision", "--crm", "hubspot", "--remove")
    assert (shown.exit_code, our_properties(crms)) == (1, 18)
    assert "field kam_score: 0 accounts hold a value" in shown.stdout
    assert "property group kam" in shown.stdout
    assert kam("provision", "--crm", "hubspot", "--remove", "--yes").exit_code == 0
    again = kam("provision", "--crm", "hubspot", "--remove", "--yes")
    assert (again.exit_code, "nothing of kam is there" in again.stdout, our_properties(crms)) == (0, True, 0)


def test_a_scope_in_the_way_ends_with_3(crms: ServedCompany) -> None:
    """Before anything is made; check says it too, with what it stops."""
    portal = crms.company.portal
    assert portal is not None
    portal.settings.scopes -= {"crm.schemas.companies.write"}
    ended = kam("provision", "--crm", "hubspot")
    assert (ended.exit_code, ended.stderr.count("\n")) == (3, 1)
    assert "the token lacks the scope crm.schemas.companies.write" in ended.stderr
    checked = kam("check")
    assert checked.exit_code == 3
    assert "error: the token lacks the scope crm.schemas.companies.write" in " ".join(checked.stdout.split())


def test_a_crm_without_a_way_is_a_fault_only_where_it_was_asked_for_alone() -> None:
    """Asked for by name, it is no silence; beside others it is left out."""
    assert cannot(ScriptedConnector(), "--remove", alone=False)
    with pytest.raises(KamError, match="scripted has no --remove: kam provision --out DIR shows"):
        cannot(ScriptedConnector(), "--remove", alone=True)


def test_out_goes_alone(tmp_path: Path) -> None:
    """Files are written for an admin; there is nothing to try or to remove by them."""
    assert kam("provision", "--out", str(tmp_path / "x"), "--remove").exit_code == 2
    assert not (tmp_path / "x").exists()
