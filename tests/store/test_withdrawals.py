"""Planned rechecks and vanished pages, as the store keeps them: when they are due, what is believed, and who is told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, func, select

from crawlers.notice import Attachment
from crawlers.withdrawn import withdrawal_rows
from pipeline.alerts.events import tell_event
from pipeline.alerts.rules import Recipient, Rule, Rules
from pipeline.record import Record
from pipeline.store.outbox_rows import Match, Occurrence, find_deliveries
from pipeline.store.rechecks import (
    CLAIM,
    PATIENCE,
    PLAN,
    Due,
    next_due,
    note_outcome,
    note_unchanged,
    postpone,
    release,
    take_due,
)
from pipeline.store.tables import Delivery, Item, Recheck, Version, Withdrawal
from pipeline.store.withdrawals import APART, MANY, Absence, note_absence
from pipeline.store.write import write_records
from query.search import search_items
from query.stories import describe_story
from tests.notices import CONTEXT, FETCHED, make_record

KEY = CONTEXT.source_key
HOUR = timedelta(hours=1)
SIX = FETCHED + 6 * HOUR


def stored(store: Engine, *numbers: int, **changes: Any) -> None:
    write_records(store, [make_record(number, **changes) for number in numbers or (1,)])


def take(store: Engine, now: datetime = SIX, most: int = 10) -> list[Due]:
    return take_due(store, KEY, now, most)


def due_at(store: Engine) -> datetime | None:
    with store.connect() as connection:
        return connection.scalar(select(Recheck.due_at))


def all_rows(store: Engine, table: Any) -> list[Any]:
    with store.connect() as connection:
        return list(connection.execute(select(*table.__table__.columns).order_by(table.__table__.c.id)))


def nobody(_connection: Connection, _event: str) -> Sequence[dict[str, Any]]:
    return ()


def absence(at: datetime, kind: str = "deleted", sha256: str = "a" * 64) -> Absence:
    return Absence(kind, f"Gone ({kind}).", sha256, at, "https://www.court.gov.cn/fabu/gengduo/16.html")


# --- The plan ---


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=40)))
def test_the_next_recheck_is_a_planned_one_that_has_not_passed(age: timedelta) -> None:
    due = next_due(FETCHED, FETCHED + age)
    left = [FETCHED + step for step in PLAN if step > age]
    assert due == (left[0] if left else None)


def test_an_article_is_asked_for_after_six_hours_a_day_a_week_and_a_month(store: Engine) -> None:
    stored(store)
    for step in PLAN:
        now = FETCHED + step
        assert take(store, now - timedelta(minutes=1)) == []
        (due,) = take(store, now)
        note_unchanged(store, due, now)
    assert take(store, FETCHED + timedelta(days=400)) == []


def test_a_plan_that_is_late_skips_what_it_has_missed(store: Engine) -> None:
    stored(store)
    (due,) = take(store, FETCHED + timedelta(days=3))
    note_unchanged(store, due, FETCHED + timedelta(days=3))
    assert due_at(store) == FETCHED + timedelta(days=7)


def test_what_is_taken_is_left_to_its_taker_for_an_hour(store: Engine) -> None:
    stored(store, 1, 2, 3)
    with ThreadPoolExecutor(3) as pool:
        taken = list(pool.map(lambda _: take(store, most=2), range(3)))
    ids = [due.item_id for dues in taken for due in dues]
    assert len(ids) == len(set(ids)) == 3
    assert take(store, SIX + CLAIM / 2) == []
    assert len(take(store, SIX + CLAIM)) == 3


def test_no_more_are_taken_than_asked_for_and_the_longest_waiting_first(store: Engine) -> None:
    stored(store, 1, fetched_at=FETCHED + HOUR)
    stored(store, 2)
    (due,) = take(store, SIX + 2 * HOUR, most=1)
    assert due.url.endswith("/2.html")
    assert take_due(store, "spp_focus", SIX, 10) == []


def test_what_is_due_says_how_the_server_and_the_reader_are_to_be_asked(store: Engine) -> None:
    from crawlers.notice import ListEntry

    headers = {"etag": '"v1"', "last-modified": "Wed, 18 Nov 2026 01:00:00 GMT"}
    entry = ListEntry("https://www.court.gov.cn/zixun/xiangqing/1.html", "题", None, 3)
    record = make_record(1, entry=entry, context=replace(CONTEXT, headers=headers))
    write_records(store, [record])
    (due,) = take(store)
    assert (due.etag, due.last_modified) == ('"v1"', "Wed, 18 Nov 2026 01:00:00 GMT")
    assert (due.title, due.body, due.reader) == (record.title, record.body, "court_gov")
    assert due.entry is not None
    assert due.entry["position"] == 3
    assert due.addresses == {"court.gov.cn:1"}


def test_the_validators_of_a_list_are_not_those_of_an_article_that_it_brought_whole(store: Engine) -> None:
    context = replace(CONTEXT, headers={"etag": '"list"'}, own_page=False)
    write_records(store, [make_record(1, context=context)])
    (due,) = take(store)
    assert due.etag is None


def test_who_sees_the_page_by_another_way_moves_the_plan_on(store: Engine) -> None:
    stored(store)
    stored(store, fetched_at=FETCHED + 7 * HOUR)
    assert due_at(store) == FETCHED + timedelta(days=1)
    stored(store, fetched_at=FETCHED + 30 * HOUR, context=replace(CONTEXT, own_page=False))
    assert due_at(store) == FETCHED + timedelta(days=1)


def test_a_page_that_was_not_asked_for_stays_due(store: Engine) -> None:
    stored(store)
    (due,) = take(store)
    release(store, due)
    assert take(store) == [due]


def test_a_server_without_an_answer_is_asked_again_but_not_for_ever(store: Engine) -> None:
    stored(store)
    (due,) = take(store)
    postpone(store, due, SIX, "down", "no answer")
    assert due_at(store) == SIX + CLAIM
    end = FETCHED + PLAN[-1] + PATIENCE
    (due,) = take(store, end)
    postpone(store, due, end, "down", "no answer")
    assert due_at(store) is None


def test_an_answer_that_tells_nothing_waits_for_the_next_planned_moment(store: Engine) -> None:
    stored(store)
    (due,) = take(store)
    note_outcome(store, due, SIX, "moved", "redirected to https://www.court.gov.cn/")
    with store.connect() as connection:
        row = connection.execute(select(Recheck.due_at, Recheck.outcome, Recheck.detail)).one()
    assert tuple(row) == (
        FETCHED + timedelta(days=1),
        "moved",
        "redirected to https://www.court.gov.cn/",
    )
    assert all_rows(store, Withdrawal) == []


# --- Versions ---


def test_an_edit_moves_the_plan_on_and_keeps_the_first_copy(store: Engine) -> None:
    stored(store)
    before = all_rows(store, Version)
    stored(store, body="改过的正文。", fetched_at=SIX, sha256="b" * 64)
    after = all_rows(store, Version)
    assert after[:1] == before
    assert [row.snapshot_sha256 for row in after] == [before[0].snapshot_sha256, "b" * 64]
    assert due_at(store) == FETCHED + timedelta(days=1)


def test_an_older_copy_that_arrives_late_changes_nothing(store: Engine) -> None:
    texts = {hour: f"正文写到第{hour}小时为止，赔偿{hour}万元。" for hour in (1, 7, 25)}
    for hour in (1, 25, 7):
        stored(store, body=texts[hour], fetched_at=FETCHED + hour * HOUR)
    (item,) = all_rows(store, Item)
    assert (item.body, item.version_number) == (texts[25], 2)
    assert item.last_seen_at == FETCHED + 25 * HOUR


def test_the_newest_copy_stands_in_whatever_order_the_copies_arrive(store: Engine) -> None:
    records = [
        make_record(1, body=f"第{hour}版的正文，共{hour}条规定。", fetched_at=FETCHED + hour * HOUR)
        for hour in range(6)
    ]
    for shift in range(6):
        write_records(store, [replace_number(record, shift) for record in records[shift:] + records[:shift]])
    assert {row.body for row in all_rows(store, Item)} == {records[-1].body}


def replace_number(record: Record, number: int) -> Record:
    identity = f"court.gov.cn:{number + 100}"
    return replace(record, identity=identity, addresses=(identity,))


def test_two_processes_that_see_one_edit_make_one_version(store: Engine) -> None:
    stored(store)
    edited = make_record(1, body="改过的正文。", fetched_at=SIX)
    with ThreadPoolExecutor(4) as pool:
        outcomes = [
            written[0].outcome for written in pool.map(lambda _: write_records(store, [edited]), range(4))
        ]
    assert sorted(outcomes) == ["edited", "known", "known", "known"]
    assert len(all_rows(store, Version)) == 2


def test_a_copy_that_a_feed_brought_and_the_page_itself_are_no_edit_of_each_other(store: Engine) -> None:
    body = make_record(1).body * 8
    stored(store, body=body, reader="feed")
    stored(store, body=f"来源：最高人民法院\n{body}\n（本文图片由本报提供）", fetched_at=SIX)
    stored(store, body=body.replace("8万元", "9万元").replace("1万元", "9万元"), fetched_at=SIX + HOUR)
    assert [row.number for row in all_rows(store, Version)] == [1, 2]


# --- Gone ---


def test_a_page_is_withdrawn_when_it_is_gone_twice_six_hours_apart(store: Engine) -> None:
    stored(store)
    (due,) = take(store)
    assert note_absence(store, due, absence(SIX), nobody) == ("suspected", 0)
    assert search_items(store, [], withdrawn=True).total == 0
    assert due_at(store) == SIX + APART
    (due,) = take(store, SIX + APART)
    assert note_absence(store, due, absence(SIX + APART, sha256="b" * 64), nobody) == ("confirmed", 0)
    (row,) = all_rows(store, Withdrawal)
    assert (row.kind, row.seen_until, row.gone_at, row.confirmed_at) == ("deleted", FETCHED, SIX, SIX + APART)
    assert (row.snapshot_sha256, row.confirmed_sha256, row.returned_at) == ("a" * 64, "b" * 64, None)
    assert due_at(store) == FETCHED + timedelta(days=1)
    (hit,) = search_items(store, [], withdrawn=True).hits
    assert hit.withdrawal is not None
    assert hit.withdrawal["kind"] == "deleted"


def test_who_asked_for_words_of_an_attachment_hears_of_a_withdrawal_though_never_told_before(
    store: Engine,
) -> None:
    file = Attachment("https://www.example.org/a.pdf", "附件", text="集成电路布图设计登记的撤销")
    stored(store, attachments=(file,))
    words = {"words": ("集成电路",), "send": (Recipient(channel="log"),), "events": ("withdrawn",)}
    rules = Rules([Rule(name="layouts", **words)])
    for moment in (SIX, SIX + APART):
        (due,) = take(store, moment)
        told = note_absence(store, due, absence(moment), partial(withdrawal_rows, rules, due.item_id))
    assert told == ("confirmed", 1)
    assert [row.rule for row in all_rows(store, Delivery)] == ["layouts"]


def test_a_second_look_that_comes_too_soon_confirms_nothing(store: Engine) -> None:
    stored(store)
    (due,) = take(store)
    for minutes in (0, 1, 359):
        assert note_absence(store, due, absence(SIX + timedelta(minutes=minutes)), nobody)[0] == "suspected"
    assert note_absence(store, due, absence(SIX + APART), nobody)[0] == "confirmed"
    assert note_absence(store, due, absence(SIX + 2 * APART), nobody)[0] == "known"
    assert len(all_rows(store, Withdrawal)) == 1


def test_a_page_that_is_back_before_the_second_look_was_never_withdrawn(store: Engine) -> None:
    stored(store)
    (due,) = take(store)
    note_absence(store, due, absence(SIX), nobody)
    note_unchanged(store, due, SIX + HOUR)
    assert note_absence(store, due, absence(SIX + APART), nobody)[0] == "suspected"
    first, second = all_rows(store, Withdrawal)
    assert (first.confirmed_at, first.returned_at) == (None, SIX + HOUR)
    assert second.returned_at is None


def test_an_item_that_comes_back_is_unflagged_and_the_record_stays(store: Engine) -> None:
    stored(store)
    (due,) = take(store)
    note_absence(store, due, absence(SIX), nobody)
    note_absence(store, due, absence(SIX + APART), nobody)
    stored(store, fetched_at=FETCHED + timedelta(days=1))
    (row,) = all_rows(store, Withdrawal)
    assert (row.confirmed_at, row.returned_at) == (SIX + APART, FETCHED + timedelta(days=1))
    assert search_items(store, [], withdrawn=True).total == 0
    (hit,) = search_items(store, []).hits
    assert hit.withdrawal is None


def test_a_copy_from_before_it_was_gone_brings_nothing_back(store: Engine) -> None:
    stored(store)
    (due,) = take(store)
    note_absence(store, due, absence(SIX), nobody)
    note_absence(store, due, absence(SIX + APART), nobody)
    stored(store, fetched_at=SIX - HOUR)
    assert all_rows(store, Withdrawal)[0].returned_at is None


def test_nothing_of_a_withdrawn_item_is_lost(store: Engine) -> None:
    stored(store)
    before = all_rows(store, Item), all_rows(store, Version)
    (due,) = take(store)
    note_absence(store, due, absence(SIX), nobody)
    note_absence(store, due, absence(SIX + APART), nobody)
    assert (all_rows(store, Item), all_rows(store, Version)) == before


def test_of_two_processes_that_confirm_one_tells(store: Engine) -> None:
    stored(store)
    (due,) = take(store)
    note_absence(store, due, absence(SIX), nobody)

    def tell(connection: Connection, event: str) -> list[dict[str, Any]]:
        def match(_record: Record, _event: str) -> Iterable[Match]:
            return [Match("all", "log", "")]

        (rows,) = find_deliveries(connection, [Occurrence(make_record(1), due.item_id, event)], match)
        return rows

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: note_absence(store, due, absence(SIX + APART), tell), range(4)))
    assert sorted(results) == [("confirmed", 1), ("known", 0), ("known", 0), ("known", 0)]
    with store.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(Delivery)) == 1


def confirm(store: Engine, numbers: Sequence[int], at: datetime = SIX) -> list[str]:
    dues = {due.item_id: due for due in take(store, at, most=20)}
    for due in dues.values():
        note_absence(store, due, absence(at), nobody)
    later = at + APART
    assert len(dues) == len(numbers)
    return [note_absence(store, due, absence(later), nobody)[0] for due in dues.values()]


def test_a_handful_of_pages_that_are_gone_at_once_are_withdrawals_of_their_own(store: Engine) -> None:
    stored(store, *range(1, MANY + 1))
    assert confirm(store, range(MANY)) == ["confirmed"] * MANY


def test_more_pages_of_a_source_that_are_gone_at_once_are_held(store: Engine) -> None:
    stored(store, *range(1, MANY + 2))
    assert confirm(store, range(MANY + 1)) == ["held"] * (MANY + 1)
    assert search_items(store, [], withdrawn=True).total == MANY + 1


def test_pages_that_have_come_back_or_went_on_another_day_are_not_counted_with_them(store: Engine) -> None:
    stored(store, *range(1, MANY + 1))
    assert confirm(store, range(MANY)) == ["confirmed"] * MANY
    stored(store, MANY + 1, fetched_at=FETCHED + timedelta(days=3))
    (due,) = [
        due for due in take(store, SIX + timedelta(days=3), most=20) if due.url.endswith(f"/{MANY + 1}.html")
    ]
    note_absence(store, due, absence(SIX + timedelta(days=3)), nobody)
    assert note_absence(store, due, absence(SIX + timedelta(days=3) + APART), nobody)[0] == "confirmed"


def test_a_report_that_is_withdrawn_is_shown_so_in_its_story(store: Engine) -> None:
    stored(store)
    (due,) = take(store)
    note_absence(store, due, absence(SIX), nobody)
    note_absence(store, due, absence(SIX + APART), nobody)
    (report,) = describe_story(store, due.url)["reports"]
    assert report["withdrawn"] == {"kind": "deleted", "detail": "Gone (deleted).", "gone_at": SIX.isoformat()}


# --- What is told ---


def told(store: Engine, event: str) -> str:
    with store.connect() as connection:
        found = tell_event(connection, connection.scalars(select(Item.id)).one(), event)
    return f"{found.kind}: {found.text}" if found else ""


def test_an_alert_of_a_version_says_what_changed(store: Engine) -> None:
    stored(store)
    stored(store, body=make_record(1).body.replace("1万元", "15万元"), fetched_at=SIX)
    assert told(store, "version 2") == "changed: “赔偿1万元” → “赔偿15万元”"
    assert told(store, "new") == ""


def test_an_alert_of_a_withdrawal_says_after_how_many_hours(store: Engine) -> None:
    stored(store)  # printed: published 2026-11-19 10:00 in China, 23 hours before it was first seen
    (due,) = take(store)
    for day in (0, 3):
        start = SIX + timedelta(days=day)
        note_absence(store, due, absence(start), nobody)
        note_absence(store, due, absence(start + APART, "violation" if day else "deleted"), nobody)
        note_unchanged(store, due, start + 2 * APART)
    assert told(store, "withdrawn") == (
        "withdrawal: after 29 hours: deleted by its author; there until 2026-11-20 09:00, gone at 2026-11-20 15:00"
    )
    assert told(store, "withdrawn 2").startswith("withdrawal: after 101 hours: taken down for a violation")


@pytest.mark.parametrize("printed", ["2026-11-19", "2027-01-01 10:00"])
def test_without_a_time_that_can_be_the_hours_count_from_the_first_sight(store: Engine, printed: str) -> None:
    from crawlers.notice import PrintedDate

    stored(store, dates=(PrintedDate(printed, "labelled text"),))
    (due,) = take(store)
    note_absence(store, due, absence(SIX), nobody)
    note_absence(store, due, absence(SIX + APART), nobody)
    assert told(store, "withdrawn").startswith("withdrawal: after 6 hours:")
