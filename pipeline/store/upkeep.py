"""Looking after a store: is it whole, is its search index right; making the index anew, giving space back, pruning."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Table,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError

from errors import IprwatchError
from pipeline.store.documents import expected_documents
from pipeline.store.every_table import TABLES
from pipeline.store.session import StoreError, first_line
from pipeline.store.story_tables import StoryMember
from pipeline.store.tables import Base, Filtered, Item, Probe, SearchDocument, Snapshot, SourceSetRow, Version

_CHUNK = 500
_MOST_FAULTS = 20
"""Of one sort so many are named; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in the store that is not as it must be: what was looked at, and what is wrong there."""

    place: str
    detail: str


def check_store(engine: Engine, open_page: Callable[[str], bytes] | None = None) -> Iterator[Fault]:
    """Every fault of the store: pages of the file (SQLite), references, items without what belongs to them, search
    documents that don't hold their item's words, and, with `open_page`, bytes of the archive that are gone or changed.

    `open_page` gives the bytes with a hash or raises an IprwatchError.
    """
    try:
        connected = engine.connect()
    except DBAPIError as error:
        yield Fault("file", first_line(error))
        return
    with connected.execution_options(read_only=True) as connection:
        if engine.dialect.name == "sqlite":
            found = _check_file(connection)
            yield from (Fault("file", said) for said in found)
            if found:
                # What else a damaged file says means nothing.
                return
        yield from _check_references(connection)
        yield from _check_items(connection)
        for row, place, sequence in expected_documents(connection, _CHUNK):
            if row.sequence != sequence:
                said = "has none" if row.sequence is None else "holds other words or marks"
                yield Fault("search index", f"item {row.uid}: {said}")
            elif row.place != place:
                yield Fault("search index", f"item {row.uid}: stands in the wrong place")
        if open_page is not None:
            yield from _check_archive(connection, open_page)
    if engine.dialect.name == "sqlite":
        yield from _check_index(engine)


def _check_file(connection: Connection) -> list[str]:
    try:
        found = connection.exec_driver_sql(f"PRAGMA integrity_check({_MOST_FAULTS})").scalars().all()
    except DBAPIError as error:
        return [first_line(error)]
    return [str(said) for said in found if said != "ok"]


def _check_references(connection: Connection) -> Iterator[Fault]:
    for table in TABLES:
        for key in table.foreign_keys:
            parent = key.column.table.alias("parent")
            target = parent.c[key.column.name]
            query = (
                select(func.count())
                .select_from(table.outerjoin(parent, key.parent == target))
                .where(key.parent.is_not(None), target.is_(None))
            )
            if lost := connection.scalar(query):
                yield Fault(
                    "references",
                    f"{lost} rows of {table.name} name a {key.column.table.name} that isn't there",
                )


def _check_items(connection: Connection) -> Iterator[Fault]:
    member = StoryMember
    newest = and_(Version.item_id == Item.id, Version.number == Item.version_number)
    for what, query in (
        ("newest version", select(Item.uid).outerjoin(Version, newest).where(Version.id.is_(None))),
        (
            "story",
            select(Item.uid).outerjoin(member, member.item_id == Item.id).where(member.item_id.is_(None)),
        ),
    ):
        for uid in connection.scalars(query.limit(_MOST_FAULTS)):
            yield Fault("items", f"item {uid}: has no {what}")
    strays = (
        select(SearchDocument.item_id)
        .outerjoin(Item, Item.id == SearchDocument.item_id)
        .where(or_(Item.id.is_(None), Item.same_as.is_not(None)))
    )
    for item_id in connection.scalars(strays.limit(_MOST_FAULTS)):
        yield Fault(
            "search index",
            f"a search document is of item number {item_id}, which isn't there or is one with another",
        )


def _check_archive(connection: Connection, open_page: Callable[[str], bytes]) -> Iterator[Fault]:
    hashes = select(Version.snapshot_sha256).union(select(Snapshot.sha256), select(Filtered.snapshot_sha256))
    with connection.execution_options(yield_per=_CHUNK).scalars(hashes) as found:
        for sha256 in found:
            try:
                open_page(sha256)
            except IprwatchError as error:
                yield Fault("archive", str(error))


def _check_index(engine: Engine) -> Iterator[Fault]:
    with engine.connect() as connection:
        try:
            # Rank 1: the index is also held against the documents.
            connection.exec_driver_sql(
                "INSERT INTO item_search(item_search, rank) VALUES ('integrity-check', 1)"
            )
        except Exception as error:
            # The driver raises several kinds for a damaged index; that another writes is no damage.
            if "database is locked" in str(error):
                raise
            yield Fault(
                "search index",
                f"is not what the documents say; `iprwatch db reindex` makes it anew ({error})",
            )
        connection.rollback()


def write_documents(connection: Connection) -> int:
    """Write the search documents that are missing or not as they should be; returns how many."""
    missing: list[dict[str, Any]] = []
    wrong = 0
    for row, place, sequence in expected_documents(connection, _CHUNK):
        if (row.place, row.sequence) == (place, sequence):
            continue
        wrong += 1
        if row.sequence is None:
            missing.append({"item_id": row.id, "place": place, "sequence": sequence})
        else:
            change = update(SearchDocument).where(SearchDocument.item_id == row.id)
            connection.execute(change.values(place=place, sequence=sequence))
        if len(missing) == _CHUNK:
            _insert_documents(connection, missing)
            missing = []
    _insert_documents(connection, missing)
    return wrong


def _insert_documents(connection: Connection, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(SearchDocument), sorted(rows, key=lambda row: row["place"]))


def reindex_store(engine: Engine) -> int:
    """Make the search documents and their index anew, in one transaction; returns how many documents were wrong."""
    wrong = 0
    with engine.begin() as connection:
        gone = delete(SearchDocument).where(
            SearchDocument.item_id.not_in(select(Item.id).where(Item.same_as.is_(None)))
        )
        wrong += connection.execute(gone).rowcount
        wrong += write_documents(connection)
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("INSERT INTO item_search(item_search) VALUES ('delete-all')")
            # 'rebuild' would take the rows as they come; out of their order each costs a write of its own.
            connection.exec_driver_sql(
                "INSERT INTO item_search(rowid, sequence) SELECT place, sequence FROM search_document ORDER BY place"
            )
        else:
            connection.exec_driver_sql("REINDEX TABLE search_document")
    return wrong


def vacuum_store(engine: Engine) -> None:
    """Give free space back and gather what the planner needs to know. SQLite waits until nobody writes.

    Raises StoreError where SQLite can't, as on a disk that has no room for a second copy of the file."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for table in TABLES:
                connection.exec_driver_sql(f'VACUUM (ANALYZE) "{table.name}"')
        return
    driver = engine.raw_connection()
    try:
        cursor = driver.cursor()
        # Not in a transaction, which SQLAlchemy would begin.
        for statement in ("VACUUM", "ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)"):
            cursor.execute(statement)
        cursor.close()
    except sqlite3.Error as error:
        shown = engine.url.render_as_string(hide_password=True)
        raise StoreError(f"{shown}: free space can't be given back: {error}.") from None
    finally:
        driver.close()


