"""The sentence around what was found: whole where it is short, cut and said to be where it is long."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.sentence import cut_beginning, cut_sentence, sentence_around


def test_the_sentence_of_the_first_place_is_shown_with_all_its_places() -> None:
    text = "本院受理。被告销售假冒\nＡＢＣ商标的商品，侵害商标权。商标已注册。"
    places = [(at, at + 2) for at in range(len(text)) if text[at : at + 2] == "商标"]
    assert cut_sentence(text, places).marked == "ＡＢＣ【商标】的商品，侵害【商标】权。"


def test_a_point_ends_a_sentence_and_no_number() -> None:
    text = "See Art. 1. It paid RMB 1.2 million in damages. End."
    start = text.index("million")
    assert sentence_around(text, start, start + 7) == "It paid RMB 1.2 million in damages."


def test_a_long_sentence_is_cut_around_the_place() -> None:
    found = cut_sentence("甲" * 1000 + "商标" + "乙" * 1000, [(1000, 1002)])
    assert found.text == "…" + "甲" * 150 + "商标" + "乙" * 250 + "…"
    assert found.places == ((151, 153),)


def test_a_place_that_is_longer_than_a_sentence_may_be_is_shown_whole() -> None:
    assert cut_sentence("第一。第二。第三。", [(0, 6)], behind=1).marked == "【第一。第二。】第…"


def test_the_beginning_is_on_one_line_and_says_when_it_is_cut() -> None:
    assert cut_beginning("一\n 二 三", 5).text == "一 二 三"
    assert cut_beginning("一二三四五六", 5).text == "一二三四五…"
    assert cut_beginning(" " * 20 + "一", 5).text == "…"


@given(st.text(alphabet="商标案1。；\n.! ", max_size=60), st.integers(0, 59), st.integers(1, 20))
def test_a_sentence_holds_what_it_was_asked_for(text: str, start: int, length: int) -> None:
    span = text[start : start + length]
    if span.strip():
        shown = cut_sentence(text, [(start, start + len(span))])
        ((first, last),) = shown.places
        assert shown.text[first:last].strip() == " ".join(span.split())
