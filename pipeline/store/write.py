"""The one write transaction: items, versions, addresses, facts, search documents, snapshots, stories and the outbox.

What is acknowledged is complete: an item never stands without its story and its outbox rows. Two processes may
write the same article at once; a unique key decides and the loser is compared with what the winner stored.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Engine, Table, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from pipeline.dedupe.likeness import Likeness, find_likeness
from pipeline.record import Record
from pipeline.store.dating import describe_date, published_columns, sort_key
from pipeline.store.documents import place_of, update_document, words_of, write_sequence
from pipeline.store.known import find_stored, join_items, match_stored, part_by_owner
from pipeline.store.marks import marks_of
from pipeline.store.outbox_rows import (
    HELD,
    NEW,
    VERSION,
    Match,
    Matcher,
    Occurrence,
    find_deliveries,
    match_nothing,
)
from pipeline.store.rechecks import note_seen, read_validators, recheck_row
from pipeline.store.session import StoreError, first_line
from pipeline.store.standing import apply_corrections, fact_row, read_facts
from pipeline.store.stories import place_items
from pipeline.store.tables import (
    Address,
    Base,
    Delivery,
    FactRow,
    Filtered,
    Item,
    Recheck,
    SearchDocument,
    Snapshot,
    Version,
)
from pipeline.store.versions import find_edit, version_row

__all__ = [
    "Match",
    "Matcher",
    "Outcome",
    "Written",
    "correct_item",
    "insert_ignoring",
    "match_nothing",
    "replace_facts",
    "write_records",
]

_CROSSED = ("40001", "40P01")
"""SQLSTATE of a transaction that PostgreSQL gave up in favour of another one (serialization_failure,
deadlock_detected): nothing is wrong with it, and it may be tried again at once."""
_MOST_ATTEMPTS = 5
Outcome = Literal["new", "edited", "known", "filtered"]


@dataclass(frozen=True, slots=True)
class Written:
    """What became of one record: the item it is (None when filtered), and the alerts that are due with it.

    `filled` says which fields the record had (`pipeline.health.coverage`), once that was counted."""

    item_id: int | None
    outcome: Outcome
    deliveries: int
    filled: Mapping[str, int] = field(default_factory=dict)


def write_records(engine: Engine, records: Sequence[Record], match: Matcher = match_nothing) -> list[Written]:
    """Store records in one transaction and say, in their order, what became of each.

    `match` gives the alerts for a record and an event (`new`, `version N`); its rows are part of the
    transaction. A record of the baseline is stored without asking it. Raises StoreError; then nothing of the
    batch is stored.
    """
    attempts = 0
    while True:
        attempts += 1
        try:
            with engine.begin() as connection:
                return _write(connection, records, match)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) in _CROSSED and attempts < _MOST_ATTEMPTS:
                continue
            shown = engine.url.render_as_string(hide_password=True)
            raise StoreError(
                f"{shown}: refused to store {len(records)} notices: {first_line(error)}."
            ) from error


def insert_ignoring(connection: Connection, model: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows with executemany; those whose key exists already are left as they are."""
    if not rows:
        return
    table = _table(model)
    if connection.dialect.name == "postgresql":
        connection.execute(postgresql.insert(table).on_conflict_do_nothing(), list(rows))
    else:
        connection.execute(sqlite.insert(table).on_conflict_do_nothing(), list(rows))


def _table(model: type[Base]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)
    return table


def _write(connection: Connection, records: Sequence[Record], match: Matcher) -> list[Written]:
    results: dict[int, Written] = {}
    happened: dict[int, Occurrence] = {}
    pending = list(enumerate(records))
    _insert(connection, Snapshot, [_snapshot_row(record) for record in records])
    # A second round takes what turned out to be the same article as another record of this batch, or as
    # one that another process stored in between.
    while pending:
        addresses = {address for _, record in pending for address in record.addresses}
        stored = find_stored(connection, addresses)
        fresh: dict[str, tuple[int, Record, str]] = {}
        claimed: set[str] = set()
        later: list[tuple[int, Record]] = []
        for index, record in pending:
            if known := match_stored(record, stored):
                if len(known) > 1:
                    join_items(connection, known[0].id, [row.id for row in known[1:]])
                    stored = find_stored(connection, addresses)
                results[index] = Written(known[0].id, "known", 0)
                if edited := _write_known(connection, record, known[0]):
                    happened[index] = edited
                # Under each of its addresses: the next record may name any of them.
                same = {address for address, row in stored.items() if row.id == known[0].id}
                stored.update(find_stored(connection, same.union(record.addresses)))
            elif record.is_filtered:
                insert_ignoring(connection, Filtered, [_filtered_row(record)])
                results[index] = Written(None, "filtered", 0)
            elif claimed.isdisjoint(record.addresses):
                claimed.update(record.addresses)
                fresh[record.identity] = (index, record, uuid.uuid4().hex)
            else:
                later.append((index, record))
        lost = _write_new(connection, fresh, happened)
        pending = later + lost
    results |= _tell(connection, dict(sorted(happened.items())), match)
    return [results[index] for index in range(len(records))]


