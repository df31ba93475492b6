"""Exports over HTTP: the same bytes as a file on disk, in parts, and refused before the first of them."""

from __future__ import annotations

import io
import re
import threading
from typing import BinaryIO

import openpyxl
import pytest
from sqlalchemy import Engine

from pipeline.store.write import write_records
from query.api import streaming
from query.api.streaming import stream
from query.export.whole import FORMATS, write_export
from query.search import find_conditions
from tests.api.conftest import Ask
from tests.notices import make_record


@pytest.fixture
def filled(store: Engine) -> Engine:
    write_records(store, [make_record(number) for number in range(1, 4)])
    return store


def test_what_is_sent_is_what_is_written(filled: Engine, ask: Ask) -> None:
    client = ask()
    for form in FORMATS:
        answer = client.get("/api/v1/export", params={"format": form, "q": "商标"})
        assert answer.status_code == 200, answer.text
        assert "etag" not in answer.headers
        assert re.fullmatch(
            r'attachment; filename="iprwatch-\d{4}-\d\d-\d\d\.[a-z]{2,7}"',
            answer.headers["content-disposition"],
        )
        if form == "xlsx":
            sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
            assert sheet is not None
            assert sheet.max_row == 4
        else:
            written = io.BytesIO()
            write_export(filled, find_conditions(filled.dialect.name), written, format=form)
            assert answer.content == written.getvalue(), form
    assert (
        client.get("/api/v1/export?format=csv").headers["content-type"].startswith("text/csv; charset=utf-8")
    )


def test_rows_columns_and_filters_are_those_asked_for(filled: Engine, ask: Ask) -> None:
    asked = {"format": "csv", "rows": "facts", "columns": ["kind", "raw"], "q": "第2号", "limit": 1}
    lines = ask().get("/api/v1/export", params=asked).text.splitlines()
    assert lines[0] == '\ufeff"kind","raw"'
    assert '"amount","2万元"' in lines


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, "format"),
        ({"format": "doc"}, "format"),
        ({"format": "csv", "columns": "none"}, "No column of items is called 'none'"),
        ({"format": "ris", "rows": "facts"}, "a form of its own"),
        ({"format": "csv", "q": "("}, "q, character"),
        ({"format": "csv", "saved": "none"}, "no search is saved"),
    ],
)
def test_what_can_not_be_exported_is_refused(
    filled: Engine, ask: Ask, asked: dict[str, str], words: str
) -> None:
    refused = ask().get("/api/v1/export", params=asked)
    assert refused.status_code == 422
    assert words in refused.json()["detail"]


def test_an_export_needs_the_scope_read(filled: Engine, ask: Ask) -> None:
    assert ask("feed").get("/api/v1/export?format=csv").status_code == 403
    assert ask("read").get("/api/v1/export?format=csv").status_code == 200


def test_head_says_what_would_come(filled: Engine, ask: Ask) -> None:
    answer = ask().head("/api/v1/export?format=csv")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"].startswith("text/csv")


def test_only_two_are_written_at_a_time(filled: Engine, ask: Ask) -> None:
    full = threading.Semaphore(0)
    assert ask(exports=full).get("/api/v1/export?format=csv").status_code == 503
    one = threading.Semaphore(1)
    client = ask(exports=one)
    for form in ("csv", "csv&columns=none", "xlsx"):
        assert client.get(f"/api/v1/export?format={form}").status_code in (200, 422)
    assert one.acquire(timeout=5)


def test_what_fails_on_the_way_fails_for_the_reader() -> None:
    def write(file: BinaryIO) -> None:
        file.write(b"x" * 100_000)
        raise ValueError("the disk is full")

    chunks = stream(write)
    assert next(chunks) == b"x" * 100_000
    with pytest.raises(ValueError, match="disk is full"):
        next(chunks)


def test_a_reader_that_goes_ends_the_writing(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()

    def write(file: BinaryIO) -> None:
        try:
            while True:
                file.write(b"x" * 100_000)
        finally:
            ended.set()

    monkeypatch.setattr(streaming, "_WAITING", 1)
    chunks = stream(write)
    next(chunks)
    chunks.close()
    assert ended.wait(timeout=10)
