"""Watchlists: every row is watched, told with its reference, and a wrong file is refused by row and column."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from configuration import load_configuration
from errors import ConfigurationError
from pipeline.alerts import watchlist_files
from pipeline.alerts.rules import Rules
from pipeline.alerts.watchlists import Watchlist, read_watchlist
from tests.notices import make_record

TABLE = """name,aliases,kind,reference
杭州澄禾科技有限公司,澄禾; Chenghe,client,M-2026-014
ZL201410123456.7,,patent,P-7
（2022）粤0192民初2187号,,matter,L-3
雾语,,mark,
"""


def watchlist(folder: Path, table: str | bytes, **changes: Any) -> Watchlist:
    file = folder / "clients.csv"
    file.write_bytes(table if isinstance(table, bytes) else table.encode())
    return Watchlist.model_validate(
        {"name": "Clients", "file": file, "send": [{"channel": "log"}], **changes}
    )


def told(listed: Watchlist, body: str, title: str = "通知") -> list[str]:
    rules = Rules(read_watchlist(listed))
    return [match.rule for match in rules(make_record(1, title=title, body=body), "new")]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("原告澄禾公司胜诉。", ["Clients: 杭州澄禾科技有限公司 (M-2026-014)"]),
        ("CHENGHE wins.", ["Clients: 杭州澄禾科技有限公司 (M-2026-014)"]),
        ("專利號ZL201410123456.7無效。", ["Clients: ZL201410123456.7 (P-7)"]),
        ("In (2022) Yue 0192 Min Chu No. 2187 the court ruled.", ["Clients: （2022）粤0192民初2187号 (L-3)"]),
        ("「霧語」商標", ["Clients: 雾语"]),
        ("澄禾与雾语", ["Clients: 杭州澄禾科技有限公司 (M-2026-014)", "Clients: 雾语"]),
        ("别家公司", []),
    ],
)
def test_a_row_is_told_with_its_reference_in_any_form_of_its_names(
    tmp_path: Path, body: str, expected: list[str]
) -> None:
    assert told(watchlist(tmp_path, TABLE), body) == expected


def test_a_list_may_ask_for_more_than_the_name(tmp_path: Path) -> None:
    listed = watchlist(tmp_path, TABLE, query="商标 -专利")
    assert told(listed, "雾语商标") == ["Clients: 雾语"]
    assert told(listed, "雾语商标与专利") == []


def test_a_table_as_spreadsheets_save_it_is_taken(tmp_path: Path) -> None:
    listed = watchlist(tmp_path, "\ufeffName,Reference\r\n雾语,7\r\n,\r\n".encode())
    assert told(listed, "雾语") == ["Clients: 雾语 (7)"]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("", "row 1: a column “name” is missing"),
        ("title\nx", "row 1: a column “name” is missing"),
        ("name,colour\nxx,red", "row 1, column 2: 'colour' is no column"),
        ("name,name\nxx,yy", "row 1, column 2: 'name' stands there twice"),
        ("name\n", "has no row below its header"),
        ("name,kind\n雾语,mark\n澄禾,firm", "row 3, column kind: 'firm' is none; there are client"),
        ("name,aliases\n雾语,语", "row 2, column aliases: '语' is too short"),
        ("name,aliases\n,雾语", "row 2, column name: '' is too short"),
        ("name,kind\n雾语", "row 2: has 1 cells, its header 2"),
        ("name\n雾语\n雾语", "row 3, column name: '雾语' stands there twice"),
        ("name\n" + "雾" * 300, "row 2, columns name and reference: are too long"),
        ('name\n"雾语', "row 2: can't be read"),
        ("name\n雾语".encode("gb18030"), "is not in UTF-8"),
        ("name\n雾\0语", "row 2, column 1: holds U\\+0000, which is no character"),
    ],
)
def test_a_wrong_table_is_refused_by_row_and_column(tmp_path: Path, table: str | bytes, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        read_watchlist(watchlist(tmp_path, table))
    assert str(caught.value).startswith(str(tmp_path / "clients.csv"))


@pytest.mark.parametrize("separator", ["\n", "\r\n", "\x0b", "\x85", "\u2028"])
def test_a_line_that_ends_in_a_cell_ends_no_row(tmp_path: Path, separator: str) -> None:
    listed = watchlist(tmp_path, f'name,reference\n"雾语{separator}公司",7\n'.encode())
    assert [rule.name for rule in read_watchlist(listed)] == ["Clients: 雾语 公司 (7)"]


def workbook(folder: Path, *sheets: list[list[Any]], formats: dict[str, str] | None = None) -> Watchlist:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for rows in sheets:
        sheet = book.create_sheet()
        for row in rows:
            sheet.append(row)
        for cell, number_format in (formats or {}).items():
            sheet[cell].number_format = number_format
    book.save(folder / "clients.xlsx")
    return Watchlist.model_validate(
        {"name": "Clients", "file": folder / "clients.xlsx", "send": [{"channel": "log"}]}
    )


def test_a_spreadsheet_is_taken_as_it_shows(tmp_path: Path) -> None:
    table = [["Name ", "reference", None], ["雾语", 2026014], [None, None], ["澄禾\n公司", " M-7 ", None]]
    listed = workbook(tmp_path, table, [])
    assert told(listed, "雾语与澄禾公司") == ["Clients: 雾语 (2026014)"]
    assert [rule.name for rule in read_watchlist(listed)][1] == "Clients: 澄禾 公司 (M-7)"


@pytest.mark.parametrize(
    ("cell", "number_format", "words"),
    [
        ("=1+1", "General", "row 2, column 2: holds a formula; format the cell as text"),
        ("#N/A", "General", "row 2, column 2: holds an error"),
        (date(2026, 1, 2), "yyyy-mm-dd", "row 2, column 2: holds a date"),
        (True, "General", "row 2, column 2: holds a truth value"),
        (0.5, "General", "row 2, column 2: holds a number that may show otherwise"),
        (7, "0000", "row 2, column 2: holds a number that may show otherwise"),
        (1234567890123456, "0", "row 2, column 2: holds a number that has lost digits"),
        ("雾_x0000_语", "General", "row 2, column 2: holds U\\+0000, which is no character"),
        ("雾_xD800_语", "General", "row 2, column 2: holds U\\+D800, which is no character"),
    ],
)
def test_what_a_cell_does_not_show_is_refused_by_its_place(
    tmp_path: Path, cell: object, number_format: str, words: str
) -> None:
    listed = workbook(tmp_path, [["name", "reference"], ["雾语", cell]], formats={"B2": number_format})
    with pytest.raises(ConfigurationError, match=words):
        read_watchlist(listed)


def test_a_workbook_that_is_not_one_table_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for sheets, words in (
        (([["name"], ["雾语"]], [["name"], ["澄禾"]]), "has 2 sheets that hold something; leave one"),
        (([["name"], ["雾语", "x"]],), "row 2: has 2 cells, its header 1"),
        (([],), "row 1: a column “name” is missing"),
    ):
        with pytest.raises(ConfigurationError, match=words):
            read_watchlist(workbook(tmp_path, *sheets))
    listed = workbook(tmp_path, [["name"], ["雾语"]])
    whole = listed.file.read_bytes()
    flipped = bytearray(whole)
    start = whole.index(b"xl/worksheets/sheet1.xml") + len("xl/worksheets/sheet1.xml")
    flipped[start : start + 20] = b"\xff" * 20
    for damaged in (b"name", whole[:-200], whole.replace(b"xl/workbook.xml", b"xl/workbook.xmx"), flipped):
        listed.file.write_bytes(damaged)
        with pytest.raises(ConfigurationError, match="is no XLSX file that can be read"):
            read_watchlist(listed)
    book = openpyxl.load_workbook(io.BytesIO(whole))
    book.create_chartsheet()
    book.save(listed.file)
    with pytest.raises(ConfigurationError, match="save the table as “CSV UTF-8” instead"):
        read_watchlist(listed)
    listed.file.write_bytes(whole)
    monkeypatch.setattr(watchlist_files, "MOST_BYTES", 700)
    with pytest.raises(ConfigurationError, match="is larger than"):
        read_watchlist(listed)


def test_a_list_tells_as_a_rule_does(tmp_path: Path) -> None:
    second = {"channel": "boss", "after": 30}
    rule, *_ = read_watchlist(
        watchlist(tmp_path, TABLE, earlier=True, escalate=second, storm=5, storm_minutes=7)
    )
    assert rule.escalate is not None
    assert (rule.earlier, rule.escalate.channel, rule.storm, rule.storm_minutes) == (True, "boss", 5, 7)
    with pytest.raises(ValueError, match="names one of the recipients in send"):
        watchlist(tmp_path, TABLE, escalate={"channel": "log", "after": 30})


def test_a_watchlist_of_the_configuration_lies_beside_it_and_is_checked_with_it(tmp_path: Path) -> None:
    (tmp_path / "clients.csv").write_text(TABLE, encoding="utf-8")
    file = tmp_path / "iprwatch.toml"
    text = (
        '[channels.log]\nkind = "file"\npath = "a"\n[[watchlists]]\nname = "Clients"\nfile = "clients.csv"\n'
    )
    file.write_text(text + 'send = [{ channel = "log" }]\n', encoding="utf-8")
    assert len(load_configuration(file).all_rules()) == 4
    for wrong, words in (
        (text + 'send = [{ channel = "mail" }]', "no channel is called 'mail'"),
        (text.replace("clients.csv", "none.csv") + 'send = [{ channel = "log" }]', "can't be read"),
        (text.replace("clients.csv", "none.ods") + 'send = [{ channel = "log" }]', "is no CSV or XLSX file"),
        (text + 'query = "(商标"\nsend = [{ channel = "log" }]', "not closed"),
    ):
        file.write_text(wrong, encoding="utf-8")
        with pytest.raises(ConfigurationError, match=words):
            load_configuration(file)
