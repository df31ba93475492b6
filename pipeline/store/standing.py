"""Standing corrections: a person's word put over the machine's values of an item, and taken off again.

`fact` and the `published_*` columns hold what people see, so that no reader of them can forget a correction.
The machine's facts that a correction stands over are kept in its `displaced`; the machine's date is chosen
again among the item's `dates`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from pipeline.dates import DateValue, settle
from pipeline.legal import Fact
from pipeline.legal.fact_key import fact_key
from pipeline.legal.numerals import CHINESE_NUMERALS
from pipeline.store.dating import describe_date, published_columns, read_candidates, read_moment, sort_key
from pipeline.store.tables import Correction, FactRow, Item

METHOD = "correction"
_IN_WORD = f"[A-Za-z0-9{CHINESE_NUMERALS}]"
_FACT = ("field", "kind", "raw", "value", "start", "end", "method")


def fact_row(item_id: int, field: str, fact: Fact) -> dict[str, Any]:
    """The row of a fact, with the keys that it is found by."""
    keys = fact_key(fact.kind, fact.value)
    return {
        "item_id": item_id,
        "field": field,
        "kind": fact.kind,
        "raw": fact.raw,
        "value": dict(fact.value),
        "start": fact.start,
        "end": fact.end,
        "method": fact.method,
        "key": keys.key,
        "court": keys.court,
        "amount": keys.amount,
    }


def read_facts(connection: Connection, item_id: int) -> dict[str, tuple[Fact, ...]]:
    """The facts of an item as people see them, by field, in the order of the text."""
    found: dict[str, tuple[Fact, ...]] = {"title": (), "body": ()}
    for row in _stored_facts(connection, item_id):
        fact = Fact(row["kind"], row["raw"], row["value"], row["start"], row["end"], row["method"])
        found[row["field"]] += (fact,)
    return found


def apply_corrections(connection: Connection, item_id: int) -> bool:
    """Put the standing corrections over an item on which nothing but the machine's values stands.

    Later words win over earlier ones. True when there are any.
    """
    corrections = _standing(connection, item_id)
    if not corrections:
        return False
    item: Any = connection.execute(
        select(Item.title, Item.body, Item.dates, Item.first_seen_at).where(Item.id == item_id)
    ).one()
    published = [correction for correction in corrections if correction.target == "published"]
    if published:
        dating = settle(read_candidates(item.dates))
        read = [{"place": dating.place, **describe_date(dating.best)}] if dating.best else []
        _keep(connection, [correction.id for correction in published], read)
        _write_published(connection, item_id, _published_by(published[-1]), METHOD, item.first_seen_at)
    on_facts = [correction for correction in corrections if correction.target == "fact"]
    if on_facts:
        _correct_facts(connection, item_id, on_facts, {"title": item.title, "body": item.body})
    return True


def take_off_corrections(connection: Connection, item_id: int) -> None:
    """Give an item the machine's values back, whatever stands over them."""
    corrections = _standing(connection, item_id)
    connection.execute(delete(FactRow).where(FactRow.item_id == item_id, FactRow.method == METHOD))
    for correction in corrections:
        for kept in correction.displaced if correction.target == "fact" else ():
            connection.execute(insert(FactRow).values(_row_of(item_id, kept)))
    connection.execute(update(Correction).where(Correction.item_id == item_id).values(displaced=[]))
    if any(correction.target == "published" for correction in corrections):
        item: Any = connection.execute(select(Item.dates, Item.first_seen_at).where(Item.id == item_id)).one()
        dating = settle(read_candidates(item.dates))
        _write_published(connection, item_id, dating.best, dating.place, item.first_seen_at)


def find_meant(rows: Sequence[Mapping[str, Any]], correction: Any) -> list[Mapping[str, Any]]:
    """The facts that read as a correction says: all of them, but where it names one place or one reading."""
    meant = [
        row
        for row in rows
        if row["kind"] == correction.kind
        and row["raw"] == correction.raw
        and correction.field in (None, row["field"])
        and correction.was in (None, fact_key(row["kind"], row["value"]).key)
    ]
    if correction.field is None or correction.start is None or not meant:
        return meant
    # An edit may have moved the words: the nearest place is the one that was named.
    nearest = min(meant, key=lambda row: abs(row["start"] - correction.start))["start"]
    return [row for row in meant if row["start"] == nearest]


