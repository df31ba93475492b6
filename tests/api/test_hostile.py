"""Whatever is asked, the answer is a document of the API: nothing a client sends makes the server fail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select

from pipeline.store.tables import Item
from pipeline.store.write import write_records
from query.api.cursors import read_cursor, write_cursor
from query.errors import QueryError
from query.search import search_items
from tests.api.conftest import serving
from tests.notices import make_record

NASTY = [
    "\x00",
    "商标\x00",
    "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
    "\ufffe\uffff\U0010ffff",
    "'; DROP TABLE item; --",
    '" OR 1=1 --',
    "%' OR '1'='1",
    'a" AND "b" NEAR/0 "c*',
    "{title}:*",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "%00%2e%2e%2f",
    "${jndi:ldap://a}",
    "-1",
    "9" * 40,
    "1e999",
    "NaN",
    "٣",
    "0000-00-00",
    "9999999-01-01",
    "\u202e\u0000\u200b",
    "A" * 199,
    "A" * 5000,
    "一" * 199,
    "（" * 150,
    "(2022)粤0192民初" * 15,
    "\r\nX-Injected: 1",
]
NAMES = (
    "q", "source", "since", "until", "case_no", "court", "amount_min", "amount_max", "currency", "ip_type",
    "statute", "party", "doc_no", "kind", "limit", "cursor", "fact", "by", "single", "state", "rule", "name", "token",
)  # fmt: skip
PATHS = (
    "/api/v1/items", "/api/v1/facts", "/api/v1/facets", "/api/v1/stories", "/api/v1/runs", "/api/v1/deliveries",
    "/feeds/search.atom", "/feeds/search.rss", "/feeds/search.json", "/feeds/rule.atom",
    "/metrics",
)  # fmt: skip


@pytest.fixture
def client(store: Engine) -> Iterator[httpx.Client]:
    write_records(store, [make_record(1), make_record(2, title="A\x0bB <b>&amp;", body="]]><script>\x00")])
    with serving(store) as made:
        yield made


def check(answer: httpx.Response) -> None:
    assert answer.status_code < 500, (str(answer.url), answer.text)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "html" not in answer.headers.get("content-type", "")
    assert "x-injected" not in answer.headers
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        body = answer.json()
        assert body["status"] == answer.status_code
        assert body["detail"].endswith((".", "?", "!"))
        assert not any(word in answer.text for word in ("Traceback", "sqlalchemy", "SELECT"))


@pytest.mark.parametrize("path", PATHS)
def test_no_value_of_a_filter_makes_the_server_fail(client: httpx.Client, path: str) -> None:
    # Each path meets all names and all values, and all paths together nearly all pairs of them.
    for number, name in enumerate(NAMES):
        for value in NASTY[(number + PATHS.index(path)) % 9 :: 9]:
            check(client.get(path, params={name: value}))


@pytest.mark.parametrize(
    "path", ["/api/v1/items/{}", "/api/v1/stories/{}", "/api/v1/sources/{}", "/feeds/{}", "/{}"]
)
def test_no_path_makes_the_server_fail(client: httpx.Client, path: str) -> None:
    for value in [*NASTY, "0" * 32, "%ff%fe", "..%2f..", "a/b"]:
        answer = client.get(path.format(value.replace("\x00", "%00").replace("\r\n", "%0d%0a")))
        check(answer)
        assert answer.status_code >= 400


def test_asking_in_sql_changes_nothing(store: Engine, client: httpx.Client) -> None:
    for value in NASTY:
        client.get("/api/v1/items", params={"q": value, "party": value})
    with store.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(Item)) == 2


def test_a_name_that_is_no_filter_is_refused_and_named(client: httpx.Client) -> None:
    answer = client.get("/api/v1/items", params={"ip_typ": "patent"})
    check(answer)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["where"] == "query.ip_typ"


@pytest.mark.parametrize(
    "day", ["0", "1700000000", "2026-11-20T00:00:00", "20261120", "２０２６-11-20", "2026-13-01"]
)
def test_what_is_no_day_is_refused(client: httpx.Client, day: str) -> None:
    for name in ("since", "until"):
        answer = client.get("/api/v1/items", params={name: day})
        check(answer)
        assert answer.status_code == 422, day


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "NONSENSE"])
def test_other_methods_are_refused_with_those_that_are_allowed(client: httpx.Client, method: str) -> None:
    answer = client.request(method, "/api/v1/items")
    check(answer)
    assert answer.status_code == 405
    assert {"GET", "HEAD"} <= set(answer.headers["allow"].split(", "))


def test_head_is_get_without_the_body(client: httpx.Client) -> None:
    got, head = client.get("/api/v1/items"), client.head("/api/v1/items")
    assert (head.status_code, head.content) == (200, b"")
    for name in ("etag", "content-type", "content-length"):
        assert head.headers[name] == got.headers[name]


def test_what_has_not_changed_is_not_sent_again(store: Engine, client: httpx.Client) -> None:
    tag = client.get("/api/v1/items").headers["etag"]
    for header in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        again = client.get("/api/v1/items", headers={"If-None-Match": header})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    write_records(store, [make_record(3)])
    fresh = client.get("/api/v1/items", headers={"If-None-Match": tag})
    assert fresh.status_code == 200
    assert fresh.headers["etag"] != tag


@given(st.one_of(st.text(max_size=320), st.binary(max_size=200).map(lambda raw: raw.decode("latin-1"))))
def test_no_text_that_was_not_given_out_is_a_cursor(text: str) -> None:
    with pytest.raises(QueryError):
        read_cursor("items", text, (int, int))


places = st.tuples(st.integers(-(2**63) + 1, 2**63 - 1), st.integers(0, 2**63 - 1))


@given(places, st.text(), st.text())
def test_a_cursor_comes_back_as_it_was_given_to_its_own_question_only(
    place: tuple[int, int], asked: str, other: str
) -> None:
    cursor = write_cursor(asked, place)
    assert read_cursor(asked, cursor, (int, int)) == place
    if other != asked:
        with pytest.raises(QueryError):
            read_cursor(other, cursor, (int, int))


@pytest.mark.parametrize("place", [(2**64, 1), (1,), (1, 2, 3), ("a", 1), (True, 1), (1.5, 1), ("a'b",)])
def test_a_cursor_with_another_place_is_refused_although_its_digest_is_right(place: Any) -> None:
    for shape in ((int, int), (str,)):
        with pytest.raises(QueryError):
            read_cursor("items", write_cursor("items", place), shape)


@given(text=st.text(max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_any_words_are_searched_or_refused(client: httpx.Client, text: str) -> None:
    check(client.get("/api/v1/items", params={"q": text.encode("utf-8", "replace").decode()}))


def test_a_store_that_is_gone_is_a_refusal_too(store: Engine, client: httpx.Client) -> None:
    with store.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE item RENAME TO item_gone")
    answer = client.get("/api/v1/items")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert "item" not in answer.json()["detail"]


def test_a_text_that_looks_like_markup_is_served_as_text(store: Engine, client: httpx.Client) -> None:
    uid = next(hit.uid for hit in search_items(store, []).hits if "<b>" in hit.title)
    item = client.get(f"/api/v1/items/{uid}")
    assert item.headers["content-type"] == "application/json"
    assert "<b>" in item.json()["title"]
