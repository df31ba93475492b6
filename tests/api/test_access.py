"""Who may ask what: by scope, by address, by host name; and what of it is written down."""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from pipeline.health.ledger import Watched
from pipeline.store.api_tokens import SCOPES, add_token, revoke_token
from pipeline.store.outbox_rows import Match
from pipeline.store.saved_searches import save_search
from pipeline.store.write import write_records
from query.api.app import build_app
from query.api.rates import Rates
from query.api.served import Served
from query.search import search_items
from tests.api.conftest import SOURCE, Ask
from tests.notices import make_record

# The scope that each path needs to be read; None: it tells nothing of the store. tests/api/test_correcting.py has
# those that are written to.
NEEDED = {
    "/api/v1/openapi.json": None,
    "/api/v1/items": "read",
    "/api/v1/items/{uid}": "read",
    "/api/v1/stories": "read",
    "/api/v1/stories/{uid}": "read",
    "/api/v1/facts": "read",
    "/api/v1/facets": "read",
    "/api/v1/sources": "read",
    "/api/v1/sources/{key}": "read",
    "/api/v1/runs": "read",
    "/api/v1/deliveries": "admin",
    "/api/v1/feeds": "read",
    "/api/v1/export": "read",
    "/api/v1/searches": "read",
    "/api/v1/searches/{name}": "read",
    "/metrics": "read",
    "/feeds/search.{form}": "feed",
    "/feeds/rule.{form}": "feed",
}


@pytest.fixture
def uid(store: Engine) -> str:
    """The id of an item that somebody was alerted about; there is a saved search as well."""
    save_search(store, "marks", "商标", now=datetime.now(UTC))
    write_records(store, [make_record(1)], lambda _record, _event: [Match("all", "mail", "anna@example.org")])
    return search_items(store, []).hits[0].uid


def address(path: str, uid: str) -> str:
    filled = path.format(uid=uid, key=SOURCE["key"], form="atom", name="marks")
    if path.endswith("/export"):
        return f"{filled}?format=csv"
    return f"{filled}?name=all" if "rule" in path else filled


def paths(engine: Engine) -> set[str]:
    """All that the application answers to when it is read, as it says itself."""
    edge: Any = build_app(Served(engine=engine, sources={}))
    described = edge._app.openapi()["paths"]
    return {path for path, methods in described.items() if "get" in methods} | {"/api/v1/openapi.json"}


def test_every_path_is_held_against_its_scope_here(store: Engine) -> None:
    assert paths(store) == set(NEEDED)


@pytest.mark.parametrize("path", NEEDED)
def test_a_path_is_open_to_its_scope_and_those_above_it_only(
    store: Engine, ask: Ask, uid: str, path: str
) -> None:
    client = ask(trusts_all=False)
    target = address(path, uid)
    needed = NEEDED[path]
    assert client.get(target).status_code == (401 if needed else 200)
    for scope in SCOPES:
        token = add_token(store, scope, scope, days=1, now=datetime.now(UTC))
        answer = client.get(target, headers={"Authorization": f"Bearer {token}"})
        allowed = needed is None or SCOPES.index(scope) >= SCOPES.index(needed)
        assert answer.status_code == (200 if allowed else 403), (scope, answer.text)
        if not allowed:
            assert f"scope {needed}" in answer.json()["detail"]