def _tell(connection: Connection, happened: dict[int, Occurrence], match: Matcher) -> dict[int, Written]:
    """Put what is new or edited into its story, then write the outbox rows; what became of each, by its place."""
    place_items(connection, {one.item_id: _likeness(one.record) for one in happened.values()})
    told = {
        index: one for index, one in happened.items() if one.event != NEW or not one.record.context.baseline
    }
    rows = dict(zip(told, find_deliveries(connection, list(told.values()), match), strict=True))
    insert_ignoring(connection, Delivery, [row for of_one in rows.values() for row in of_one])
    return {
        index: Written(
            one.item_id,
            "new" if one.event == NEW else "edited",
            sum(row["state"] != HELD for row in rows.get(index, ())),
        )
        for index, one in happened.items()
    }


def _write_new(
    connection: Connection,
    fresh: dict[str, tuple[int, Record, str]],
    happened: dict[int, Occurrence],
) -> list[tuple[int, Record]]:
    if not fresh:
        return []
    insert_ignoring(connection, Item, [_item_row(record, uid) for _, record, uid in fresh.values()])
    ids = {
        row.identity: row.id if row.uid == fresh[row.identity][2] else None
        for row in connection.execute(
            select(Item.id, Item.uid, Item.identity).where(Item.identity.in_(list(fresh)))
        )
    }
    lost: list[tuple[int, Record]] = []
    won: list[tuple[int, Record, int]] = []
    for identity, (index, record, _) in fresh.items():
        item_id = ids[identity]
        if item_id is None:
            lost.append((index, record))
        else:
            won.append((index, record, item_id))
    insert_ignoring(
        connection,
        Address,
        [
            {"address": address, "item_id": item_id}
            for _, record, item_id in won
            for address in record.addresses
        ],
    )
    won, met = part_by_owner(connection, won)
    lost += met
    _insert(
        connection, Version, [version_row(record, item_id, 1, "first copy") for _, record, item_id in won]
    )
    _insert(connection, Recheck, [_recheck_row(record, item_id) for _, record, item_id in won])
    facts = {item_id: _fact_rows(record, item_id) for _, record, item_id in won}
    _insert(connection, FactRow, [row for rows in facts.values() for row in rows])
    documents = [_document(record, item_id, facts[item_id]) for _, record, item_id in won]
    # In the order of the index: FTS5 writes out what it has gathered whenever a row comes before the last one.
    _insert(connection, SearchDocument, sorted(documents, key=lambda document: document["place"]))
    happened.update({index: Occurrence(record, item_id, NEW) for index, record, item_id in won})
    return lost


def _write_known(connection: Connection, record: Record, known: Any) -> Occurrence | None:
    """Note that a known item was seen again, and store a version if it was edited."""
    insert_ignoring(
        connection, Address, [{"address": address, "item_id": known.id} for address in record.addresses]
    )
    seen_at = record.notice.fetched_at
    if seen_at < known.last_seen_at:
        # An older copy that arrives late: its bytes are kept as evidence, and what was read since stands.
        return None
    same = known.content_sha256 == record.content_sha256
    reason = None if same else find_edit(known.title, known.body, known.reader, record)
    if record.context.own_page:
        validators = read_validators(record.context.headers)
        outcome = "edited" if reason else "unchanged"
        note_seen(connection, known.id, known.first_seen_at, seen_at, outcome, validators)
    if reason is None:
        connection.execute(update(Item).where(Item.id == known.id).values(last_seen_at=seen_at))
        return None
    number = known.version_number + 1
    edited = {**_content(record), "last_seen_at": seen_at, "version_number": number}
    connection.execute(update(Item).where(Item.id == known.id).values(edited))
    _insert(connection, Version, [version_row(record, known.id, number, reason)])
    return Occurrence(replace_facts(connection, record, known.id), known.id, f"{VERSION}{number}")


