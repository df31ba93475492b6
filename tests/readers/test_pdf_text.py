"""The text of PDF files: paragraphs out of lines, and files that have none."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pdf_files import make_pdf, make_pdf_of_content

from crawlers import pdf_process
from crawlers.pdf_process import read_pdf_pages
from crawlers.readers import pdf_text
from crawlers.readers.pdf_text import read_pdf_text

FULL = "人民法院审理侵害商业秘密民事案件时应当依法保护当事人合法权益维"


def test_a_line_that_reaches_the_margin_goes_on_in_the_next() -> None:
    assert read_pdf_text(make_pdf([FULL, "护市场秩序。", "特此公告"])) == f"{FULL}护市场秩序。\n特此公告"


def test_a_full_line_that_ends_a_sentence_ends_a_paragraph() -> None:
    assert read_pdf_text(make_pdf([FULL + "。", "第二段"])) == f"{FULL}。\n第二段"


def test_words_of_an_alphabet_keep_the_space_that_a_line_end_stood_for() -> None:
    lines = ["The court held that the mark of the", "plaintiff was used in good faith."]
    assert read_pdf_text(make_pdf(lines)) == " ".join(lines)


@pytest.mark.parametrize("number", ["3", "- 3 -", "第 3 页", "第3页 共12页", "3 / 12", "— 3 —"])
def test_page_numbers_are_no_text(number: str) -> None:
    assert read_pdf_text(make_pdf([FULL, number], [number, "护市场秩序。"])) == f"{FULL}护市场秩序。"


def test_a_number_within_a_page_is_text() -> None:
    assert read_pdf_text(make_pdf(["赔偿数额（万元）如下，供参考使用：", "32", "特此公告，敬请留意。"])) == (
        "赔偿数额（万元）如下，供参考使用：\n32\n特此公告，敬请留意。"
    )


@pytest.mark.parametrize("body", [b"", b"%PDF-1.7\n", b"not a file at all"])
def test_what_is_no_whole_file_has_no_text(body: bytes) -> None:
    assert read_pdf_text(body) is None


def test_a_page_without_text_has_none() -> None:
    assert read_pdf_text(make_pdf([])) is None


def test_a_stamp_is_not_taken_for_the_text_of_a_scan() -> None:
    assert read_pdf_text(make_pdf(["20261112"])) is None


def test_of_a_file_with_too_many_pages_no_part_passes_for_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_text, "_MOST_PAGES", 1)
    assert read_pdf_text(make_pdf([FULL])) == FULL
    assert read_pdf_text(make_pdf([FULL], [FULL])) is None


def test_of_a_file_with_too_much_text_no_part_passes_for_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_text, "_MOST_CHARACTERS", len(FULL))
    assert read_pdf_text(make_pdf([FULL, "护市场秩序。"])) is None


@given(start=st.floats(0, 1), length=st.floats(0, 0.3), instead=st.binary(max_size=8))
@settings(max_examples=50, deadline=None)
def test_a_damaged_file_gives_text_or_none(start: float, length: float, instead: bytes) -> None:
    file = make_pdf([FULL, "护市场秩序。"])
    begin = int(start * len(file))
    end = begin + int(length * len(file))
    text = read_pdf_text(file[:begin] + instead + file[end:])
    assert text is None or len(text) >= 20


def test_a_file_that_takes_too_long_costs_no_other() -> None:
    # A few kilobytes that print "a" a million times: PDFium compares each with what stands before it.
    content = zlib.compress(b"BT /F1 12 Tf " + b"<0061>Tj " * 1_000_000 + b"ET", 1)
    assert (
        read_pdf_pages(make_pdf_of_content(content, packed=b"/Filter/FlateDecode"), 600, 3_000_000, seconds=0)
        is None
    )
    assert read_pdf_text(make_pdf([FULL])) == FULL


def test_a_process_that_was_ended_between_two_files_costs_neither() -> None:
    body = make_pdf(["whole"])
    before = read_pdf_pages(body, 10, 1000)
    assert before
    process = pdf_process._process
    assert process is not None
    process.kill()
    process.wait()
    assert read_pdf_pages(body, 10, 1000) == before
