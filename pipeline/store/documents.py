"""Search documents: what is written into the search index for an item, and where in its order.

A document is the tokens of the item's texts followed by its marks. `place` puts documents in the order in which people
read: a search for the newest begins there and stops when it has enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, select, update

from pipeline.store.marks import BEGIN, marks_of
from pipeline.store.tables import FactRow, Item, SearchDocument
from pipeline.store.tokens import write_tokens

ID_BITS = 29
"""The low bits of a place are the item's number."""
FIRST_PLACE, LAST_PLACE = -(1 << 63), (1 << 63) - 1
"""No place is before the first of these or behind the last."""
_MICROSECONDS = 1_000_000
_MOST_SECONDS = (1 << 62 - ID_BITS) - 1


def place_of(sort_key: int, item_id: int) -> int:
    """Where an item stands among all: later ones have a larger place, and of one second those stored later.

    Before 1697 and after 2242 all count as one second, so that a place fits 64 bits. Raises ValueError for an item
    number that it has no room for.
    """
    if item_id >> ID_BITS:
        raise ValueError(f"item number {item_id} is too large for the search index")
    seconds = max(-_MOST_SECONDS, min(sort_key // _MICROSECONDS, _MOST_SECONDS))
    return (seconds << ID_BITS) + item_id


def item_at(place: int) -> int:
    """The number of the item that has a place."""
    return place & (1 << ID_BITS) - 1


def words_of(title: str, publisher: str, body: str, attachments: Iterable[str]) -> str:
    """The tokens of these texts of an item, separated by single spaces."""
    return write_tokens("\n".join((title, publisher, body, *attachments)))


def write_sequence(words: str, marks: Iterable[str]) -> str:
    """The text of a document: words as `words_of` writes them, then marks."""
    return " ".join((words, *marks)).lstrip(" ")


def words_in(sequence: str) -> str:
    """The words of a document, as `words_of` wrote them."""
    return sequence.partition(BEGIN)[0].rstrip(" ")


def update_document(connection: Connection, item_id: int, words: str | None = None) -> None:
    """Bring an item's document up to date with its date and facts; `words` where its texts have changed too."""
    item: Any = connection.execute(
        select(Item.source_key, Item.topics, Item.title, Item.sort_key).where(Item.id == item_id)
    ).one()
    own = SearchDocument.item_id == item_id
    if words is None:
        words = words_in(connection.scalar(select(SearchDocument.sequence).where(own)) or "")
    facts = read_marked(connection, [item_id])[item_id]
    sequence = write_sequence(words, marks_of(item.source_key, item.topics, item.title, facts))
    place = place_of(item.sort_key, item_id)
    connection.execute(update(SearchDocument).where(own).values(place=place, sequence=sequence))


def read_marked(connection: Connection, item_ids: Iterable[int]) -> dict[int, list[Mapping[str, Any]]]:
    """What `marks_of` asks of the facts of each of these items."""
    found: dict[int, list[Mapping[str, Any]]] = {item_id: [] for item_id in item_ids}
    columns = (FactRow.item_id, FactRow.kind, FactRow.key, FactRow.court, FactRow.amount, FactRow.value)
    query = select(*columns).where(FactRow.item_id.in_(found))
    for row in connection.execute(query):
        found[row.item_id].append(dict(row._mapping))
    return found


def expected_documents(connection: Connection, size: int) -> Iterator[tuple[Any, int, str]]:
    """Of each item that no other stands for, by its number: a row with `id`, `uid` and its document's `place` and
    `sequence` as stored (None where it has none), and the place and the sequence that it should have. `size` items are
    read at a time."""
    columns = (
        Item.id, Item.uid, Item.title, Item.publisher, Item.body, Item.attachments, Item.source_key, Item.topics,
        Item.sort_key, SearchDocument.place, SearchDocument.sequence,
    )  # fmt: skip
    query = select(*columns).outerjoin(SearchDocument, SearchDocument.item_id == Item.id)
    query = query.where(Item.same_as.is_(None)).order_by(Item.id)
    last = 0
    while rows := connection.execute(query.where(Item.id > last).limit(size)).all():
        facts = read_marked(connection, [row.id for row in rows])
        for row in rows:
            texts = [attachment["text"] for attachment in row.attachments if attachment.get("text")]
            words = words_of(row.title, row.publisher, row.body, texts)
            marks = marks_of(row.source_key, row.topics, row.title, facts[row.id])
            yield row, place_of(row.sort_key, row.id), write_sequence(words, marks)
        last = rows[-1].id
