"""A person's corrections of dates and facts: made, listed and undone.

A correction stands beside what the machine read, wins wherever the item is shown, searched or alerted, and is
put over the machine's values again whenever these are written anew (`pipeline.store.standing`). Nothing is
ever deleted: an undone correction stays on record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, update

from errors import IprwatchError
from pipeline.dates import SHANGHAI, parse_date
from pipeline.legal import KINDS, find_facts
from pipeline.legal.fact import Value
from pipeline.legal.fact_key import VALUE_KEYS, main_value, read_amount, read_out, squash
from pipeline.legal.ip_types import IP_TYPES
from pipeline.legal.notice_kinds import NOTICE_KINDS
from pipeline.store.documents import update_document
from pipeline.store.lookup import find_item
from pipeline.store.standing import (
    apply_corrections,
    find_meant,
    find_words,
    read_facts,
    take_off_corrections,
)
from pipeline.store.stories import place_stored
from pipeline.store.tables import Correction, Item

_KNOWN_VALUES = {"ip_type": IP_TYPES, "notice_kind": NOTICE_KINDS}


class CorrectionError(IprwatchError):
    """A correction that can't be meant. Raised by the functions of this module; then nothing is written."""


@dataclass(frozen=True, slots=True)
class Place:
    """Which of several facts with the same words is meant: the one at `start` in `field` (title or body), or the
    one that reads `was`. All None: every fact with these words."""

    field: str | None = None
    start: int | None = None
    was: str | None = None

    def __post_init__(self) -> None:
        if self.field not in (None, "title", "body"):
            raise CorrectionError(f"{self.field!r} is no field of an item with facts; write title or body.")
        if self.start is not None and self.field is None:
            raise CorrectionError("A start counts in a field: name the field, title or body, too.")


@dataclass(frozen=True, slots=True)
class _Words:
    kind: str
    raw: str
    field: str | None
    start: int | None
    was: str | None


def correct_published(
    engine: Engine,
    uid: str,
    moment: date | datetime | None,
    *,
    author: str,
    reason: str,
    raw: str | None = None,
    precision: str | None = None,
) -> int:
    """Say when an item was published: a day in China, an instant, or None for unknown. Returns the correction's id.

    `raw` is what the person wrote, `precision` `minute` or `second` for an instant (else `second`). Raises
    CorrectionError for a time without a zone or later than tomorrow, NoSuchItem for an unknown id.
    """
    made_at = datetime.now(UTC)
    day: date | None
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            raise CorrectionError(f"{moment.isoformat()} has no zone; write one, such as +08:00.")
        day = moment.astimezone(SHANGHAI).date()
        precision = precision or "second"
    else:
        day = moment
        precision = None if moment is None else "day"
    if day is not None and day > (made_at.astimezone(SHANGHAI) + timedelta(days=1)).date():
        raise CorrectionError(f"{day} lies ahead: nothing is published then yet.")
    written = moment.isoformat() if moment is not None else None
    row = {
        "target": "published",
        "action": "set",
        "kind": None,
        "field": None,
        "start": None,
        "end": None,
        "was": None,
        "raw": raw or written or "unknown",
        "value": {"value": written, "precision": precision},
    }
    with engine.begin() as connection:
        return _write(connection, find_item(connection, uid, lock=True), row, author, reason, made_at)


def correct_published_as_written(engine: Engine, uid: str, written: str, *, author: str, reason: str) -> int:
    """The same for a date as a person writes it: 2026-11-18, 2026-11-18 10:30 (China), or `unknown`.

    Raises CorrectionError for what is no whole date too.
    """
    if written == "unknown":
        return correct_published(engine, uid, None, author=author, reason=reason, raw=written)
    read = parse_date(written)
    if read.value is None or read.inferred:
        why = read.reason or "a part of it is missing"
        raise CorrectionError(f"{written!r} is no date that can be read ({why}); write 2026-11-18.")
    return correct_published(
        engine, uid, read.value, author=author, reason=reason, raw=written, precision=read.precision
    )