def test_who_was_told_is_shown_to_admins_only(ask: Ask, uid: str) -> None:
    for scope in ("read", "write"):
        answer = ask(scope).get(f"/api/v1/items/{uid}")
        assert [row["recipient"] for row in answer.json()["deliveries"]] == [None]
        assert "anna@example.org" not in answer.text
    assert "anna@example.org" in ask("admin").get(f"/api/v1/items/{uid}").text
    assert ask("admin").get("/api/v1/deliveries").json()["deliveries"][0]["recipient"] == "anna@example.org"


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer nonsense", "Bearer iprwatch_" + "A" * 43, "Basic YTpi", "token"],
)
def test_a_header_that_holds_no_good_token_is_refused_even_where_none_is_needed(
    ask: Ask, header: str
) -> None:
    answer = ask().get("/api/v1/items", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def test_an_expired_and_a_revoked_token_are_refused(store: Engine, ask: Ask) -> None:
    now = datetime.now(UTC)
    expired = add_token(store, "old", "read", days=1, now=now - timedelta(days=2))
    revoked = add_token(store, "lost", "read", days=None, now=now)
    client = ask()
    shown = [{"Authorization": f"Bearer {token}"} for token in (expired, revoked)]
    assert [client.get("/api/v1/items", headers=header).status_code for header in shown] == [401, 200]
    revoke_token(store, "lost", now=now)
    assert [client.get("/api/v1/items", headers=header).status_code for header in shown] == [401, 401]


def test_reading_on_loopback_needs_a_token_from_the_first_one_on_for_ever(store: Engine, ask: Ask) -> None:
    client = ask()
    assert client.get("/api/v1/items").status_code == 200
    add_token(store, "first", "read", days=1, now=datetime.now(UTC))
    assert client.get("/api/v1/items").status_code == 401
    revoke_token(store, "first", now=datetime.now(UTC))
    assert client.get("/api/v1/items").status_code == 401


def test_who_comes_through_a_proxy_needs_a_token(ask: Ask) -> None:
    for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"):
        assert ask().get("/api/v1/items", headers={header: "203.0.113.7"}).status_code == 401


def test_only_a_feed_token_may_stand_in_a_url(store: Engine, ask: Ask) -> None:
    client = ask()
    for scope in SCOPES:
        token = add_token(store, scope, scope, days=1, now=datetime.now(UTC))
        answer = client.get("/feeds/search.json", params={"token": token})
        assert answer.status_code == (200 if scope == "feed" else 403)
        if scope == "feed":
            assert token not in answer.text
        # No other path takes a token in its address.
        assert client.get("/api/v1/items", params={"token": token}).status_code in (401, 422)


def test_metrics_are_open_only_where_the_operator_said_so(store: Engine, ask: Ask) -> None:
    add_token(store, "first", "read", days=1, now=datetime.now(UTC))
    watched = [Watched(SOURCE["key"], "例 (Example)", "例", lambda _moment: None)]
    assert ask(watched=watched).get("/metrics").status_code == 401
    client = ask(watched=watched, open_metrics=True)
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert f'iprwatch_source_well{{source="{SOURCE["key"]}"}} 0.0' in answer.text.splitlines()
    # Nothing else is, and a token that is shown must be a good one.
    assert client.get("/api/v1/sources").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer nonsense"}).status_code == 401
    hosts = frozenset(("127.0.0.1",))
    refused = ask(open_metrics=True, hosts=hosts).get("/metrics", headers={"Host": "evil.example"})
    assert refused.status_code == 421


def test_a_name_that_is_not_the_server_s_own_is_refused(ask: Ask) -> None:
    client = ask(hosts=frozenset(("localhost", "127.0.0.1", "::1")))
    for host in ("localhost", "127.0.0.1:80", "[::1]:8000", "LOCALHOST."):
        assert client.get("/api/v1/items", headers={"Host": host}).status_code == 200, host
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "[::2]", "0"):
        answer = client.get("/api/v1/items", headers={"Host": host})
        assert answer.status_code == 421, host
        assert answer.headers["content-type"] == "application/problem+json"


def test_no_foreign_page_may_read_an_answer(ask: Ask) -> None:
    client = ask()
    for method in ("GET", "OPTIONS"):
        answer = client.request(
            method,
            "/api/v1/items",
            headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"},
        )
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_who_asks_too_often_is_told_when_to_come_back(ask: Ask) -> None:
    by_address, by_token = (Rates(a_second=0.001, at_once=2) for _ in range(2))
    for client in (ask("read", address_rates=by_address), ask("read", token_rates=by_token)):
        answers = [client.get("/api/v1/items") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert int(answers[2].headers["retry-after"]) > 0
        assert answers[2].headers["content-type"] == "application/problem+json"


def test_permits_come_back_at_a_steady_rate() -> None:
    now = 0.0
    rates = Rates(a_second=2, at_once=3, clock=lambda: now)
    assert [rates.wait("a") for _ in range(4)] == [0, 0, 0, 0.5]
    assert rates.wait("b") == 0
    now = 0.5
    assert [rates.wait("a") for _ in range(2)] == [0, 0.5]
    now = 100.0
    assert [rates.wait("a") for _ in range(4)] == [0, 0, 0, 0.5]


def test_the_log_names_who_asked_what_and_holds_no_token(
    store: Engine, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    client = ask("admin")
    shown = client.headers["Authorization"].removeprefix("Bearer ")
    feed = add_token(store, "reader", "feed", days=1, now=datetime.now(UTC))
    with caplog.at_level(logging.INFO, logger="iprwatch.serve"):
        client.get("/api/v1/items", params={"q": "商标"})
        client.get(f"/feeds/search.atom?token={feed}", headers={"Authorization": ""})
        client.get(f"/feeds/search.atom?%74oken={feed}&q=a%0Ab", headers={"Authorization": ""})
        client.get(f"/api/v1/items/{shown}?q={shown}")
    said = [record.getMessage() for record in caplog.records if record.name == "iprwatch.serve"]
    assert len(said) == 4
    assert re.search(r'127\.0\.0\.1 "GET /api/v1/items\?q=%E5%95%86%E6%A0%87" 200 .* admin \d+$', said[0])
    for line in said:
        assert shown not in line
        assert feed not in line
        assert "\n" not in line


def test_a_body_that_is_too_long_is_refused(ask: Ask) -> None:
    answer = ask().request("GET", "/api/v1/items", content=b"x" * 100_000)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