def replace_facts(connection: Connection, record: Record, item_id: int) -> Record:
    """Put a record's facts and search document in the place of those that the item had.

    What a person has corrected stands over them; the record is returned with the facts that then stand.
    """
    connection.execute(delete(FactRow).where(FactRow.item_id == item_id))
    _insert(connection, FactRow, _fact_rows(record, item_id))
    corrected = apply_corrections(connection, item_id)
    update_document(connection, item_id, _words(record))
    if not corrected:
        return record
    facts = read_facts(connection, item_id)
    return dataclasses.replace(
        record,
        title_facts=facts["title"],
        facts=facts["body"],
        likeness=find_likeness(record.title, record.body, facts["title"], facts["body"]),
    )


def correct_item(connection: Connection, record: Record, item_id: int, first_seen_at: datetime) -> None:
    """Write what a mended reader makes of the same bytes: no version, no alert, the first copy's text too."""
    connection.execute(
        update(Item)
        .where(Item.id == item_id)
        .values({**_content(record), **_dating(record), "sort_key": _sort_key(record, first_seen_at)})
    )
    place_items(connection, {item_id: _likeness(replace_facts(connection, record, item_id))})


def _likeness(record: Record) -> Likeness:
    if record.likeness is None:
        raise ValueError(f"{record.notice.url} reached the store before the step `dedupe`")
    return record.likeness


def _insert(connection: Connection, model: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        connection.execute(_table(model).insert(), list(rows))


def _words(record: Record) -> str:
    return words_of(record.title, record.publisher, record.body, record.notice.attachment_texts)


def _document(record: Record, item_id: int, facts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    context = record.context
    marks = marks_of(context.source_key, context.topics, record.title, facts)
    return {
        "item_id": item_id,
        "place": place_of(_sort_key(record, record.notice.fetched_at), item_id),
        "sequence": write_sequence(_words(record), marks),
    }


def _content(record: Record) -> dict[str, Any]:
    notice = record.notice
    return {
        "title": record.title,
        "publisher": record.publisher,
        "author": notice.author,
        "body": record.body,
        "body_note": notice.body_note,
        "attachments": [attachment.describe() for attachment in notice.attachments],
        "links": list(notice.links),
        "images": list(notice.images),
        "content_sha256": record.content_sha256,
    }


def _dating(record: Record) -> dict[str, Any]:
    dating = record.dating
    if dating is None:
        raise ValueError(f"{record.notice.url} reached the store before the step `dates`")
    return {
        **published_columns(dating.best, dating.place),
        "dates": [{"place": place, **describe_date(value)} for place, value in dating.candidates],
        "dates_disagree": dating.disagreement,
    }


def _sort_key(record: Record, first_seen_at: datetime) -> int:
    best = record.dating.best if record.dating else None
    return sort_key(best.value if best else None, first_seen_at)


def _item_row(record: Record, uid: str) -> dict[str, Any]:
    notice, context = record.notice, record.context
    return {
        "uid": uid,
        "identity": record.identity,
        "source_key": context.source_key,
        "reader": notice.reader,
        "url": notice.url,
        "publisher_zh": context.publisher_zh,
        "publisher_en": context.publisher_en,
        "topics": list(context.topics),
        "version_number": 1,
        "first_seen_at": notice.fetched_at,
        "last_seen_at": notice.fetched_at,
        "run_id": context.run_id,
        "sort_key": _sort_key(record, notice.fetched_at),
        **_content(record),
        **_dating(record),
    }


def _recheck_row(record: Record, item_id: int) -> dict[str, Any]:
    headers = record.context.headers if record.context.own_page else {}
    fetched_at = record.notice.fetched_at
    return recheck_row(item_id, record.context.source_key, fetched_at, read_validators(headers))


def _snapshot_row(record: Record) -> dict[str, Any]:
    notice, context = record.notice, record.context
    return {
        "sha256": notice.sha256,
        "url": notice.url,
        "source_key": context.source_key,
        "kind": "article",
        "status": context.status,
        "headers": dict(context.headers),
        "entry": dataclasses.asdict(notice.entry) if notice.entry else None,
        "detail": None,
        "fetched_at": notice.fetched_at,
        "run_id": context.run_id,
    }


def _filtered_row(record: Record) -> dict[str, Any]:
    assert record.topics is not None
    return {
        "address": record.identity,
        "source_key": record.context.source_key,
        "url": record.notice.url,
        "title": record.title,
        "published_on": _dating(record)["published_on"],
        "reason": record.topics.reason,
        "snapshot_sha256": record.notice.sha256,
        "first_seen_at": record.notice.fetched_at,
        "run_id": record.context.run_id,
    }


def _fact_rows(record: Record, item_id: int) -> list[dict[str, Any]]:
    return [
        fact_row(item_id, field, fact)
        for field, facts in (("title", record.title_facts), ("body", record.facts))
        for fact in facts
    ]