def correct_fact(
    engine: Engine,
    uid: str,
    kind: str,
    raw: str,
    value: Mapping[str, Value],
    *,
    author: str,
    reason: str,
    place: Place = Place(),
) -> int:
    """Say how the facts of this kind that read `raw` are to be understood. Returns the correction's id.

    `value` holds the keys that change; the others stay as the machine read them. Raises CorrectionError when no
    fact reads so, when those that do differ and `place` doesn't choose, or when the value isn't one of its kind.
    """
    with engine.begin() as connection:
        item_id = find_item(connection, uid, lock=True)
        meant = _meant(connection, item_id, kind, raw, place)
        row = _row(kind, raw, place, meant[0]) | {
            "action": "set",
            "value": _check_value(kind, {**meant[0]["value"], **value}),
        }
        return _write(connection, item_id, row, author, reason, datetime.now(UTC))


def remove_fact(
    engine: Engine,
    uid: str,
    kind: str,
    raw: str,
    *,
    author: str,
    reason: str,
    place: Place = Place(),
) -> int:
    """Say that the facts of this kind that read `raw` are none; returns and raises as `correct_fact` does."""
    with engine.begin() as connection:
        item_id = find_item(connection, uid, lock=True)
        meant = _meant(connection, item_id, kind, raw, place)
        row = _row(kind, raw, place, meant[0]) | {"action": "remove", "value": {}}
        return _write(connection, item_id, row, author, reason, datetime.now(UTC))


def add_fact(
    engine: Engine,
    uid: str,
    kind: str,
    raw: str,
    value: Mapping[str, Value],
    *,
    author: str,
    reason: str,
    place: Place = Place(),
) -> int:
    """Add a fact that the machine doesn't see. Returns the correction's id.

    What `value` leaves out is read off `raw` as the machine would. Words that stand in neither title nor body (they
    may stand in an image) make a fact with an empty span. Raises CorrectionError for a fact that is there
    already and for a value that isn't one of its kind.
    """
    _check_kind(kind)
    if not raw.strip():
        raise CorrectionError("A fact needs its words, as they are printed.")
    readings = [fact.value for fact in find_facts(raw) if fact.kind == kind]
    machine = readings[0] if readings and all(reading == readings[0] for reading in readings) else {}
    value = _check_value(kind, {**dict.fromkeys(VALUE_KEYS[kind]), **machine, **value})
    with engine.begin() as connection:
        item_id = find_item(connection, uid, lock=True)
        meant = find_meant(_visible(connection, item_id), _Words(kind, raw, place.field, place.start, None))
        if any(fact["value"] == value for fact in meant):
            raise CorrectionError(f"The item has this {kind} already: {raw}.")
        texts: Any = connection.execute(select(Item.title, Item.body).where(Item.id == item_id)).one()
        found = [
            (field, start)
            for field in ("title", "body")
            if place.field in (None, field)
            for start in find_words(getattr(texts, field), raw)
            if place.start in (None, start)
        ]
        if place.start is not None and not found:
            raise CorrectionError(f"{raw!r} doesn't stand at {place.start} in the {place.field}.")
        field, start = found[0] if found else (place.field, None)
        row = {
            "target": "fact",
            "action": "add",
            "kind": kind,
            "field": field,
            "start": start,
            "end": start + len(raw) if start is not None else None,
            "was": None,
            "raw": raw,
            "value": value,
        }
        return _write(connection, item_id, row, author, reason, datetime.now(UTC))


def undo(engine: Engine, correction_id: int) -> None:
    """Undo a correction: what stood under it (the machine's value, an earlier correction) is shown again.

    Raises CorrectionError when there is none of this id, or when it is undone already.
    """
    with engine.begin() as connection:
        item_id = connection.scalar(select(Correction.item_id).where(Correction.id == correction_id))
        if item_id is None:
            raise CorrectionError(
                f"There is no correction {correction_id}; `iprwatch corrections` lists them."
            )
        connection.execute(select(Item.id).where(Item.id == item_id).with_for_update(key_share=True))
        take_off_corrections(connection, item_id)
        undone = connection.execute(
            update(Correction)
            .where(Correction.id == correction_id, Correction.undone_at.is_(None))
            .values(undone_at=datetime.now(UTC))
        )
        if undone.rowcount == 0:
            raise CorrectionError(f"The correction {correction_id} is undone already.")
        apply_corrections(connection, item_id)
        update_document(connection, item_id)
        place_stored(connection, [item_id])


