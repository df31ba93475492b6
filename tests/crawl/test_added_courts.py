"""Courts that the operator adds hold in every command that reads facts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.legal.court_codes import extend_court_codes
from tests.command import iprwatch

NAME = "广东省某某互联网法院"


@pytest.fixture
def courts(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "my-courts.toml"
    file.write_text(
        f'[courts]\n"粤0199" = {{ level = "basic", zh = "{NAME}", source = "https://example.com/1" }}',
        encoding="utf-8",
    )
    yield file
    extend_court_codes(None)


def test_commands_know_them_and_show_them(courts: Path) -> None:
    (courts.parent / "iprwatch.toml").write_text('court_codes = "my-courts.toml"', encoding="utf-8")
    printed = iprwatch("inspect", "facts", cwd=courts.parent, stdin="（2026）粤0199民初1号").out
    assert [json.loads(line)["value"]["court_zh"] for line in printed.splitlines()] == [NAME]
    rows = iprwatch("tables", "court_codes", "--json", cwd=courts.parent).json["rows"]
    assert [row["section"] for row in rows if row["key"] == "粤0199"] == ["operator"]


def test_a_wrong_file_is_told_by_every_command_that_reads_facts(courts: Path) -> None:
    courts.write_text('[courts]\n"粤0199" = { level = "low" }', encoding="utf-8")
    for command in (("inspect", "facts"), ("search",), ("reparse",), ("crawl",), ("tables", "court_codes")):
        ran = iprwatch(*command, cwd=courts.parent, stdin="", IPRWATCH_COURT_CODES=str(courts))
        assert ran.code != 0
        assert "my-courts.toml: courts.粤0199" in "".join(ran.err.split("\n"))