def prune_store(engine: Engine, before: datetime, *, for_good: bool) -> dict[str, int]:
    """Rows from before a moment that nothing needs any more, counted by table; with `for_good` they are deleted.

    These are probes and sets of sources but for the newest, and the rows of list pages that were read well. Items,
    versions, facts, alerts, corrections, refused pages, and the bytes of the archive are evidence and stay.
    """
    newest_probe = select(func.max(Probe.id)).group_by(Probe.source_key)
    newest_list = select(func.max(Snapshot.id)).where(Snapshot.kind == "list").group_by(Snapshot.source_key)
    evidence = or_(
        Snapshot.sha256.in_(select(Version.snapshot_sha256)),
        Snapshot.sha256.in_(select(Filtered.snapshot_sha256)),
    )
    policy: Sequence[tuple[type[Base], ColumnElement[bool]]] = (
        (Probe, and_(Probe.probed_at < before, Probe.id.not_in(newest_probe))),
        (
            SourceSetRow,
            and_(SourceSetRow.noted_at < before, SourceSetRow.id.not_in(select(func.max(SourceSetRow.id)))),
        ),
        (
            Snapshot,
            and_(
                Snapshot.kind == "list", Snapshot.detail.is_(None), Snapshot.fetched_at < before,
                Snapshot.id.not_in(newest_list), ~evidence,
            ),
        ),
    )  # fmt: skip
    counts = {}
    with engine.begin() as connection:
        for model, condition in policy:
            table: Any = model.__table__
            assert isinstance(table, Table)
            counts[table.name] = (
                connection.scalar(select(func.count()).select_from(table).where(condition)) or 0
            )
            if for_good:
                connection.execute(delete(table).where(condition))
    return counts
