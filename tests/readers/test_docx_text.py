"""The text of DOCX files: paragraphs, tables, and files that have none."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.readers import docx_text
from crawlers.readers.docx_text import read_docx_text

_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def make_docx(inside: str, *, before: str = "", name: str = "word/document.xml") -> bytes:
    """A DOCX file with this markup as its body."""
    source = f"<?xml version='1.0' encoding='UTF-8'?>{before}<w:document xmlns:w='{_WORD}'><w:body>{inside}</w:body></w:document>"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(name, source)
    return file.getvalue()


def paragraph(*runs: str) -> str:
    return "<w:p>" + "".join(f"<w:r><w:t>{run}</w:t></w:r>" for run in runs) + "</w:p>"


def row(*cells: str) -> str:
    return "<w:tr>" + "".join(f"<w:tc>{cell}</w:tc>" for cell in cells) + "</w:tr>"


def test_runs_of_a_paragraph_are_one_line() -> None:
    assert read_docx_text(make_docx(paragraph("关于商标", "代理的通知") + paragraph("第二段"))) == (
        "关于商标代理的通知\n第二段"
    )


def test_a_row_of_a_table_is_a_line_of_cells() -> None:
    table = (
        "<w:tbl>"
        + row(paragraph("序号"), paragraph("专利号"))
        + row(paragraph("1"), paragraph("甲", "乙"))
        + "</w:tbl>"
    )
    assert read_docx_text(make_docx(table + paragraph("附注"))) == "序号\t专利号\n1\t甲乙\n附注"


def test_paragraphs_of_a_cell_do_not_break_its_row() -> None:
    table = "<w:tbl>" + row(paragraph("上") + paragraph("下"), paragraph("右")) + "</w:tbl>"
    assert read_docx_text(make_docx(table)) == "上 下\t右"


def test_a_break_inside_a_paragraph_starts_a_line() -> None:
    assert read_docx_text(make_docx("<w:p><w:r><w:t>甲</w:t><w:br/><w:t>乙</w:t></w:r></w:p>")) == "甲\n乙"


def test_text_that_a_tracked_change_deleted_is_left_out() -> None:
    deleted = "<w:del><w:r><w:delText>旧</w:delText><w:t>旧</w:t></w:r></w:del>"
    assert read_docx_text(make_docx(f"<w:p>{deleted}<w:r><w:t>新</w:t></w:r></w:p>")) == "新"


def test_a_file_with_a_document_type_is_refused() -> None:
    body = make_docx(paragraph("&a;"), before="<!DOCTYPE w:document [<!ENTITY a '商标'>]>")
    assert read_docx_text(body) is None


def test_a_file_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    body = make_docx(paragraph("商" * 1000))
    assert read_docx_text(body) is not None
    monkeypatch.setattr(docx_text, "_MOST_BYTES", 2000)
    assert read_docx_text(body) is None


def test_a_file_that_states_less_than_it_unpacks_to_is_refused() -> None:
    body = make_docx(paragraph("商" * 1000))
    at = body.rindex(b"PK\x01\x02")  # the document's entry of the directory: its size stands 24 bytes on
    assert read_docx_text(body[: at + 24] + (10).to_bytes(4, "little") + body[at + 28 :]) is None


@pytest.mark.parametrize(
    ("limit", "value"), [("_MOST_ELEMENTS", 1000), ("_MOST_CHARACTERS", 999), ("_MOST_FILES", 1)]
)
def test_of_a_file_with_too_much_in_it_nothing_is_read(
    monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    body = make_docx(paragraph(*"商" * 1000))
    assert read_docx_text(body) is not None
    monkeypatch.setattr(docx_text, limit, value)
    assert read_docx_text(body) is None


def test_a_table_in_a_cell_does_not_break_the_row() -> None:
    inner = "<w:tbl>" + row(paragraph("内一"), paragraph("内二")) + "</w:tbl>"
    table = "<w:tbl>" + row(paragraph("左") + inner, paragraph("右")) + "</w:tbl>"
    assert read_docx_text(make_docx(table)) == "左 内一 内二\t右"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"PK\x03\x04 cut off",
        make_docx(paragraph("商标"))[:-30],
        make_docx(paragraph("商标"))[:-6] + b"\xff\xff\xff\x7f\0\0",
        make_docx(paragraph("商标"), name="xl/workbook.xml"),
        make_docx("<w:p>"),
        make_docx(paragraph("")),
    ],
    ids=["empty", "no directory", "cut off", "directory nowhere", "another format", "broken XML", "no text"],
)
def test_a_file_without_readable_text_has_none(body: bytes) -> None:
    assert read_docx_text(body) is None


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_no_damage_raises(data: st.DataObject) -> None:
    body = bytearray(make_docx(paragraph("关于商标代理的通知")))
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    text = read_docx_text(bytes(body))
    assert text is None or isinstance(text, str)
