"""The mapping file: what it may hold, and that each mistake is one line with file and key."""

from pathlib import Path

import pytest

from connectors.mapping_file import NONE, Choice, MappingInvalid, read_mapping_file

CRMS = ("salesforce", "hubspot")


def written(folder: Path, text: str) -> Path:
    file = folder / "mapping.toml"
    file.write_text(text, "utf-8")
    return file


def test_fields_and_words_by_stream_and_column(tmp_path: Path) -> None:
    """A field's name alone, or with what its values stand for."""
    file = written(
        tmp_path,
        '[salesforce.accounts]\nstrategic_value = "Rating__c"\n[salesforce.opportunities]\n'
        'kind = {field = "Deal_Type__c", words = {"Neugeschäft" = "new"}}\n',
    )
    (found,) = read_mapping_file(file, CRMS).values()
    assert (found.crm, found.of("accounts")) == ("salesforce", {"strategic_value": Choice(field="Rating__c")})
    assert found.of("opportunities")["kind"].words == {"Neugeschäft": "new"}
    assert found.of("tasks") == NONE.of("accounts") == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[salesforce", "is no TOML"),
        ("salesforce = 1", r"mapping.toml, salesforce: a section is needed, such as \[salesforce.accounts\]"),
        ('[salesforce]\naccounts = "x"', "salesforce.accounts: a section is needed"),
        ('[salesforce.accounts]\n"" = 3', r"salesforce.accounts.: a field's name is needed"),
        ('[salesforce.accounts]\ntype = ""', "salesforce.accounts.type.field: a field's name is needed"),
        ("[salesforce.accounts]\ntype = {words = {}}", "salesforce.accounts.type.field: a field's name is needed"),
        ('[salesforce.accounts]\ntype = {field = "x", word = 1}', "type.word: only field and words may stand here"),
        ('[salesforce.accounts]\ntype = {field = "x", words = {a = 1}}', "type.words.a: a field's name is needed"),
        ('[salesforce.accounts]\n"a\\nb" = 1', r"salesforce\.accounts\.a\\nb: "),
        ('[sales_force.accounts]\ntype = "x"', "sales_force: there is no such CRM; did you mean salesforce?"),
        ('[zoho.accounts]\ntype = "x"', "zoho: there is no such CRM; known are hubspot, salesforce"),
    ],
)
def test_a_file_of_another_shape_is_refused(tmp_path: Path, text: str, told: str) -> None:
    """Exit 3; the values of the file are not repeated."""
    file = written(tmp_path, text)
    with pytest.raises(MappingInvalid, match=told) as caught:
        read_mapping_file(file, CRMS)
    assert caught.value.exit_code == 3
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_names_the_variable(tmp_path: Path) -> None:
    """Missing, or no text."""
    with pytest.raises(MappingInvalid, match=r"nowhere\.toml \(KAM_MAPPING_FILE\) cannot be read: No such file"):
        read_mapping_file(tmp_path / "nowhere.toml", CRMS)
    (tmp_path / "latin.toml").write_bytes(b"a = '\xe4'")
    with pytest.raises(MappingInvalid, match=r"KAM_MAPPING_FILE\) is not UTF-8 text"):
        read_mapping_file(tmp_path / "latin.toml", CRMS)


def test_unknown_streams_are_refused(tmp_path: Path) -> None:
    """The nearest stream is offered."""
    (found,) = read_mapping_file(written(tmp_path, '[salesforce.acounts]\ntype = "x"'), CRMS).values()
    with pytest.raises(MappingInvalid, match=r"salesforce\.acounts: there is no such stream; did you mean accounts\?"):
        found.check_streams(["accounts", "tasks"])
