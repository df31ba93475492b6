"""Courts that the operator adds to the table of court codes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from configuration import load_configuration
from errors import ConfigurationError
from pipeline.legal import find_facts
from pipeline.legal.court_codes import extend_court_codes, find_court
from pipeline.legal.tables import read_table

ENTRY = 'level = "basic", zh = "广东省某某互联网法院", en = "Moumou Internet Court", source = "https://example.com/1"'


@pytest.fixture(autouse=True)
def _built_in_table_afterwards() -> Iterator[None]:
    yield
    extend_court_codes(None)


def write(folder: Path, text: str) -> Path:
    file = folder / "my-courts.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_an_unknown_code_is_the_court_that_the_operator_names(tmp_path: Path) -> None:
    (before,) = (fact for fact in find_facts("（2026）粤0199民初1号") if fact.kind == "case_number")
    assert before.value["court_zh"] is None
    extend_court_codes(write(tmp_path, f'[courts]\n"粤0199" = {{ {ENTRY} }}'))
    (fact,) = (fact for fact in find_facts("（2026）粤0199民初1号") if fact.kind == "case_number")
    assert fact.value["court_zh"] == "广东省某某互联网法院"
    assert (fact.value["court_region"], fact.value["court_method"]) == ("广东", "operator")


@pytest.mark.parametrize("name", ["广东省某某互联网法院", "the Moumou Internet Court"])
def test_an_added_court_is_found_by_its_name(name: str, tmp_path: Path) -> None:
    assert find_facts(name) == []
    extend_court_codes(write(tmp_path, f'[courts]\n"粤0199" = {{ {ENTRY} }}'))
    assert [fact.value["court_code"] for fact in find_facts(name) if fact.kind == "court"] == ["粤0199"]


def test_an_entry_goes_before_a_derived_court_and_none_is_left_of_an_earlier_file(tmp_path: Path) -> None:
    derived = find_court("粤0703")
    assert derived is not None
    assert derived.method == "derived"
    extend_court_codes(write(tmp_path, f'[courts]\n"粤0703" = {{ {ENTRY} }}'))
    added = find_court("粤0703")
    assert added is not None
    assert (added.name_zh, added.method) == ("广东省某某互联网法院", "operator")
    extend_court_codes(write(tmp_path, ""))
    assert find_court("粤0703") == derived


def test_a_court_of_the_table_is_replaced_only_when_the_entry_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"courts\.京73.*北京知识产权法院.*replace = true"):
        extend_court_codes(write(tmp_path, f'[courts]\n"京73" = {{ {ENTRY} }}'))
    extend_court_codes(write(tmp_path, f'[courts]\n"京73" = {{ {ENTRY}, replace = true }}'))
    court = find_court("京73")
    assert court is not None
    assert court.name_zh == "广东省某某互联网法院"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[courts", "not a TOML file"),
        ("[provinces]", "provinces: there is no such key"),
        ("courts = 1", "courts: a table was expected, not 1"),
        (f'[courts]\n"Yue 1" = {{ {ENTRY} }}', "courts.Yue 1: a code is a province's character"),
        ('[courts]\n"粤0199" = ["basic"]', "courts.粤0199: a table was expected"),
        (f'[courts]\n"粤0199" = {{ {ENTRY}, town = "x" }}', "courts.粤0199.town: there is no such key"),
        ('[courts]\n"粤0199" = { level = "basic", zh = "某法院" }', "courts.粤0199.source: is missing"),
        ('[courts]\n"粤0199" = { level = 1 }', "courts.粤0199.level: a text was expected, not 1"),
        (f'[courts]\n"粤0199" = {{ {ENTRY}, replace = "yes" }}', "replace: true or false was expected"),
        (f'[courts]\n"粤0199" = {{ {ENTRY}, replace = true }}', "the built-in table has no court of this"),
        (f'[courts]\n"粤0199" = {{ {ENTRY}, province = "X" }}', "courts.粤0199.province: must be one of"),
        (
            '[courts]\n"粤0199" = { level = "low", zh = "某法院", source = "x" }',
            "courts.粤0199.level: must be one of supreme, high, intermediate, basic, not 'low'",
        ),
        (
            '[courts]\n"粤0199" = { level = "basic", zh = "某局", source = "x" }',
            "courts.粤0199.zh: '某局' is no court's Chinese name",
        ),
        (
            '[courts]\n"粤0199" = { level = "basic", zh = "北京知识产权法院", source = "x" }',
            "courts.粤0199.zh: the court 京73 has that name already",
        ),
    ],
)
def test_a_wrong_file_is_refused_by_name_key_and_fault_and_changes_nothing(
    text: str, fault: str, tmp_path: Path
) -> None:
    file = write(tmp_path, f'[courts]\n"粤0199" = {{ {ENTRY} }}')
    extend_court_codes(file)
    with pytest.raises(ConfigurationError) as caught:
        extend_court_codes(write(tmp_path, text))
    assert str(caught.value).startswith(f"{file}: ")
    assert fault in str(caught.value)
    assert find_court("粤0199") is not None


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.toml: the court codes can't be read"):
        extend_court_codes(tmp_path / "none.toml")


def test_added_courts_are_shown_as_the_operators_with_their_source(tmp_path: Path) -> None:
    built_in = read_table("court_codes")
    extend_court_codes(write(tmp_path, f'[courts]\n"粤0199" = {{ {ENTRY} }}'))
    table = read_table("court_codes")
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    assert len(rows) == len(built_in.rows) + 1
    assert (rows[-1]["section"], rows[-1]["key"], rows[-1]["source"]) == (
        "operator",
        "粤0199",
        "https://example.com/1",
    )


def test_a_rule_may_name_a_court_that_the_configuration_adds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("IPRWATCH_COURT_CODES", raising=False)
    write(tmp_path, f'[courts]\n"粤0199" = {{ {ENTRY} }}')
    file = tmp_path / "iprwatch.toml"
    rule = '[[rules]]\nname = "R"\ncourts = ["广东省某某互联网法院"]\nsend = [{ channel = "screen" }]\n'
    channel = '[channels.screen]\nkind = "console"\n'
    file.write_text(f'court_codes = "my-courts.toml"\n{rule}{channel}', encoding="utf-8")
    assert load_configuration(file).court_codes == tmp_path / "my-courts.toml"
    file.write_text(f"{rule}{channel}", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="广东省某某互联网法院"):
        load_configuration(file)
