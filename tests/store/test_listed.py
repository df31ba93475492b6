"""What lists have shown: how an article stands, and that what was baseline once stays baseline."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select, text

from crawlers.runs import Watch, close_watch, open_watch
from crawlers.source import Source
from pipeline.store.listed import Shown, Standing, first_read, mark_gone, remember_list
from pipeline.store.session import StoreError
from pipeline.store.tables import Listed
from pipeline.store.write import write_records
from tests.notices import CONTEXT, make_record

COURT, SPP = CONTEXT.source_key, "spp_focus"
NOW = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
SOURCE = Source(
    key=SPP, reader="spp", url="https://www.spp.gov.cn/", name_zh="例", name_en="Example", publisher_zh="例",
    publisher_en="Example", topics=(), crontab="0 9 * * *", least=0, proven=False,
)  # fmt: skip


def shown(number: int) -> Shown:
    return Shown(f"court.gov.cn:{number}", f"https://www.court.gov.cn/{number}", f"第{number}号")


def look(
    store: Engine, *numbers: int, source: str = COURT, baseline: bool = False, now: datetime = NOW
) -> dict[int, Standing]:
    """How articles stand when a list shows them, whether for the first time or not."""
    entries = [shown(number) for number in numbers]
    standings = remember_list(store, source, entries, baseline=baseline, now=now, evidence=None)
    return {number: replace(standings[shown(number).address], fresh=False) for number in numbers}


def test_what_is_seen_first_is_neither_stored_nor_gone(store: Engine) -> None:
    assert look(store, 1) == {1: Standing(stored=False, filtered=False, gone=False, baseline=False)}


def test_an_article_that_is_stored_is_known_in_every_source(store: Engine) -> None:
    write_records(store, [make_record(1)])
    assert look(store, 1, 2)[1].stored
    assert look(store, 1, source=SPP)[1].stored
    assert not look(store, 2)[2].stored


def test_what_was_baseline_stays_baseline(store: Engine) -> None:
    look(store, 1, baseline=True)
    standings = look(store, 1, 2, baseline=False, now=LATER)
    assert (standings[1].baseline, standings[2].baseline) == (True, False)


def test_what_was_new_does_not_become_baseline(store: Engine) -> None:
    look(store, 1, baseline=False)
    assert not look(store, 1, baseline=True)[1].baseline


def test_the_baseline_of_one_source_is_not_that_of_another(store: Engine) -> None:
    look(store, 1, baseline=True)
    assert not look(store, 1, source=SPP)[1].baseline


def test_an_entry_is_fresh_the_first_time_that_its_list_shows_it(store: Engine) -> None:
    for fresh in (True, False):
        standings = remember_list(store, COURT, [shown(1)], baseline=False, now=NOW, evidence=None)
        assert standings[shown(1).address].fresh is fresh
    standings = remember_list(store, SPP, [shown(1)], baseline=False, now=NOW, evidence=None)
    assert standings[shown(1).address].fresh


def test_a_page_that_is_merely_missing_is_believed_gone_after_a_second_look(store: Engine) -> None:
    look(store, 1)
    for hours, gone in ((0, False), (5, False), (6, True)):
        mark_gone(store, COURT, shown(1).address, "unavailable", NOW + timedelta(hours=hours))
        assert look(store, 1)[1].gone is gone


def test_a_tombstone_counts_for_its_source_alone(store: Engine) -> None:
    look(store, 1, 2)
    look(store, 1, source=SPP)
    mark_gone(store, COURT, shown(1).address, "deleted", NOW)
    standings = look(store, 1, 2)
    assert (standings[1].gone, standings[2].gone) == (True, False)
    assert not look(store, 1, source=SPP)[1].gone


def test_an_entry_keeps_what_was_shown_first(store: Engine) -> None:
    look(store, 1)
    changed = Shown(shown(1).address, "https://other.example.cn/", "changed")
    remember_list(store, COURT, [changed], baseline=False, now=LATER, evidence=None)
    with store.connect() as connection:
        row = connection.execute(select(Listed.url, Listed.title, Listed.first_seen_at)).one()
    assert tuple(row) == (shown(1).url, shown(1).title, NOW)


def test_an_entry_twice_on_a_page_is_one(store: Engine) -> None:
    standings = remember_list(store, COURT, [shown(1), shown(1)], baseline=False, now=NOW, evidence=None)
    assert list(standings) == [shown(1).address]


def test_an_empty_list_stands_for_nothing(store: Engine) -> None:
    assert remember_list(store, COURT, [], baseline=False, now=NOW, evidence=None) == {}


def test_a_list_longer_than_a_statement_can_ask_for_is_answered_whole(store: Engine) -> None:
    standings = look(store, *range(1201))
    assert len(standings) == 1201
    assert look(store, *range(1201)) == standings


def test_several_processes_that_read_one_list_all_get_an_answer(store: Engine) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: look(store, *range(50)), range(8)))
    assert all(answer == answers[0] for answer in answers)
    with store.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(Listed)) == 50


def test_a_store_that_fails_is_a_store_error_that_names_the_source(store: Engine) -> None:
    with store.begin() as connection:
        # Views read it; SQLite knows no CASCADE and needs none.
        views = " CASCADE" if store.dialect.name == "postgresql" else ""
        connection.execute(text(f"DROP TABLE listed{views}"))
    with pytest.raises(StoreError, match=COURT):
        look(store, 1)


def run(store: Engine, *, heard: bool) -> Watch:
    watch = open_watch(store, SOURCE, baseline=True)
    watch.count("list_pages", int(heard))
    close_watch(store, watch)
    return watch


def test_a_source_first_read_only_when_a_run_read_its_lists_to_the_end(engine: Engine) -> None:
    assert not first_read(engine, SPP)
    open_watch(engine, SOURCE, baseline=True)
    assert not first_read(engine, SPP)
    run(engine, heard=False)
    assert not first_read(engine, SPP)
    run(engine, heard=True)
    assert first_read(engine, SPP)
    assert not first_read(engine, "court_other")


# --- Inserted later ---


def dated(number: int, day: int) -> Shown:
    return replace(shown(number), day=date(2026, 11, day))


def inserted(store: Engine, *entries: Shown, before: Sequence[Shown], baseline: bool = False) -> list[str]:
    """The titles of entries that a list had not shown before, in a place that it had."""
    remember_list(store, COURT, before, baseline=True, now=NOW, evidence=None)
    standings = remember_list(store, COURT, entries, baseline=baseline, now=LATER, evidence=None)
    return [entry.title for entry in entries if standings[entry.address].inserted]


TOP, MIDDLE, END = dated(9, 19), dated(5, 15), dated(1, 11)
KNOWN = (TOP, MIDDLE, END)


def test_an_entry_between_known_ones_beneath_a_newer_one_was_inserted_later(store: Engine) -> None:
    assert inserted(store, TOP, dated(7, 17), MIDDLE, END, before=KNOWN) == ["第7号"]
    with store.connect() as connection:
        place = connection.scalar(select(Listed.inserted).where(Listed.title == "第7号"))
    assert place == "beneath 第9号, 2026-11-19"


def test_what_is_new_on_top_or_at_the_end_was_not_inserted(store: Engine) -> None:
    assert inserted(store, dated(10, 20), *KNOWN, dated(0, 10), before=KNOWN) == []


def test_an_entry_of_the_same_day_or_without_one_was_not_inserted(store: Engine) -> None:
    assert inserted(store, TOP, dated(8, 19), shown(7), MIDDLE, END, before=KNOWN) == []


def test_what_is_new_beneath_a_pinned_old_entry_was_not_inserted(store: Engine) -> None:
    pinned = dated(3, 1)
    assert inserted(store, pinned, dated(10, 20), *KNOWN, before=(pinned, *KNOWN)) == []


def test_a_list_that_is_not_ordered_by_date_shows_no_insertions(store: Engine) -> None:
    mixed = (MIDDLE, TOP, END, dated(8, 18))
    assert inserted(store, MIDDLE, TOP, dated(7, 17), END, dated(8, 18), before=mixed) == []


def test_what_a_source_shows_when_it_is_first_read_was_not_inserted(store: Engine) -> None:
    assert inserted(store, TOP, dated(7, 17), MIDDLE, END, before=KNOWN, baseline=True) == []
