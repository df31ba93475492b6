"""The newest items of a search, by whatever way they are found: in order, complete, and counted."""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select, text

from crawlers.notice import PrintedDate
from pipeline.expression import read_query
from pipeline.expression.evaluate import is_met
from pipeline.expression.subject import Subject
from pipeline.record import Record
from pipeline.store.corrections import correct_published_as_written, remove_fact
from pipeline.store.documents import item_at, place_of
from pipeline.store.marks import mark
from pipeline.store.search_index import AllOf, AnyPhrase, indexed_places, match_items, opens_words
from pipeline.store.tables import Item
from pipeline.store.tokens import read_phrase
from pipeline.store.upkeep import check_store
from pipeline.store.write import write_records
from query import newest, search
from query.conditions import read_document
from query.search import find_conditions, search_items
from query.sought import divide_condition
from tests.notices import make_record

ITEMS = 24
PIECES = (
    "商标", "专利权", "广州互联网法院", "（2022）粤0192民初2187号", "赔偿35万元", "trade secret", "标专", "AI生成", "侵权纠纷",
    "（2022）粤0192民初2187附件",
)  # fmt: skip
QUERIES = (
    "商标", '"商标专"', "权", "商标 -专利", "NOT 商标", "商标 OR 侵权", "广州互联网法院", "商标 amount>=30万", "amount>=30万",
    "商标 date>=2026-11-10", "date<2026-11-10", "region:广东 专利",
    '"（2022）粤0192民初2187号"', '商标 -"（2022）粤0192民初2187号"', '权 OR "（2022）粤0192民初2187号"', "（2022）粤0192民初2187号",
    '-(商标 "（2022）粤0192民初2187号")', '(商标 OR 侵权) (专利 OR 赔偿) "（2022）粤0192民初2187号"', "(商标 OR 侵权) (专利 OR AI生成)",
)  # fmt: skip


@pytest.fixture
def records(store: Engine) -> list[Record]:
    """Stored items of a few pieces each, whose dates are in no order; some are without one."""
    random = Random(5)
    made = []
    for number in range(1, ITEMS + 1):
        printed = PrintedDate(f"2026-11-{random.randint(1, 19):02d}", "list entry")
        made.append(
            make_record(
                number,
                title=f"{random.choice(PIECES)}案",
                body="".join(random.choices(PIECES, k=3)),
                dates=(printed,) if random.random() < 0.9 else (),
            )
        )
    write_records(store, made)
    return made


def in_order(store: Engine, urls: set[str]) -> list[str]:
    with store.connect() as connection:
        query = select(Item.url).order_by(Item.sort_key.desc(), Item.id.desc())
        return [url for url in connection.scalars(query) if url in urls]