def find_words(text: str, raw: str) -> Iterator[int]:
    """Places where `raw` stands as words of its own: 5万元 doesn't stand in 35万元, nor in 1.5万元."""
    if not raw:
        return
    head = rf"(?<!{_IN_WORD})(?<!\d[.,])" if re.match(_IN_WORD, raw) else ""
    tail = rf"(?!{_IN_WORD})" if re.match(_IN_WORD, raw[-1]) else ""
    yield from (found.start() for found in re.finditer(head + re.escape(raw) + tail, text))


def _standing(connection: Connection, item_id: int) -> Sequence[Any]:
    return connection.execute(
        select(*Correction.__table__.columns)
        .where(Correction.item_id == item_id, Correction.undone_at.is_(None))
        .order_by(Correction.id)
    ).all()


def _stored_facts(connection: Connection, item_id: int) -> list[dict[str, Any]]:
    columns = (FactRow.id, *(getattr(FactRow, name) for name in _FACT))
    query = select(*columns).where(FactRow.item_id == item_id).order_by(FactRow.start, FactRow.id)
    return [dict(row._mapping) for row in connection.execute(query)]


def _row_of(item_id: int, kept: Mapping[str, Any]) -> dict[str, Any]:
    fact = Fact(kept["kind"], kept["raw"], kept["value"], kept["start"], kept["end"], kept["method"])
    return fact_row(item_id, kept["field"], fact)


def _published_by(correction: Any) -> DateValue:
    precision = correction.value["precision"]
    moment = read_moment(correction.value["value"], precision)
    return DateValue(correction.raw, moment, precision, None, METHOD, None, "published")


def _write_published(
    connection: Connection, item_id: int, best: DateValue | None, place: str | None, first_seen_at: Any
) -> None:
    columns = published_columns(best, place)
    columns["sort_key"] = sort_key(best.value if best else None, first_seen_at)
    connection.execute(update(Item).where(Item.id == item_id).values(columns))


def _keep(connection: Connection, correction_ids: Sequence[int], displaced: list[dict[str, Any]]) -> None:
    connection.execute(
        update(Correction).where(Correction.id.in_(correction_ids)).values(displaced=displaced)
    )


def _correct_facts(
    connection: Connection, item_id: int, corrections: Sequence[Any], texts: Mapping[str, str]
) -> None:
    visible: list[Mapping[str, Any]] = list(_stored_facts(connection, item_id))
    gone: list[int] = []
    for correction in corrections:
        meant = find_meant(visible, correction) if correction.action != "add" else []
        if not meant:
            meant = _find_overlapping(visible, correction, texts)
        visible = [row for row in visible if row not in meant]
        displaced = [row for row in meant if row["method"] != METHOD]
        gone += [row["id"] for row in displaced]
        if correction.action != "remove":
            visible += _spoken(correction, meant, texts)
        kept = [{name: row[name] for name in _FACT} for row in displaced]
        _keep(connection, [correction.id], kept)
    connection.execute(delete(FactRow).where(FactRow.id.in_(gone)))
    for row in visible:
        if row["method"] == METHOD:
            connection.execute(insert(FactRow).values(_row_of(item_id, row)))


def _find_overlapping(
    rows: Sequence[Mapping[str, Any]], correction: Any, texts: Mapping[str, str]
) -> list[Mapping[str, Any]]:
    """The machine's facts that a mended rule reads off more or fewer of the same words."""
    places = list(_places(correction, texts))
    return [
        row
        for row in rows
        if row["kind"] == correction.kind
        and row["method"] != METHOD
        and correction.was in (None, fact_key(row["kind"], row["value"]).key)
        and any(
            row["field"] == field and row["start"] < end and start < row["end"]
            for field, start, end in places
        )
    ]


def _places(correction: Any, texts: Mapping[str, str]) -> Iterator[tuple[str, int, int]]:
    for field in ("title", "body") if correction.field is None else (correction.field,):
        starts = list(find_words(texts[field], correction.raw))
        if correction.field is not None and correction.start is not None and starts:
            starts = [min(starts, key=lambda start: abs(start - correction.start))]
        yield from ((field, start, start + len(correction.raw)) for start in starts)


def _spoken(
    correction: Any, meant: Sequence[Mapping[str, Any]], texts: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The facts that a person's word puts in the place of those meant, or at its first words, or nowhere."""
    exact = {(row["field"], row["start"], row["end"]) for row in meant if row["raw"] == correction.raw}
    # Without words in the text the span is empty: the fact stands all the same.
    spans = sorted(exact) or [next(_places(correction, texts), (correction.field or "body", 0, 0))]
    return [
        {
            "field": field,
            "kind": correction.kind,
            "raw": correction.raw,
            "value": correction.value,
            "start": start,
            "end": end,
            "method": METHOD,
        }
        for field, start, end in spans
    ]
