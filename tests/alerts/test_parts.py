"""Long texts: parts within a limit of bytes, in order, with nothing lost and no character cut."""

from __future__ import annotations

import re

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from pipeline.alerts.parts import MOST_PARTS, shorten, split_text, utf8_size

FAMILY = "\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL}"


def joined(parts: list[str]) -> str:
    return "".join(re.sub(r"\A\(\d+/\d+\)\n", "", part) for part in parts)


def test_a_text_that_fits_is_left_as_it_is() -> None:
    assert split_text("一二三\n", 9) == ["一二三"]


def test_parts_are_numbered_and_hold_all_in_order() -> None:
    text = "".join(chr(0x4E00 + number) for number in range(2000))
    parts = split_text(text, 2048)
    assert [part.split("\n")[0] for part in parts] == ["(1/3)", "(2/3)", "(3/3)"]
    assert joined(parts) == text
    assert all(utf8_size(part) <= 2048 for part in parts)


def test_a_part_ends_at_a_line_where_it_can() -> None:
    parts = split_text("\n".join("字" * 20 for _ in range(10)), 200)
    assert all(line in ("字" * 20,) for part in parts for line in part.splitlines()[1:])


def test_no_emoji_is_torn() -> None:
    text = FAMILY * 100
    for limit in range(60, 90):
        for part in split_text(text, limit):
            left = joined([part]).removesuffix("…")
            assert set(regex.findall(r"\X", left)) == {FAMILY}


def test_what_needs_too_many_parts_is_cut_and_says_so() -> None:
    parts = split_text("字" * 10_000, 100)
    assert len(parts) == MOST_PARTS
    assert parts[-1].endswith("…")
    assert all(utf8_size(part) <= 100 for part in parts)


def test_a_limit_that_holds_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no text can be split"):
        split_text("字" * 100, 10)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=400), st.integers(30, 120))
def test_parts_are_within_the_limit_and_valid(text: str, limit: int) -> None:
    parts = split_text(text, limit)
    assert 1 <= len(parts) <= MOST_PARTS
    assert all(len(part.encode("utf-8")) <= limit for part in parts)
    kept = "".join(joined(parts).removesuffix("…").split())
    assert "".join(text.split()).startswith(kept)


@given(st.text(), st.integers(2, 50))
def test_a_shortened_text_has_its_length_and_is_the_beginning(text: str, longest: int) -> None:
    short = shorten(text, longest)
    assert len(short) <= longest
    assert short == text if len(text) <= longest else text.startswith(short[:-1]) and short.endswith("…")


def test_a_shortened_text_ends_behind_a_whole_character() -> None:
    family = "\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}"
    assert shorten("案" + family + "件件", 4) == "案…"
    assert shorten("案" + family + "件件", 5) == "案" + family + "…"
    assert shorten("e" + "\N{COMBINING ACUTE ACCENT}" * 9, 4) == "e" + "\N{COMBINING ACUTE ACCENT}" * 2 + "…"
