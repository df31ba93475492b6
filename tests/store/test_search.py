"""Search finds what a substring scan finds, on both databases, in Chinese and English."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from crawlers.notice import PrintedDate
from pipeline.expression import ExpressionError, read_words
from pipeline.normalize import fold
from pipeline.store.tokens import CJK, read_phrase, tokenize, write_tokens
from pipeline.store.write import write_records
from query.fact_filters import FactFilter
from query.search import QueryError, describe_hit, search_items
from tests.notices import make_record

TEXTS = {
    1: ("侵害商标权纠纷案改判", "原告在（2022）粤0192民初2187号案中请求赔偿35万元。"),
    2: ("Trade secret judgment of the SPC", "The court awarded RMB 1.2 million; see (2021) Zui Gao Fa Zhi Min Zhong No. 22."),
    3: ("发明专利无效宣告", "专利权人不服，国家知识产权局公告第673号。商 标 二字分开。"),
    4: ("著作权与ＡＩ生成内容", "ＡＩ生成内容的保护，涉及大模型。"),
}  # fmt: skip


@pytest.fixture
def filled(store: Engine) -> Engine:
    """Four items, the newest last."""
    write_records(
        store,
        [
            make_record(
                number,
                title=title,
                body=body,
                publisher="某院",
                dates=(PrintedDate(f"2026-11-{10 + number}", "x"),),
            )
            for number, (title, body) in TEXTS.items()
        ],
    )
    return store


def numbers(store: Engine, *words: str, **filters: object) -> list[int]:
    found = search_items(store, read_words(words), **filters)  # type: ignore[arg-type]
    assert found.total == len(found.hits)
    return [int(hit.url.rsplit("/", 1)[-1].removesuffix(".html")) for hit in found.hits]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["商标"], [1]),
        (["专利"], [3]),
        (["权"], [4, 3, 1]),
        (["侵害商标权纠纷"], [1]),
        (["（2022）粤0192民初2187号"], [1]),
        (["(2022)粤0192民初2187号"], [1]),
        (["粤0192民初2187"], [1]),
        (["0192民初"], [1]),
        (["trade secret"], [2]),
        (["SECRET", "million"], [2]),
        (["secre"], []),
        (["ai"], [4]),
        (["ＡＩ生成"], [4]),
        (["商标", "专利"], []),
        (["公告第673号"], [3]),
        (["某院"], [4, 3, 2, 1]),
        (["NEAR", "OR", "商标"], [1]),
        (["trade mark"], []),
    ],
)
def test_words_find_what_holds_them_newest_first(
    filled: Engine, words: list[str], expected: list[int]
) -> None:
    assert numbers(filled, *words) == expected


def test_what_was_asked_for_is_marked_in_title_and_sentence(filled: Engine) -> None:
    (hit,) = search_items(filled, read_words(["商标"]), facts=FactFilter(amount_min=Decimal(350_000))).hits
    assert [hit.title[start:end] for start, end in hit.title_places] == ["商标"]
    assert hit.excerpt.marked == "原告在（2022）粤0192民初2187号案中请求赔偿【35万元】。"
    assert describe_hit(hit)["highlights"] == {"title": [[2, 4]], "excerpt": [[27, 31]]}
    (publisher,) = search_items(filled, read_words(["某院", "-商标"]), limit=1).hits
    assert (publisher.title_places, publisher.excerpt.places) == ((), ())
    assert publisher.excerpt.text.startswith("ＡＩ生成")


def test_filters_by_source_and_day_are_inclusive(filled: Engine) -> None:
    assert numbers(filled, since=date(2026, 11, 12), until=date(2026, 11, 13)) == [3, 2]
    assert numbers(filled, sources=["spp_focus"]) == []
    assert numbers(filled, "商标", sources=["court_spc_interpretations"]) == [1]


def test_an_edited_item_is_found_by_its_new_words_only(filled: Engine) -> None:
    write_records(
        filled,
        [
            make_record(
                1, title="侵害商标权纠纷案改判", body="原告在再审中请求赔偿九十九万元。", publisher="某院"
            )
        ],
    )
    assert numbers(filled, "九十九万") == [1]
    assert numbers(filled, "2187") == []


@pytest.mark.parametrize("word", ["", "  ", "《》", "——"])
def test_a_word_without_a_letter_is_refused(word: str) -> None:
    with pytest.raises(ExpressionError, match="no letter or digit"):
        read_words([f'"{word}"'])


def test_dates_in_the_wrong_order_are_refused(filled: Engine) -> None:
    with pytest.raises(QueryError, match="wrong order"):
        search_items(filled, since=date(2026, 2, 1), until=date(2026, 1, 1))


chinese = st.text(alphabet="商标专利侵权法院2026ab （）、", min_size=1, max_size=30)


@given(text=chinese, start=st.integers(0, 29), length=st.integers(1, 10))
def test_every_piece_of_chinese_text_is_a_phrase_of_its_tokens(text: str, start: int, length: int) -> None:
    piece = fold(text)[start : start + length].strip(" (),、")
    # A piece that cuts a Latin word or a number is not asked for: those are found whole.
    runs = fold(text)
    at = runs.find(piece)
    if not piece or at < 0:
        return
    before, after = runs[at - 1 : at], runs[at + len(piece) : at + len(piece) + 1]
    if (before.isascii() and before.isalnum() and piece[0].isascii()) or (
        after.isascii() and after.isalnum() and piece[-1].isascii()
    ):
        return
    phrase = read_phrase(piece)
    if phrase is None:
        return
    sequence = " " + " ".join(tokenize(text)) + " "
    sought = " " + " ".join(phrase.tokens) + ("" if phrase.prefix else " ")
    assert sought in sequence


@given(
    st.text(
        alphabet=st.sampled_from("商标㐀〇\U00020000a1é，　 \n_\ue000\u0301ﾊﾞ") | st.characters(), max_size=60
    )
)
def test_tokens_are_pairs_of_chinese_characters_and_whole_words(text: str) -> None:
    tokens: list[str] = []
    for cjk, word in re.findall(rf"([{CJK}]+)|([^\W_{CJK}]+)", fold(text)):
        tokens += [cjk[at : at + 2] for at in range(len(cjk))] if cjk else [word]
    assert tokenize(text) == tokens
    assert write_tokens(text) == " ".join(tokens)


@given(st.text(max_size=200))
def test_tokens_hold_no_separator(text: str) -> None:
    assert all(token and not set(token) & set(' "*') and token == token.strip() for token in tokenize(text))
