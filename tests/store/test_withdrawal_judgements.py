"""What a person makes of many pages of a source that are gone at once, and what becomes of their alerts."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Literal

import pytest
from sqlalchemy import Connection, Engine, select

from pipeline.record import Record
from pipeline.store.lookup import NoSuchItem
from pipeline.store.outbox_rows import Match, Occurrence, find_deliveries
from pipeline.store.rechecks import Due, note_unchanged, take_due
from pipeline.store.tables import Delivery
from pipeline.store.withdrawal_judgements import JudgementError, count_open, judge_withdrawals
from pipeline.store.withdrawals import APART, MANY, Absence, note_absence
from pipeline.store.write import write_records
from query.item import describe_item
from query.search import search_items
from query.withdrawals import list_withdrawals
from tests.notices import CONTEXT, FETCHED, make_record

KEY = CONTEXT.source_key
NUMBERS = range(1, MANY + 2)
GONE = FETCHED + timedelta(hours=6)


def see_gone(store: Engine, due: Due, hours: int) -> tuple[str, int]:
    def tell(connection: Connection, event: str) -> list[dict[str, Any]]:
        def match(_record: Record, _event: str) -> Iterable[Match]:
            return [Match("all", "log", "")]

        (rows,) = find_deliveries(connection, [Occurrence(make_record(1), due.item_id, event)], match)
        return rows

    at = GONE + timedelta(hours=hours)
    return note_absence(
        store, due, Absence("unavailable", "404.", "a" * 64, at, "https://example.org/"), tell
    )


@pytest.fixture
def column(store: Engine) -> list[Due]:
    """So many articles of one source that all are gone, twice."""
    write_records(store, [make_record(number) for number in NUMBERS])
    dues = take_due(store, KEY, GONE, 20)
    for due in dues:
        see_gone(store, due, 0)
    assert {see_gone(store, due, 6) for due in dues} == {("held", 0)}
    return dues


def judge(
    store: Engine, judgement: Literal["real", "dismissed"], *items: str, source: str | None = None
) -> tuple[int, int]:
    return judge_withdrawals(store, judgement, items, source, author="Anna", reason="asked the office")


def states(store: Engine) -> list[str]:
    with store.connect() as connection:
        return list(connection.scalars(select(Delivery.state).order_by(Delivery.item_id, Delivery.event)))


def test_what_is_real_is_told_and_nothing_else(store: Engine, column: list[Due]) -> None:
    assert judge(store, "real", column[0].url) == (1, 1)
    assert states(store) == ["due"] + ["held"] * MANY
    assert judge(store, "real", source=KEY) == (MANY, MANY)
    assert states(store) == ["due"] * len(NUMBERS)
    assert search_items(store, [], withdrawn=True).total == len(NUMBERS)


def test_what_is_dismissed_is_not_withdrawn_and_stays_so_at_the_next_look(
    store: Engine, column: list[Due]
) -> None:
    judge(store, "dismissed", source=KEY)
    assert search_items(store, [], withdrawn=True).total == 0
    shown = describe_item(store, column[0].url)
    assert not shown["withdrawn"]
    assert shown["withdrawals"][0]["judged_reason"] == "asked the office"
    assert see_gone(store, column[0], 72) == ("known", 0)
    assert states(store) == ["held"] * len(NUMBERS)


def test_a_dismissed_article_that_came_back_and_vanishes_again_is_withdrawn(
    store: Engine, column: list[Due]
) -> None:
    judge(store, "dismissed", source=KEY)
    note_unchanged(store, column[0], GONE + timedelta(hours=30))
    see_gone(store, column[0], 72)
    assert see_gone(store, column[0], 72 + 6) == ("confirmed", 1)
    assert search_items(store, [], withdrawn=True).total == 1
    assert states(store)[:2] == ["held", "due"]


def test_a_page_that_came_back_waits_for_no_word(store: Engine, column: list[Due]) -> None:
    note_unchanged(store, column[0], GONE + 2 * APART)
    with pytest.raises(JudgementError, match="Nothing waits"):
        judge(store, "real", column[1].url, column[0].url)
    assert states(store) == ["held"] * len(NUMBERS)
    with store.connect() as connection:
        assert count_open(connection) == MANY


def test_a_judgement_that_cant_be_meant_is_refused(store: Engine, column: list[Due]) -> None:
    url = column[0].url
    with pytest.raises(JudgementError, match="reason"):
        judge_withdrawals(store, "real", [url], None, author="", reason=" ")
    for items, source in (((), None), ((url,), KEY)):
        with pytest.raises(JudgementError, match="Name items, or a source"):
            judge(store, "real", *items, source=source)
    with pytest.raises(JudgementError, match="Nothing of spp_focus"):
        judge(store, "real", source="spp_focus")
    with pytest.raises(NoSuchItem):
        judge(store, "real", "https://example.org/none.html")


def test_of_several_who_judge_at_once_one_is_heard(store: Engine, column: list[Due]) -> None:
    def try_one(number: int) -> str:
        try:
            judge(store, "dismissed" if number % 2 else "real", source=KEY)
        except JudgementError:
            return "late"
        return "heard"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(try_one, range(4))) == ["heard", "late", "late", "late"]
    assert len(set(states(store))) == 1


def test_withdrawals_are_listed_with_what_was_made_of_them(store: Engine, column: list[Due]) -> None:
    judge(store, "real", column[0].url)
    total, found = list_withdrawals(store, limit=2)
    assert (total, len(found)) == (len(NUMBERS), 2)
    total, found = list_withdrawals(store, source_key=KEY, only_open=True, limit=20)
    assert total == len(found) == MANY
    assert {str(row["alerts"]) for row in found} == {"{'held': 1}"}
    assert list_withdrawals(store, source_key="spp_focus", limit=2) == (0, [])