def list_corrections(engine: Engine, uid: str | None = None) -> list[dict[str, Any]]:
    """All corrections, or those of one item, oldest first, with the item's id and title; times in ISO form, UTC."""
    query = (
        select(*Correction.__table__.columns, Item.uid, Item.title)
        .join(Item, Item.id == Correction.item_id)
        .order_by(Correction.id)
    )
    with engine.connect().execution_options(read_only=True) as connection:
        if uid is not None:
            query = query.where(Correction.item_id == find_item(connection, uid))
        return [
            {
                key: value.isoformat(timespec="seconds") if key.endswith("_at") and value else value
                for key, value in row._mapping.items()
                if key != "item_id"
            }
            for row in connection.execute(query)
        ]


def _write(
    connection: Connection, item_id: int, row: dict[str, Any], author: str, reason: str, made_at: datetime
) -> int:
    for name, text in (("name", author), ("reason", reason)):
        if not text.strip():
            raise CorrectionError(f"A correction needs a {name}: it is recorded and shown.")
    take_off_corrections(connection, item_id)
    row |= {"author": author.strip(), "reason": reason.strip(), "made_at": made_at, "undone_at": None}
    correction_id = connection.scalar(
        insert(Correction).values(**row, item_id=item_id, displaced=[]).returning(Correction.id)
    )
    assert isinstance(correction_id, int)
    apply_corrections(connection, item_id)
    update_document(connection, item_id)
    place_stored(connection, [item_id])
    return correction_id


def _visible(connection: Connection, item_id: int) -> list[dict[str, Any]]:
    return [
        {
            "field": field,
            "kind": fact.kind,
            "raw": fact.raw,
            "value": fact.value,
            "start": fact.start,
            "end": fact.end,
        }
        for field, facts in read_facts(connection, item_id).items()
        for fact in facts
    ]


def _meant(
    connection: Connection, item_id: int, kind: str, raw: str, place: Place
) -> Sequence[Mapping[str, Any]]:
    _check_kind(kind)
    visible = _visible(connection, item_id)
    was = squash(place.was) if place.was is not None else None
    meant = find_meant(visible, _Words(kind, raw, place.field, None, was))
    if place.start is not None:
        meant = [fact for fact in meant if fact["start"] == place.start]
    if not meant:
        others = dict.fromkeys(fact["raw"] for fact in visible if fact["kind"] == kind)
        shown = "; ".join(others) or "none"
        raise CorrectionError(
            f"No {kind} of the item reads {raw!r} there; it has: {shown}. Add the fact if it is missing."
        )
    if any(fact["value"] != meant[0]["value"] for fact in meant):
        shown = "; ".join(
            f"{fact['field']} {fact['start']}: {read_out(kind, fact['value'])}"
            + (f" ({fact['value']['role']})" if fact["value"].get("role") else "")
            for fact in meant
        )
        raise CorrectionError(
            f"{len(meant)} facts read {raw!r} and differ ({shown}); name one by its field and start, or by what it was."
        )
    return meant


def _row(kind: str, raw: str, place: Place, first: Mapping[str, Any]) -> dict[str, Any]:
    named = place.start is not None
    return {
        "target": "fact",
        "kind": kind,
        "field": place.field,
        "start": first["start"] if named else None,
        "end": first["end"] if named else None,
        "was": squash(place.was) if place.was is not None else None,
        "raw": raw,
    }


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise CorrectionError(f"{kind!r} is no kind of fact; there are {', '.join(KINDS)}.")


def _check_value(kind: str, value: dict[str, Any]) -> dict[str, Any]:
    if unknown := [key for key in value if key not in VALUE_KEYS[kind]]:
        raise CorrectionError(f"A {kind} has no {unknown[0]!r}; it has {', '.join(VALUE_KEYS[kind])}.")
    if wrong := [
        key for key, part in value.items() if part is not None and not isinstance(part, str | int | bool)
    ]:
        raise CorrectionError(f"{wrong[0]!r} must be a text, a whole number, true, false or null.")
    main = main_value(kind, value)
    if main is None:
        raise CorrectionError(f"A {kind} needs its {VALUE_KEYS[kind][0]!r}.")
    if kind == "amount" and (not isinstance(main, str) or read_amount(main) is None):
        raise CorrectionError(f'{main!r} is no sum; write a decimal in quotes, such as "350000.50".')
    if kind in _KNOWN_VALUES and main not in _KNOWN_VALUES[kind]:
        raise CorrectionError(f"{main!r} is no {kind}; there are {', '.join(_KNOWN_VALUES[kind])}.")
    return value
