"""Items, facts, counts and stories over HTTP: what is asked for, whole, and on exactly one page."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete

from crawlers.notice import PrintedDate
from pipeline.store.columns import Base
from pipeline.store.outbox_rows import Match
from pipeline.store.write import write_records
from query.facets import count_facets
from query.facts import list_facts
from query.item import describe_item
from query.search import find_conditions
from tests.api.conftest import Ask, serving
from tests.notices import make_record

FIRST = date(2026, 1, 1)


def write(store: Engine, days: Iterable[int], start: int = 1) -> None:
    """Items with these days of publication, from 2026-01-01 on."""
    write_records(
        store,
        [
            make_record(number, dates=(PrintedDate(str(FIRST + timedelta(days=day)), "labelled text"),))
            for number, day in enumerate(days, start)
        ],
    )


def pages(client: httpx.Client, path: str, **asked: Any) -> Iterable[dict[str, Any]]:
    """Every page of an answer."""
    cursor: dict[str, str] = {}
    while True:
        answer = client.get(path, params={**asked, **cursor})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        yield page
        if page["next"] is None:
            return
        cursor = {"cursor": page["next"]}


def numbers(hits: list[dict[str, Any]]) -> list[int]:
    return [int(hit["url"].rsplit("/", 1)[-1].removesuffix(".html")) for hit in hits]


days = st.lists(st.integers(0, 6), min_size=1, max_size=8)


@given(before=days, arriving=st.lists(days, max_size=4), limit=st.integers(1, 4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
def test_each_item_is_on_exactly_one_page_however_many_arrive(
    store: Engine, before: list[int], arriving: list[list[int]], limit: int
) -> None:
    with store.begin() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            if table.name != "run":
                connection.execute(delete(table))
    write(store, before)
    seen: list[int] = []
    written = len(before)
    with serving(store) as client:
        for page, more in zip(
            pages(client, "/api/v1/items", limit=limit), [*arriving, *[[]] * 100], strict=False
        ):
            seen += numbers(page["items"])
            if more:
                write(store, more, start=written + 1)
                written += len(more)
    assert len(seen) == len(set(seen))
    assert set(range(1, len(before) + 1)) <= set(seen)


@pytest.mark.parametrize(
    ("path", "rows", "limit"), [("facts", "facts", 3), ("stories?single=true", "stories", 2)]
)
def test_pages_of_facts_and_stories_put_together_are_the_whole(
    store: Engine, ask: Ask, path: str, rows: str, limit: int
) -> None:
    write(store, [3, 3, 1, 5])
    client = ask()
    path, _, query = path.partition("?")
    extra = dict(part.split("=") for part in query.split("&") if part)
    (whole,) = pages(client, f"/api/v1/{path}", limit=200, **extra)
    found = [row for page in pages(client, f"/api/v1/{path}", limit=limit, **extra) for row in page[rows]]
    assert len(found) > limit
    assert found == whole[rows]


def test_a_search_has_the_filters_of_the_command(store: Engine, ask: Ask) -> None:
    write(store, [0, 1, 2, 3])
    client = ask()

    def found(**asked: Any) -> list[int]:
        answer = client.get("/api/v1/items", params=asked).json()
        assert answer["total"] == len(answer["items"])
        return numbers(answer["items"])

    assert found() == [4, 3, 2, 1]
    assert found(q="第3号通知") == [3]
    assert found(q='"第3号通知的正文" 商标') == [3]
    assert found(since="2026-01-03", until="2026-01-03") == [3]
    assert found(amount_min="3万", amount_max="30000") == [3]
    assert found(ip_type="patent") == []
    assert found(ip_type=["patent", "trademark"]) == [4, 3, 2, 1]
    assert found(source="court_spc_interpretations", party="nobody") == []
    assert found(q="主题:law") == [4, 3, 2, 1]
    for asked in ("topic:lore", "source:nowhere"):
        assert client.get("/api/v1/items", params={"q": asked}).status_code == 422


def test_a_cursor_is_good_for_its_own_question_only(store: Engine, ask: Ask) -> None:
    write(store, range(4))
    client = ask()
    cursor = client.get("/api/v1/items", params={"limit": 1}).json()["next"]
    assert client.get("/api/v1/items", params={"cursor": cursor, "limit": 3}).status_code == 200
    for path, asked in (("items", {"q": "商标"}), ("facts", {}), ("runs", {}), ("stories", {})):
        answer = client.get(f"/api/v1/{path}", params={"cursor": cursor, **asked})
        assert answer.status_code == 422
        assert "cursor" in answer.json()["detail"]


def test_an_item_over_http_is_all_that_show_knows(store: Engine, ask: Ask) -> None:
    first = make_record(7)
    for record in (first, make_record(7, body=first.body.replace("赔偿7万元", "赔偿9万元"))):
        write_records(store, [record], lambda _record, _event: [Match("all", "mail", "anna@example.org")])
    client = ask("admin")
    uid = client.get("/api/v1/items").json()["items"][0]["uid"]
    known = describe_item(store, uid)
    answered = client.get(f"/api/v1/items/{uid}").json()
    kept = ("sha256", "url", "kind", "status", "fetched_at", "detail")
    known["snapshots"] = [{key: row[key] for key in kept} for row in known["snapshots"]]
    assert set(answered) == set(known)
    for part in ("facts", "fields", "addresses", "corrections", "candidates", "title"):
        assert answered[part] == known[part], part
    assert [version["changes"] for version in answered["versions"]] == [
        version["changes"] for version in known["versions"]
    ]
    assert [row["recipient"] for row in answered["deliveries"]] == ["anna@example.org"] * 2
    assert [row["sha256"] for row in answered["snapshots"]] == [row["sha256"] for row in known["snapshots"]]
    assert client.get(f"/api/v1/stories/{uid}").json() == answered["story"]


def test_facts_come_with_their_sentence_and_their_item(store: Engine, ask: Ask) -> None:
    write(store, [0, 1])
    facts = ask().get("/api/v1/facts", params={"fact": "amount"}).json()["facts"]
    assert [fact["reading"] for fact in facts] == ["20000 CNY", "10000 CNY"]
    assert facts[0]["sentence"].endswith("赔偿2万元。")
    assert numbers(facts) == [2, 1]


def test_facets_count_items_and_not_facts(store: Engine, ask: Ask) -> None:
    write(store, [0, 1, 40])
    client = ask()
    answer = client.get("/api/v1/facets").json()
    assert (answer["counted"], answer["complete"]) == (3, True)
    facets = answer["facets"]
    assert [(one["value"], one["count"]) for one in facets["month"]["values"]] == [
        ("2026-02", 1),
        ("2026-01", 2),
    ]
    assert facets["source"]["values"] == [{"value": "court_spc_interpretations", "count": 3}]
    assert facets["ip_type"]["values"] == [{"value": "trademark", "count": 3}]
    assert facets["outcome"] == {"values": [], "without": 3, "left_out": 0}
    assert list(client.get("/api/v1/facets", params={"by": "month", "q": "第3号"}).json()["facets"]) == [
        "month"
    ]


def test_counts_that_are_capped_say_so_and_are_right_for_what_was_counted(store: Engine) -> None:
    write(store, [0, 1, 40, 80])
    counted = count_facets(store, [], ["month"], most_counted=3, most_values=2)
    assert (counted.counted, counted.complete) == (3, False)
    assert counted.facets["month"].values == [("2026-03", 1), ("2026-02", 1)]
    assert counted.facets["month"].left_out == 1


def test_an_undated_item_is_counted_as_without_a_month(store: Engine) -> None:
    write_records(store, [make_record(1, dates=())])
    facet = count_facets(store, [], ["month"]).facets["month"]
    assert (facet.values, facet.without) == ([], 1)


def test_facts_that_are_corrected_keep_their_place_in_the_list(store: Engine) -> None:
    write(store, [0, 0])
    conditions = find_conditions(store.dialect.name, [])
    rows = list_facts(store, conditions, limit=200)
    places = [place for place, _ in rows]
    assert places == sorted(places, key=lambda place: (-place[0], -place[1], place[2]))
