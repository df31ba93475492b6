"""A walk through an archive meets every article, however often it is broken off and whatever changes meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select

from crawlers.notice import ListEntry, PrintedDate
from crawlers.walk import Walk, restore_entry
from pipeline.store.frontier import Left, Met, Stopped, finish_walk, join_head, note_page, open_walk
from pipeline.store.session import open_engine
from pipeline.store.tables import Frontier

KEY = "court_archive"
FIRST = "https://www.example.com/list/1"
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
SIZE = 4  # articles a list page


class Archive:
    """A site whose list shows its articles newest first, in pages."""

    def __init__(self, number: int) -> None:
        self.articles = [f"old {place}" for place in range(number)]
        self.read: list[int] = []

    def walk(self, engine: Engine, met: set[str], pages: int | None = None) -> bool:
        """Read at most so many list pages, as the spider does; False when there is more to read."""
        stopped = open_walk(engine, KEY, FIRST, only_ip=False)
        walk = Walk(stopped)
        met |= {left.address for left in stopped.left}
        following: tuple[int, str] | None = (1, FIRST)
        while following:
            if pages == 0:
                return False
            pages = pages - 1 if pages is not None else None
            number, url = following
            self.read.append(number)
            shown = self.articles[(number - 1) * SIZE : number * SIZE]
            articles = [Met(address, address, True, {"title": address}) for address in shown]
            known = note_page(engine, KEY, number, url, articles, joined=walk.is_joined, now=NOW)
            met |= set(shown)
            more = number * SIZE < len(self.articles)
            next_url = f"https://www.example.com/list/{number + 1}" if more else None
            following = walk.next_page(number, url, next_url, known=known, shown=shown)
            if walk.joins:
                join_head(engine, KEY)
        return True


@pytest.fixture(scope="module")
def file_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('walk') / 'walk.db'}")
    yield engine
    engine.dispose()


@settings(max_examples=40)
@given(
    st.integers(1, 40),
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 9)), max_size=6),
)
def test_what_appears_on_top_between_two_runs_loses_nothing(
    file_engine: Engine, number: int, breaks: list[tuple[int, int]]
) -> None:
    finish_walk(file_engine, KEY)
    archive, met = Archive(number), set[str]()
    for pages, added in breaks:
        archive.walk(file_engine, met, pages)
        archive.articles[:0] = [f"new {len(archive.articles) + place}" for place in range(added)]
    assert archive.walk(file_engine, met)
    assert met >= set(archive.articles)


@settings(max_examples=40)
@given(
    st.integers(10, 40),
    st.lists(
        st.tuples(st.integers(0, 6), st.integers(0, 3), st.lists(st.integers(0, 39), max_size=9)), max_size=5
    ),
)
def test_what_is_deleted_between_two_runs_loses_nothing_else(
    file_engine: Engine, number: int, breaks: list[tuple[int, int, list[int]]]
) -> None:
    finish_walk(file_engine, KEY)
    archive, met = Archive(number), set[str]()
    for pages, added, deleted in breaks:
        archive.walk(file_engine, met, pages)
        archive.articles[:0] = [f"new {len(archive.articles) + place}" for place in range(added)]
        # What was met and is deleted pulls up what was not met; the walk must look back for it.
        archive.articles = [
            article
            for place, article in enumerate(archive.articles)
            if place not in deleted or article not in met
        ]
    assert archive.walk(file_engine, met)
    assert met >= set(archive.articles)


def test_a_walk_that_was_broken_off_leaps_over_what_it_has_read(engine: Engine) -> None:
    archive, met = Archive(40), set[str]()
    archive.walk(engine, met, pages=7)
    archive.read.clear()
    assert archive.walk(engine, met)
    assert archive.read == [1, 7, 8, 9, 10]


def test_a_head_that_was_broken_off_itself_is_read_again(engine: Engine) -> None:
    archive, met = Archive(40), set[str]()
    archive.walk(engine, met, pages=7)
    archive.articles[:0] = [f"new {place}" for place in range(6)]
    archive.walk(engine, met, pages=1)
    archive.read.clear()
    assert archive.walk(engine, met)
    assert archive.read == [1, 2, 3, 7, 8, 9, 10, 11, 12]


def test_a_walk_looks_back_where_the_list_has_shrunk(engine: Engine) -> None:
    archive, met = Archive(40), set[str]()
    archive.walk(engine, met, pages=7)
    archive.articles = archive.articles[8:]
    archive.read.clear()
    assert archive.walk(engine, met)
    assert archive.read == [1, 7, 6, 5, 6, 7, 8]


def test_a_last_page_that_leads_to_itself_ends_the_walk() -> None:
    walk = Walk(Stopped({}, ()))
    assert walk.next_page(1, FIRST, FIRST, known=0, shown=["a"]) is None


def test_one_page_of_older_articles_does_not_end_a_walk_and_two_in_a_row_do() -> None:
    walk = Walk(Stopped({}, ()))
    goes_on = [
        walk.next_page(number, str(number), str(number + 1), known=0, shown=[str(number)], is_older=is_older)
        for number, is_older in enumerate([True, False, True, True], 1)
    ]
    assert [following is not None for following in goes_on] == [True, True, True, False]


@pytest.mark.parametrize("cycle", [["a b"], ["a b", "c d", "e f"]])
def test_paging_that_never_ends_ends_where_it_repeats_itself(cycle: list[str]) -> None:
    walk, number = Walk(Stopped({}, ())), 0
    following: tuple[int, str] | None = (1, FIRST)
    while following:
        number, url = following
        shown = cycle[number % len(cycle)].split()
        following = walk.next_page(number, url, f"{FIRST}?page={number + 1}", known=0, shown=shown)
        assert number < 100
    assert number <= 3 * len(cycle)


def test_a_walk_through_another_list_is_forgotten(engine: Engine) -> None:
    Archive(8).walk(engine, set(), pages=1)
    assert open_walk(engine, KEY, "https://www.example.com/other", only_ip=False) == Stopped({}, ())
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(Frontier)) == 0


def test_what_a_list_brought_whole_comes_with_that_list_again(engine: Engine) -> None:
    for number in (1, 2, 3):
        article = Met(f"article {number}", "https://www.example.com/a", True, {} if number != 2 else None)
        note_page(engine, KEY, number, FIRST, [article], joined=True, now=NOW)
    stopped = open_walk(engine, KEY, FIRST, only_ip=False)
    assert stopped.pages == {1: FIRST}
    assert [left.address for left in stopped.left] == ["article 1", "article 3"]


def test_of_two_lines_to_one_article_the_first_counts(engine: Engine) -> None:
    lines = [
        Met("a", "https://www.example.com/a", True, {"title": "a"}),
        Met("a", "https://www.example.com/a"),
    ]
    note_page(engine, KEY, 1, FIRST, lines, joined=True, now=NOW)
    assert len(open_walk(engine, KEY, FIRST, only_ip=False).left) == 1


ENTRY = ListEntry("https://www.example.com/a", "公告", PrintedDate("昨天", "list entry"), 3, identity="7")


@pytest.mark.parametrize(("days", "date"), [(0, ENTRY.date), (1, None)])
def test_a_relative_date_is_not_taken_from_a_list_of_another_day(days: int, date: PrintedDate | None) -> None:
    left = Left("a", asdict(ENTRY), False, NOW)
    restored = restore_entry(left, NOW + timedelta(days=days))
    assert restored.date == date
    assert (restored.url, restored.title, restored.position, restored.identity) == (
        ENTRY.url, "公告", 3, "7",
    )  # fmt: skip


def test_a_printed_day_is_kept_however_late_the_article_is_fetched() -> None:
    entry = ListEntry("https://www.example.com/a", "公告", PrintedDate("2026-11-18", "list entry"), 0)
    assert restore_entry(Left("a", asdict(entry), False, NOW), NOW + timedelta(days=90)) == entry
