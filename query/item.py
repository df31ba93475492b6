"""Everything known of one item: fields with their origin, dates, facts, versions, story, alerts, evidence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, Engine, select

from pipeline.dedupe.changes import find_changes, render_change
from pipeline.dedupe.compare import Text
from pipeline.legal.fact_key import read_out
from pipeline.sentence import sentence_around
from pipeline.store.corrections import list_corrections
from pipeline.store.lookup import find_item
from pipeline.store.tables import (
    Address,
    Base,
    Delivery,
    FactRow,
    Item,
    Listed,
    Recheck,
    Snapshot,
    Version,
    Withdrawal,
)
from pipeline.store.withdrawals import DISMISSED
from query.stories import describe_story


def describe_item(engine: Engine, uid: str) -> dict[str, Any]:
    """Everything known of the item with this id (or the beginning of one) or URL, as JSON can hold it.

    Times are ISO forms in UTC, but a printed date keeps its own zone. Raises NoSuchItem.
    """
    with engine.connect().execution_options(read_only=True) as connection:
        item_id = find_item(connection, uid)
        item = _rows(connection, Item, Item.id == item_id)[0]
        versions = _rows(connection, Version, Version.item_id == item_id, Version.number)
        facts = _rows(connection, FactRow, FactRow.item_id == item_id, FactRow.field.desc(), FactRow.start)
        addresses = _rows(connection, Address, Address.item_id == item_id, Address.address)
        deliveries = _rows(
            connection, Delivery, Delivery.item_id == item_id, Delivery.created_at, Delivery.id
        )
        evidence = {version["snapshot_sha256"] for version in versions}
        withdrawals = _rows(connection, Withdrawal, Withdrawal.item_id == item_id, Withdrawal.id)
        for withdrawal in withdrawals:
            evidence |= {withdrawal["snapshot_sha256"], withdrawal["confirmed_sha256"]}
        snapshots = _rows(
            connection, Snapshot, Snapshot.sha256.in_(evidence), Snapshot.fetched_at, Snapshot.id
        )
        rechecks = _rows(connection, Recheck, Recheck.item_id == item_id)
        inserted = connection.execute(
            select(Listed.source_key, Listed.first_seen_at, Listed.inserted)
            .join(Address, Address.address == Listed.address)
            .where(Address.item_id == item_id, Listed.inserted.is_not(None))
            .order_by(Listed.source_key)
        ).all()
        same_as = connection.scalar(select(Item.uid).where(Item.id == item["same_as"]))
    return {
        "uid": item["uid"],
        "title": item["title"],
        "url": item["url"],
        "source": item["source_key"],
        "same_as": same_as,
        "withdrawn": any(_stands(withdrawal) for withdrawal in withdrawals),
        "fields": _describe_fields(item, versions[-1]),
        "published": {
            "on": item["published_on"],
            "at": item["published_at"],
            **{key: item[f"published_{key}"] for key in ("precision", "raw", "place", "method", "inferred")},
            "candidates_disagree": item["dates_disagree"],
        },
        "candidates": item["dates"],
        "facts": [_describe_fact(fact, item) for fact in facts],
        "versions": [
            {**_without(version, "id", "item_id"), "changes": changes}
            for version, changes in zip(versions, _describe_changes(versions), strict=True)
        ],
        "withdrawals": [_without(withdrawal, "id", "item_id") for withdrawal in withdrawals],
        "inserted": [
            {"source": row.source_key, "shown_first_at": _as_json(row.first_seen_at), "place": row.inserted}
            for row in inserted
        ],
        "recheck": _without(rechecks[0], "item_id", "source_key") if rechecks else None,
        "addresses": [address["address"] for address in addresses],
        "deliveries": [_without(delivery, "item_id") for delivery in deliveries],
        "snapshots": [_without(snapshot, "id") for snapshot in snapshots],
        "story": describe_story(engine, item["uid"]),
        "corrections": [_without(row, "uid", "title") for row in list_corrections(engine, item["uid"])],
    }


def _rows(connection: Connection, model: type[Base], condition: Any, *order: Any) -> list[dict[str, Any]]:
    query = select(*model.__table__.columns).where(condition).order_by(*order)
    return [
        {key: _as_json(value) for key, value in row._mapping.items()} for row in connection.execute(query)
    ]


def _stands(withdrawal: Mapping[str, Any]) -> bool:
    ended = withdrawal["returned_at"] is not None or withdrawal["judgement"] == DISMISSED
    return withdrawal["confirmed_at"] is not None and not ended


def _as_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value


def _without(row: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in keys}


def _describe_changes(versions: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """For each version what it says otherwise than the one before; nothing for the first."""
    texts = [Text(version["title"], version["body"], "stored") for version in versions]
    changes = [find_changes(old, new) for old, new in pairwise(texts)]
    return [[], *([{**one.describe(), "shown": render_change(one)} for one in found] for found in changes)]


def _describe_fields(item: Mapping[str, Any], newest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each field with where it comes from: `place` and, for what was read off a page, the reader as `method`."""
    page = f"page {newest['snapshot_sha256'][:12]}"
    read = {"place": page, "method": f"reader {item['reader']}"}
    declared = {"place": "the source's entry", "method": "declared"}
    crawl = {"place": f"run {item['run_id']}", "method": "crawl"}
    published = {
        "raw": item["published_raw"],
        "place": item["published_place"],
        "method": item["published_method"],
    }
    origins: dict[str, dict[str, Any]] = {
        **dict.fromkeys(
            ("title", "publisher", "author", "body", "body_note", "attachments", "links", "images"), read
        ),
        "published_on": published,
        "published_at": published,
        **dict.fromkeys(("publisher_zh", "publisher_en", "topics", "source_key"), declared),
        "identity": {"place": "the page's own id or URL", "method": "raw value"},
        "url": crawl,
        "content_sha256": {"place": page, "method": "SHA-256 of title and body as printed"},
        **dict.fromkeys(("version_number", "first_seen_at", "last_seen_at", "run_id"), crawl),
    }
    return [
        {"field": field, "value": item[field], "raw": None, **origin} for field, origin in origins.items()
    ]


def _describe_fact(fact: Mapping[str, Any], item: Mapping[str, Any]) -> dict[str, Any]:
    shown = _without(fact, "id", "item_id", "key", "court", "amount")
    return {
        **shown,
        "reading": read_out(fact["kind"], fact["value"]),
        "sentence": sentence_around(item[fact["field"]], fact["start"], fact["end"]),
    }
