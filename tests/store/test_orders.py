"""The orders of a search beside the newest first, the same on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from crawlers.notice import PrintedDate
from pipeline.expression import read_words
from pipeline.store.write import write_records
from query import orders
from query.errors import QueryError
from query.search import search_items
from tests.notices import make_record
from tests.stories import record_of

TEXTS = {
    1: ("商标侵权判决", "本案涉及商标。"),
    2: ("知识产权周报", "一则商标案，一则专利案。" + "另有若干消息。" * 40),
    3: ("商标商标", "商标。" * 5),
    4: ("会议通知", "商标审查会议。"),
    5: ("专利通知", "无关。"),
}


@pytest.fixture
def filled(store: Engine) -> Engine:
    """Five items, the newest last."""
    write_records(
        store,
        [
            make_record(
                number, title=title, body=body, dates=(PrintedDate(f"2026-11-{10 + number}", "list entry"),)
            )
            for number, (title, body) in TEXTS.items()
        ],
    )
    return store


def ranked(store: Engine, *words: str, pages: int = 10) -> list[int]:
    """The numbers of the items by relevance, asked for in pages."""
    found: list[int] = []
    after = None
    while hits := search_items(store, read_words(words), order="relevance", after=after, limit=pages).hits:
        found += [int(hit.url.rsplit("/", 1)[-1].removesuffix(".html")) for hit in hits]
        after = hits[-1].place
    return found


def test_what_says_a_word_oftener_and_in_its_title_comes_first(filled: Engine) -> None:
    assert ranked(filled, "商标") == [3, 1, 4, 2]
    assert ranked(filled, "商标", pages=1) == [3, 1, 4, 2]
    assert ranked(filled) == [5, 4, 3, 2, 1]


def test_a_rare_word_says_more_than_a_common_one(filled: Engine) -> None:
    assert ranked(filled, "商标 OR 周报") == [2, 3, 1, 4]


def test_older_items_follow_those_that_are_ranked(filled: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "MOST_RANKED", 2)
    for pages in (1, 2, 3, 10):
        assert ranked(filled, "商标", pages=pages) == [3, 4, 2, 1]


def test_a_story_is_one_row_in_the_place_of_its_newest_report(
    store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "_CHUNK", 1)
    dates = [(PrintedDate(f"2026-11-{day}", "list entry"),) for day in (11, 12, 13)]
    write_records(
        store,
        [
            record_of("report", dates=dates[0], publisher="甲院"),
            make_record(99, dates=dates[1]),
            record_of("reprint", dates=dates[2], publisher="乙报"),
        ],
    )
    found = search_items(store, order="story", limit=1)
    assert found.total == 2
    assert [(hit.publisher, [one["publisher"] for one in hit.also]) for hit in found.hits] == [
        ("甲院", ["乙报"])
    ]
    (second,) = search_items(store, order="story", after=found.hits[0].place).hits
    assert second.title.startswith("关于商标")
    assert search_items(store, order="story", after=second.place).hits == []
    # Where the leading report isn't found, one that is stands for the story.
    (follower,) = search_items(store, read_words(["茶叶", "-publisher:甲院"]), order="story").hits
    assert (follower.publisher, follower.also[0]["leads"]) == ("乙报", True)


def test_an_unknown_order_is_refused(store: Engine) -> None:
    with pytest.raises(QueryError, match="'best' is no order"):
        search_items(store, order="best")