def test_every_page_is_what_a_scan_finds_in_its_order(
    store: Engine, records: list[Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    # So small that few items take every way that many would.
    for name in ("_WALKED", "_LOOKED_AT", "_FIRST_LOOK", "_LOOK", "_FIRST_PAGE", "_STRETCH"):
        monkeypatch.setattr(newest, name, 4)
    subjects = {record.notice.url: Subject.of(record) for record in records}
    for written in QUERIES:
        query = read_query(written)
        met = {url for url, subject in subjects.items() if is_met(query.condition, subject)}
        expected = in_order(store, met)
        shown: list[str] = []
        after: Any = None
        while page := search_items(store, query, after=after, limit=8).hits:
            shown += [hit.url for hit in page]
            after = page[-1].place
        assert shown == expected, written
        found = search_items(store, query, limit=8)
        assert (found.total, found.more) == (len(expected), False), written
        with store.connect() as connection:
            conditions = find_conditions(store.dialect.name, query)
            assert set(connection.scalars(select(Item.url).where(*conditions))) == met, written


SUMS = (
    "999元",
    "1000元",
    "1001元",
    "9999.99元",
    "10万元",
    "100001元",
    "1000000美元",
    "9999亿元",
    "1万亿元",
    "3万亿元",
)
BOUNDS = ("999", "1000", "1000.01", "10万", "99999", "100万", "1万亿", "2万亿")


def test_sums_are_found_by_every_bound_as_by_a_scan(store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_WALKED", "_LOOKED_AT", "_FIRST_LOOK", "_LOOK", "_FIRST_PAGE", "_STRETCH"):
        monkeypatch.setattr(newest, name, 4)
    bodies = ["商标", *SUMS, *(f"{one}和{other}" for one, other in zip(SUMS, SUMS[3:], strict=False))]
    made = [
        make_record(number, body=f"商标案判赔{body}。" if number > 1 else body)
        for number, body in enumerate(bodies, 1)
    ]
    write_records(store, made)
    subjects = {record.notice.url: Subject.of(record) for record in made}
    tests = [f"amount{operator}{bound}" for operator in (">=", ">", "<=", "<", ":") for bound in BOUNDS]
    tests += [
        "amount:1000..10万",
        "amount>=1000 amount<=10万",
        "amount>=100万美元",
        "amount:..1000",
        "amount>=0",
    ]
    found_any = 0
    for test in tests:
        for written in (test, f"商标 {test}", f"-{test}", f"商标 -{test}", f"({test} OR amount:1001) 商标"):
            query = read_query(written)
            met = {url for url, subject in subjects.items() if is_met(query.condition, subject)}
            found = search_items(store, query, limit=100)
            assert [hit.url for hit in found.hits] == in_order(store, met), written
            assert found.total == len(met), written
            found_any += bool(met)
    assert found_any > len(tests)


def test_a_sum_that_is_a_power_of_ten_is_a_question_to_the_index_alone() -> None:
    for written in ("amount>=100万", "amount<=100万"):
        assert divide_condition(read_query(written).condition)[1] == []
    for written in ("amount>100万", "amount>=200万", "amount:100万", "amount:1万..100万"):
        sought, rest = divide_condition(read_query(written).condition)
        assert (sought is not None, len(rest)) == (True, 1)
    for written in ("amount>=0", "amount<=9万亿"):
        assert divide_condition(read_query(written).condition)[0] is None


def test_a_case_number_is_looked_up_without_gathering_every_word_like_its_last(store: Engine) -> None:
    phrase = read_phrase("（2022）粤0192民初2187号")
    assert phrase
    assert phrase.prefix
    sought = AnyPhrase((phrase,))
    assert not opens_words(sought)
    if store.dialect.name == "sqlite":
        written = indexed_places("sqlite", sought, None, None).compile(
            store, compile_kwargs={"literal_binds": True}
        )
        assert "*" not in str(written)
        absent = str(match_items("sqlite", AllOf((sought,), (sought,))).compile(store).params)
        assert '号"*' in absent.partition("NOT")[2]


def test_what_belongs_together_is_one_look_into_the_index(store: Engine, records: list[Record]) -> None:
    if store.dialect.name == "sqlite":
        pytest.skip("FTS5 puts parts together by itself")
    words = [read_phrase(word) for word in ("商标", "侵权", "专利")]
    first, second, third = (phrase for phrase in words if phrase)
    sought = AllOf((AnyPhrase((first, second)), AnyPhrase((third,))))
    query = indexed_places("postgresql", sought, None, None).limit(20)
    written = query.compile(store, compile_kwargs={"literal_binds": True})
    with store.connect() as connection:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {written}".replace("%", "%%")).scalars())
    assert plan.count("Bitmap Index Scan on ix_search_document_tokens") == 2
    assert "Filter" not in plan


def test_what_is_found_is_counted_up_to_a_limit_and_no_number_is_wrong(
    store: Engine, records: list[Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "MOST_TOTAL", 10)
    found = search_items(store, limit=5)
    assert (found.total, found.more, len(found.hits)) == (10, True, 5)
    everything = search_items(store, limit=ITEMS)
    assert (everything.total, everything.more) == (ITEMS, False)
    assert search_items(store, limit=5, counted=False).total is None


def test_the_index_is_asked_and_gives_the_newest_first(store: Engine, records: list[Record]) -> None:
    phrase = read_phrase("商标")
    assert phrase
    dialect = store.dialect.name
    query = indexed_places(dialect, AnyPhrase((phrase,)), None, None).limit(20)
    written = query.compile(store, compile_kwargs={"literal_binds": True})
    with store.connect() as connection:
        if dialect == "sqlite":
            plan = "\n".join(row.detail for row in connection.execute(text(f"EXPLAIN QUERY PLAN {written}")))
            assert "SCAN item_search VIRTUAL TABLE" in plan
            # Backwards, FTS5 loses documents of long lists.
            assert "DESC" not in str(written)
            assert "TEMP B-TREE" not in plan
        else:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {written}".replace("%", "%%")).scalars())
            assert "Bitmap Index Scan on ix_search_document_tokens" in plan
            few = select(Item.id).where(Item.id.in_([1, 2]), read_document(dialect, AnyPhrase((phrase,))))
            written = few.compile(store, compile_kwargs={"literal_binds": True})
            plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {written}".replace("%", "%%")).scalars())
            assert "SubPlan" in plan, "the documents of all items are joined to a few"


def test_a_correction_moves_an_item_and_takes_its_marks(store: Engine, records: list[Record]) -> None:
    oldest = search_items(store, limit=ITEMS).hits[-1]
    correct_published_as_written(store, oldest.uid, "2026-11-20 10:30", author="a", reason="b")
    assert search_items(store, limit=1).hits[0].uid == oldest.uid
    court = read_query("court:广州互联网法院")
    hit = next(hit for hit in search_items(store, court, limit=ITEMS).hits if "case_number" not in hit.facts)
    remove_fact(store, hit.uid, "court", "广州互联网法院", author="a", reason="b")
    assert hit.uid not in {left.uid for left in search_items(store, court, limit=ITEMS).hits}
    assert list(check_store(store)) == []


@settings(max_examples=40)
@given(
    st.integers(-(2**52), 2**52), st.integers(-(2**52), 2**52), st.integers(1, 2**29 - 1), st.integers(1, 2**29 - 1)
)  # fmt: skip
def test_places_are_in_the_order_of_seconds_then_numbers(
    one: int, other: int, first: int, second: int
) -> None:
    seconds = one // 1_000_000, other // 1_000_000
    assert (place_of(one, first) < place_of(other, second)) == ((seconds[0], first) < (seconds[1], second))
    assert item_at(place_of(one, first)) == first
    assert -(2**63) <= place_of(one, first) < 2**63


def test_a_place_that_does_not_fit_is_refused() -> None:
    assert place_of(10**18, 7) < 2**63
    with pytest.raises(ValueError, match="too large"):
        place_of(0, 2**29)


parts = st.lists(st.text(max_size=4), min_size=1, max_size=3)


@settings(max_examples=40)
@given(parts, parts)
def test_a_mark_names_its_parts_and_is_one_token_of_fts5(one: list[str], other: list[str]) -> None:
    assert (mark(*one) == mark(*other)) == (one == other)
    assert not set(mark(*one)) & {
        chr(code) for code in range(128) if not chr(code).isalnum() or chr(code).isupper()
    }


def test_dates_at_the_ends_of_the_calendar_are_asked_for(store: Engine, records: list[Record]) -> None:
    dated = search_items(store, since=date.min, until=date.max, limit=ITEMS)
    assert 0 < len(dated.hits) < ITEMS
