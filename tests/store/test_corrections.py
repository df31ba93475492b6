"""A person's corrections: they win everywhere, outlive reparsing and edits, and can be undone."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, select

from crawlers.notice import PrintedDate
from pipeline.alerts.rules import Recipient, Rule, Rules
from pipeline.record import Record
from pipeline.store.corrections import (
    CorrectionError,
    Place,
    add_fact,
    correct_fact,
    correct_published,
    list_corrections,
    remove_fact,
    undo,
)
from pipeline.store.lookup import NoSuchItem
from pipeline.store.tables import FactRow, Item
from pipeline.store.write import correct_item, write_records
from query.fact_filters import FactFilter
from query.search import search_items
from tests.notices import FETCHED, make_record

BY = {"author": "Anna", "reason": "read the judgment"}
BODY = "法院判决被告赔偿35万元。\n原告请求赔偿90万元，即九十万元，被告主张35万元过高。"
RANGE = "另有（2022）粤01民初732-734号三案。"


@pytest.fixture
def uid(store: Engine) -> str:
    """The id of one stored item, with amounts that differ in role and a range of case numbers."""
    return write(store, make_record(7, body=BODY + RANGE))


def write(store: Engine, record: Record) -> str:
    (written,) = write_records(store, [record])
    with store.connect() as connection:
        return str(connection.scalar(select(Item.uid).where(Item.id == written.item_id)))


def reparse(store: Engine, record: Record) -> None:
    with store.begin() as connection:
        item_id = connection.scalar(select(Item.id))
        assert item_id is not None
        correct_item(connection, record, item_id, FETCHED)


def item(store: Engine) -> dict[str, Any]:
    with store.connect() as connection:
        return dict(connection.execute(select(*Item.__table__.columns)).one()._mapping)


def facts(store: Engine, kind: str, key: str) -> list[tuple[str, Any]]:
    """Words and one part of the value of every fact of a kind, as people see them, in the order of the text."""
    query = select(FactRow.raw, FactRow.value).where(FactRow.kind == kind)
    with store.connect() as connection:
        rows = connection.execute(query.order_by(FactRow.field.desc(), FactRow.start, FactRow.key)).all()
    return [(row.raw, row.value[key]) for row in rows]


def everything(store: Engine) -> tuple[dict[str, Any], set[tuple[Any, ...]]]:
    """The item and its facts, but for row numbers."""
    with store.connect() as connection:
        rows = connection.execute(select(*(c for c in FactRow.__table__.columns if c.name != "id"))).all()
    return item(store), {tuple(map(str, row)) for row in rows}


# --- Dates ---


def test_a_corrected_day_is_the_published_date_and_moves_the_item(store: Engine, uid: str) -> None:
    before = item(store)
    correct_published(store, uid, date(2026, 11, 18), **BY)
    after = item(store)
    assert (after["published_on"], after["published_at"]) == (date(2026, 11, 18), None)
    assert (after["published_method"], after["published_place"]) == ("correction", "correction")
    assert after["published_precision"] == "day"
    assert after["dates"] == before["dates"]
    midnight_in_china = datetime(2026, 11, 17, 16, tzinfo=UTC)
    assert after["sort_key"] == midnight_in_china.timestamp() * 1_000_000


def test_a_corrected_instant_is_stored_with_its_day_in_china(store: Engine, uid: str) -> None:
    correct_published(store, uid, datetime(2026, 11, 17, 16, 30, tzinfo=UTC), precision="minute", **BY)
    after = item(store)
    assert after["published_on"] == date(2026, 11, 18)
    assert after["published_at"] == datetime(2026, 11, 17, 16, 30, tzinfo=UTC)
    assert after["published_precision"] == "minute"


def test_a_person_can_say_that_the_date_is_unknown(store: Engine, uid: str) -> None:
    correct_published(store, uid, None, **BY)
    after = item(store)
    assert (after["published_on"], after["published_at"], after["published_precision"]) == (None, None, None)


def test_a_corrected_date_outlives_a_reparse_that_reads_another(store: Engine, uid: str) -> None:
    correct_published(store, uid, date(2026, 11, 18), **BY)
    reparse(store, make_record(7, body=BODY, dates=(PrintedDate("2026-11-17", "labelled text"),)))
    assert item(store)["published_on"] == date(2026, 11, 18)
    (shown,) = list_corrections(store, uid)
    assert [kept["value"] for kept in shown["displaced"]] == ["2026-11-17"]


def test_undoing_gives_the_date_that_the_machine_reads_by_now(store: Engine, uid: str) -> None:
    made = correct_published(store, uid, date(2026, 11, 18), **BY)
    mended = make_record(7, body=BODY, dates=(PrintedDate("2026-11-17 08:05", "labelled text"),))
    reparse(store, mended)
    undo(store, made)
    after = item(store)
    assert after["published_at"] == datetime(2026, 11, 17, 0, 5, tzinfo=UTC)
    assert (after["published_raw"], after["published_place"]) == ("2026-11-17 08:05", "labelled text")
    assert after["published_method"] != "correction"


def test_the_later_word_wins_and_undoing_it_gives_the_earlier_one(store: Engine, uid: str) -> None:
    correct_published(store, uid, date(2026, 11, 18), **BY)
    second = correct_published(store, uid, date(2026, 11, 16), **BY)
    assert item(store)["published_on"] == date(2026, 11, 16)
    undo(store, second)
    assert item(store)["published_on"] == date(2026, 11, 18)


@pytest.mark.parametrize("moment", [datetime(2026, 11, 18, 10), date(2999, 1, 1)])  # noqa: DTZ001
def test_a_date_that_cannot_be_meant_is_refused(store: Engine, uid: str, moment: date) -> None:
    with pytest.raises(CorrectionError):
        correct_published(store, uid, moment, **BY)
    assert list_corrections(store) == []


# --- Facts ---


def test_a_corrected_fact_takes_the_place_of_the_machine_s(store: Engine, uid: str) -> None:
    correct_fact(store, uid, "amount", "90万元", {"amount": "910000"}, **BY)
    assert ("90万元", "910000") in facts(store, "amount", "amount")
    assert ("90万元", "900000") not in facts(store, "amount", "amount")
    (shown,) = list_corrections(store, uid)
    assert [kept["value"]["amount"] for kept in shown["displaced"]] == ["900000"]


def test_a_removed_fact_is_gone_and_an_undone_removal_brings_it_back(store: Engine, uid: str) -> None:
    before = everything(store)
    made = remove_fact(store, uid, "amount", "90万元", **BY)
    assert "90万元" not in dict(facts(store, "amount", "amount"))
    undo(store, made)
    assert everything(store) == before


def test_an_added_fact_is_read_off_its_words_where_the_person_says_no_more(store: Engine, uid: str) -> None:
    add_fact(store, uid, "case_number", "（2021）京73民终5号", {}, **BY)
    added = ("（2021）京73民终5号", "北京知识产权法院")
    assert added in facts(store, "case_number", "court_zh")


def test_an_added_fact_whose_words_stand_nowhere_has_an_empty_span(store: Engine, uid: str) -> None:
    add_fact(store, uid, "party", "示例公司", {"name": "示例公司", "role": "plaintiff"}, **BY)
    with store.connect() as connection:
        row: Any = connection.execute(select(FactRow).where(FactRow.kind == "party")).one()
    assert (row.start, row.end, row.method) == (0, 0, "correction")


def test_a_fact_that_is_there_already_is_not_added(store: Engine, uid: str) -> None:
    with pytest.raises(CorrectionError, match="already"):
        add_fact(store, uid, "amount", "90万元", {"role": "claimed"}, **BY)


def test_facts_with_the_same_words_and_different_readings_must_be_told_apart(store: Engine, uid: str) -> None:
    with pytest.raises(CorrectionError, match="2 facts read '35万元' and differ"):
        correct_fact(store, uid, "amount", "35万元", {"amount": "360000"}, **BY)
    place = Place("body", BODY.rindex("35万元"))
    correct_fact(store, uid, "amount", "35万元", {"amount": "360000"}, place=place, **BY)
    amounts = [amount for raw, amount in facts(store, "amount", "amount") if raw == "35万元"]
    assert amounts == ["350000", "360000"]


def test_one_case_of_a_range_is_named_by_what_it_was(store: Engine, uid: str) -> None:
    remove_fact(
        store, uid, "case_number", "（2022）粤01民初732-734号", place=Place(was="(2022)粤01民初733号"), **BY
    )
    assert [serial for _, serial in facts(store, "case_number", "serial")] == [732, 734]


def test_corrected_facts_outlive_a_reparse(store: Engine, uid: str) -> None:
    correct_fact(store, uid, "amount", "90万元", {"amount": "910000"}, **BY)
    remove_fact(
        store, uid, "case_number", "（2022）粤01民初732-734号", place=Place(was="（2022）粤01民初733号"), **BY
    )
    add_fact(store, uid, "party", "示例公司", {"name": "示例公司"}, **BY)
    before = everything(store)
    reparse(store, make_record(7, body=BODY + RANGE))
    assert everything(store) == before


def test_corrected_facts_outlive_an_edit_that_moves_the_words(store: Engine, uid: str) -> None:
    place = Place("body", BODY.rindex("35万元"))
    correct_fact(store, uid, "amount", "35万元", {"amount": "360000"}, place=place, **BY)
    moved = "更正：" + BODY.replace("90万元", "95万元") + RANGE
    (written,) = write_records(store, [make_record(7, body=moved)])
    assert written.outcome == "edited"
    amounts = [amount for raw, amount in facts(store, "amount", "amount") if raw == "35万元"]
    assert amounts == ["350000", "360000"]
    with store.connect() as connection:
        row: Any = connection.execute(select(FactRow).where(FactRow.method == "correction")).one()
    assert moved[row.start : row.end] == "35万元"


def test_a_person_s_fact_stands_even_when_its_words_are_edited_away(store: Engine, uid: str) -> None:
    correct_fact(store, uid, "amount", "九十万元", {"amount": "910000"}, **BY)
    (written,) = write_records(store, [make_record(7, body=BODY.replace("，即九十万元", "") + RANGE)])
    assert written.outcome == "edited"
    assert ("九十万元", "910000") in facts(store, "amount", "amount")


def test_a_mended_rule_that_reads_more_of_the_words_does_not_overrule_the_person(
    store: Engine,
) -> None:
    body = "法院判决被告赔偿人民币35万元。"
    uid = write(store, make_record(7, body=body))
    correct_fact(store, uid, "amount", "人民币35万元", {"amount": "360000"}, **BY)
    record = make_record(7, body=body)
    narrower = tuple(
        dataclasses.replace(fact, raw="35万元", start=fact.start + 3) if fact.kind == "amount" else fact
        for fact in record.facts
    )
    reparse(store, dataclasses.replace(record, facts=narrower))
    assert [amount for _, amount in facts(store, "amount", "amount")] == ["360000"]


def test_undoing_everything_in_any_order_gives_the_machine_s_facts_back(store: Engine, uid: str) -> None:
    before = everything(store)
    made = [
        correct_fact(store, uid, "amount", "90万元", {"amount": "910000"}, **BY),
        correct_fact(store, uid, "amount", "90万元", {"amount": "920000"}, **BY),
        remove_fact(store, uid, "amount", "90万元", **BY),
        add_fact(store, uid, "party", "示例公司", {"name": "示例公司"}, **BY),
    ]
    for correction in (made[1], made[3], made[0], made[2]):
        undo(store, correction)
    assert everything(store) == before
    assert all(row["undone_at"] for row in list_corrections(store))


def test_search_finds_the_person_s_reading_and_not_the_machine_s(store: Engine, uid: str) -> None:
    correct_fact(store, uid, "amount", "90万元", {"amount": "7000000"}, **BY)
    found = search_items(store, facts=FactFilter(amount_min=Decimal(5_000_000)))
    assert [hit.uid for hit in found.hits] == [uid]
    assert "7000000 CNY" in found.hits[0].facts["amount"]
    assert "90万元" not in found.hits[0].facts["amount"]


def test_rules_see_the_person_s_facts_when_an_item_is_edited(store: Engine, uid: str) -> None:
    add_fact(store, uid, "ip_type", "专利", {"ip_type": "plant_variety"}, **BY)
    rule = Rule(
        name="Plants", ip_types=("plant_variety",), events=("edited",), send=(Recipient(channel="log"),)
    )
    edited = make_record(7, body=BODY.replace("90万元", "95万元") + RANGE)
    (written,) = write_records(store, [edited], Rules([rule]))
    assert (written.outcome, written.deliveries) == ("edited", 1)


# --- Refusals ---


REFUSED: list[tuple[str, Any]] = [
    ("no kind of fact", lambda store, uid: remove_fact(store, uid, "colour", "红", **BY)),
    ("No amount of the item reads", lambda store, uid: remove_fact(store, uid, "amount", "1元", **BY)),
    ("has no 'sum'", lambda store, uid: correct_fact(store, uid, "amount", "90万元", {"sum": 1}, **BY)),
    ("is no sum", lambda store, uid: correct_fact(store, uid, "amount", "90万元", {"amount": "x"}, **BY)),
    (
        "needs its 'amount'",
        lambda store, uid: correct_fact(store, uid, "amount", "90万元", {"amount": None}, **BY),
    ),
    ("is no ip_type", lambda store, uid: add_fact(store, uid, "ip_type", "x", {"ip_type": "x"}, **BY)),
    ("needs its 'name'", lambda store, uid: add_fact(store, uid, "party", "示例公司", {}, **BY)),
    ("needs its words", lambda store, uid: add_fact(store, uid, "party", " ", {"name": "x"}, **BY)),
    ("needs a reason", lambda store, uid: correct_published(store, uid, None, author="A", reason=" ")),
    ("needs a name", lambda store, uid: correct_published(store, uid, None, author="", reason="x")),
    ("no correction 99", lambda store, uid: undo(store, 99)),
]


@pytest.mark.parametrize(("words", "attempt"), REFUSED, ids=[words for words, _ in REFUSED])
def test_a_correction_that_cannot_be_meant_is_refused_and_changes_nothing(
    store: Engine, uid: str, words: str, attempt: Any
) -> None:
    before = everything(store)
    with pytest.raises(CorrectionError, match=words):
        attempt(store, uid)
    assert everything(store) == before
    assert list_corrections(store) == []


def test_nothing_is_undone_twice(store: Engine, uid: str) -> None:
    made = correct_published(store, uid, None, **BY)
    undo(store, made)
    with pytest.raises(CorrectionError, match="undone already"):
        undo(store, made)


@pytest.mark.parametrize(
    ("given", "words"),
    [("0" * 32, "No stored item"), ("zz", "is no item's id"), ("https://x.cn/", "No stored item")],
)
def test_an_item_that_is_not_stored_is_named(store: Engine, given: str, words: str) -> None:
    with pytest.raises(NoSuchItem, match=words):
        correct_published(store, given, None, **BY)


def test_an_item_may_be_named_by_the_beginning_of_its_id_or_by_its_url(store: Engine, uid: str) -> None:
    correct_published(store, uid[:8], None, **BY)
    correct_published(store, "https://www.court.gov.cn/fabu/xiangqing/7.html", None, **BY)
    assert len(list_corrections(store, uid)) == 2
