"""Corrections over HTTP: with the scope write, in the name of the token, all or nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import Engine

from pipeline.store.corrections import list_corrections
from pipeline.store.write import write_records
from query.search import search_items
from tests.api.conftest import Ask
from tests.notices import make_record

PUBLISHED = {"published": "2026-11-18", "reason": "the notice board"}
AMOUNT: dict[str, Any] = {
    "action": "set",
    "kind": "amount",
    "raw": "7万元",
    "value": {"amount": "90000"},
    "reason": "misprint",
}


@pytest.fixture
def uid(store: Engine) -> str:
    """The id of an item that names a sum."""
    write_records(store, [make_record(7)])
    return search_items(store, []).hits[0].uid


def test_a_correction_is_made_in_the_name_of_the_token_and_undone(store: Engine, ask: Ask, uid: str) -> None:
    client = ask("write")
    made = [
        client.post(f"/api/v1/items/{uid}/published", json=PUBLISHED),
        client.post(f"/api/v1/items/{uid}/facts", json=AMOUNT),
    ]
    assert [answer.status_code for answer in made] == [201, 201], [answer.text for answer in made]
    item = client.get(f"/api/v1/items/{uid}").json()
    assert (item["published"]["on"], item["published"]["method"]) == ("2026-11-18", "correction")
    assert [fact["reading"] for fact in item["facts"] if fact["kind"] == "amount"] == ["90000 CNY"]
    assert [row["author"].split()[0] for row in item["corrections"]] == ["write", "write"]
    for answer in made:
        number = answer.json()["correction"]
        assert client.post(f"/api/v1/corrections/{number}/undo").status_code == 200
        assert client.post(f"/api/v1/corrections/{number}/undo").status_code == 422
    item = client.get(f"/api/v1/items/{uid}").json()
    assert item["published"]["on"] == "2026-11-19"
    assert [fact["reading"] for fact in item["facts"] if fact["kind"] == "amount"] == ["70000 CNY"]


def test_a_fact_is_added_and_removed(ask: Ask, uid: str) -> None:
    client = ask("write")
    for action, raw in (("add", "赔偿8万元"), ("remove", "7万元")):
        said = {"action": action, "kind": "amount", "raw": raw.removeprefix("赔偿"), "reason": "as printed"}
        answer = client.post(f"/api/v1/items/{uid}/facts", json=said)
        assert answer.status_code == 201, answer.text
    item = client.get(f"/api/v1/items/{uid}").json()
    assert [fact["raw"] for fact in item["facts"] if fact["kind"] == "amount"] == ["8万元"]


@pytest.mark.parametrize("scope", [None, "feed", "read"])
def test_without_the_scope_write_nothing_is_corrected(
    store: Engine, ask: Ask, uid: str, scope: str | None
) -> None:
    client = ask(scope)
    for path, said in (
        (f"items/{uid}/published", PUBLISHED),
        (f"items/{uid}/facts", AMOUNT),
        ("corrections/1/undo", {}),
    ):
        assert client.post(f"/api/v1/{path}", json=said).status_code == 403
    assert list_corrections(store) == []


BAD: list[tuple[str, Any]] = [
    ("published", {"published": "2026-11-18"}),
    ("published", {"published": "2026-11-18", "reason": " "}),
    ("published", {"published": "昨天", "reason": "x"}),
    ("published", {"published": "2999-01-01", "reason": "x"}),
    ("published", {"published": "2026-11-18\x00", "reason": "x"}),
    ("published", {"published": "2026-11-18", "reason": "\ud800"}),
    ("published", {"published": "2026-11-18", "reason": "x", "author": "Anna"}),
    ("published", []),
    ("facts", {**AMOUNT, "action": "drop"}),
    ("facts", {**AMOUNT, "kind": "nonsense"}),
    ("facts", {**AMOUNT, "raw": "8万元"}),
    ("facts", {**AMOUNT, "value": {}}),
    ("facts", {**AMOUNT, "value": {"amount": "a lot"}}),
    ("facts", {**AMOUNT, "value": {"amount": "1\x00"}}),
    ("facts", {**AMOUNT, "value": {"\ud800": "1"}}),
    ("facts", {**AMOUNT, "value": {"amount": 10**400}}),
    ("facts", {**AMOUNT, "value": {"amount": {"deep": []}}}),
    ("facts", {**AMOUNT, "start": 3}),
    ("facts", {**AMOUNT, "field": "body", "start": -1}),
    ("facts", {**AMOUNT, "action": "remove"}),
]


@pytest.mark.parametrize(("path", "said"), BAD)
def test_what_can_not_be_meant_is_refused_and_nothing_written(
    store: Engine, ask: Ask, uid: str, path: str, said: Any
) -> None:
    answer = ask("write").post(
        f"/api/v1/items/{uid}/{path}",
        content=json.dumps(said).encode(),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert list_corrections(store) == []


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 60_000, b'{"published": NaN}', b"null"])
def test_a_body_that_is_no_json_is_refused(ask: Ask, uid: str, body: bytes) -> None:
    answer = ask("write").post(
        f"/api/v1/items/{uid}/published", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_correction_of_no_item_is_not_found(ask: Ask, uid: str) -> None:
    assert ask("write").post(f"/api/v1/items/{'0' * 32}/published", json=PUBLISHED).status_code == 404
