"""Finding the few items that may have the text of another, among a million, by the sketches of their bodies.

A hash that more than `MOST_HOLDERS` items have finds nobody: it stands for a form or a formula, and would make
every lookup as long as the form is common. Whether it does is a matter of what is stored, not of the order in
which it came: when a hash becomes boilerplate, or ceases to be, what was found by it is looked at again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

from sqlalchemy import BindParameter, Connection, bindparam, delete, func, insert, select, text

from pipeline.dedupe import SHARED_FOR_CANDIDATE
from pipeline.store.story_tables import Boilerplate, Sketch

MOST_HOLDERS = 100
"""No event of this field has that many reports in one store; forms are filled in by the thousand."""

_Value = TypeVar("_Value", int, str)
# SQLite takes 999 parameters a statement in its older builds.
_CHUNK = 900
_IN_ITEMS: BindParameter[int] = bindparam("items", expanding=True)
_IN_HASHES: BindParameter[int] = bindparam("hashes", expanding=True)
_OF_ITEMS = select(Sketch.item_id, Sketch.hash).where(Sketch.item_id.in_(_IN_ITEMS))
_COMMON = select(Boilerplate.hash).where(Boilerplate.hash.in_(_IN_HASHES))
# All hashes in one text, as a JSON array or PostgreSQL's own form: one short statement that is prepared once, one way
# there and back, and only the primary key is read. To build it for each number of hashes took longer than to run it.
_HOLDERS = {
    "sqlite": text(
        "SELECT hash, item_id FROM sketch WHERE hash IN"
        " (SELECT value FROM json_each(:hashes) WHERE value NOT IN (SELECT hash FROM boilerplate))"
    ),
    "postgresql": text(
        "SELECT hash, item_id FROM sketch WHERE hash = ANY(ARRAY("
        "SELECT given FROM unnest(CAST(:hashes AS bigint[])) AS given"
        " WHERE NOT EXISTS (SELECT FROM boilerplate WHERE boilerplate.hash = given)))"
    ),
}
_BRACKETS = {"sqlite": "[]", "postgresql": "{}"}


class Candidates(NamedTuple):
    """Whom to compare. `of` are the candidates of the items whose sketches were written, without those that have none.

    `fewer` are other items that have lost candidates, since a hash became boilerplate; `more` are those that have
    won some, since one ceased to be."""

    of: dict[int, set[int]]
    fewer: set[int]
    more: set[int]


def store_sketches(connection: Connection, sketches: Mapping[int, Sequence[int]]) -> Candidates:
    """Write the sketches of items in place of those that they had, and find their candidates."""
    before = read_sketches(connection, sketches)
    gone: set[int] = set()
    come: list[tuple[int, int]] = []
    for item_id, values in sketches.items():
        had = before.get(item_id, set())
        if lost := had - {*values}:
            gone |= lost
            connection.execute(delete(Sketch).where(Sketch.item_id == item_id, Sketch.hash.in_(sorted(lost))))
        come += [(value, item_id) for value in values if value not in had]
    if come:
        connection.execute(
            insert(Sketch), [{"hash": value, "item_id": item_id} for value, item_id in sorted(come)]
        )
    more = _end_boilerplate(connection, gone)
    holders = _find_holders(connection, {value for values in sketches.values() for value in values})
    fewer = _begin_boilerplate(connection, holders)
    return Candidates(_count_shared(sketches, holders), fewer, more)


def find_candidates(connection: Connection, sketches: Mapping[int, Iterable[int]]) -> dict[int, set[int]]:
    """The items that share enough hashes with each of these, boilerplate not counted; without those that have none."""
    holders = _find_holders(connection, {value for values in sketches.values() for value in values})
    return _count_shared(sketches, holders)


def read_sketches(connection: Connection, item_ids: Iterable[int]) -> dict[int, set[int]]:
    """The stored sketches of items; an item without one is left out."""
    found: dict[int, set[int]] = {}
    for chunk in chunks(item_ids):
        for item_id, value in connection.execute(_OF_ITEMS, {"items": chunk}):
            found.setdefault(item_id, set()).add(value)
    return found


def chunks(values: Iterable[_Value]) -> Iterator[list[_Value]]:
    """The values in order, no more at a time than a statement takes."""
    ordered = sorted(values)
    return (ordered[start : start + _CHUNK] for start in range(0, len(ordered), _CHUNK))


def _find_holders(connection: Connection, hashes: set[int]) -> dict[int, list[int]]:
    """The items that have each of these hashes; of boilerplate none."""
    holders: dict[int, list[int]] = {}
    if hashes:
        database = connection.dialect.name
        given = ",".join(map(str, sorted(hashes))).join(_BRACKETS[database])
        for value, item_id in connection.execute(_HOLDERS[database], {"hashes": given}):
            holders.setdefault(value, []).append(item_id)
    return holders


def _common(connection: Connection, hashes: Iterable[int]) -> set[int]:
    return {value for chunk in chunks(hashes) for value in connection.scalars(_COMMON, {"hashes": chunk})}


def _count_shared(
    sketches: Mapping[int, Iterable[int]], holders: Mapping[int, Sequence[int]]
) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for item_id, values in sketches.items():
        shared = Counter(holder for value in values for holder in holders.get(value, ()))
        del shared[item_id]
        close = {holder for holder, count in shared.items() if count >= SHARED_FOR_CANDIDATE}
        if close:
            found[item_id] = close
    return found


def _begin_boilerplate(connection: Connection, holders: dict[int, list[int]]) -> set[int]:
    """Take the hashes with too many holders out of `holders`, for good; returns whom they were of."""
    common = sorted(value for value, items in holders.items() if len(items) > MOST_HOLDERS)
    if common:
        connection.execute(insert(Boilerplate), [{"hash": value} for value in common])
    return {item_id for value in common for item_id in holders.pop(value)}


def _end_boilerplate(connection: Connection, hashes: set[int]) -> set[int]:
    again: set[int] = set()
    for value in sorted(_common(connection, hashes)):
        held = connection.scalar(select(func.count()).select_from(Sketch).where(Sketch.hash == value)) or 0
        if held <= MOST_HOLDERS:
            connection.execute(delete(Boilerplate).where(Boilerplate.hash == value))
            again.update(connection.scalars(select(Sketch.item_id).where(Sketch.hash == value)))
    return again
