"""Copying a whole store into another database, such as from SQLite to PostgreSQL: resumable, and verified."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Date,
    Engine,
    MetaData,
    String,
    Table,
    func,
    inspect,
    select,
    text,
    tuple_,
)

from pipeline.store.every_table import TABLES
from pipeline.store.session import StoreError

_BATCH = 1000
_MODULUS = 1 << 128
# Where a copy stands; it is there only while one is unfinished.
_progress = Table(
    "copy_progress",
    MetaData(),
    Column("name", String(100), primary_key=True),
    Column("key", JSON, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Copied:
    """A table that was copied: its rows, and the sum of their hashes, which is the same in both databases."""

    name: str
    rows: int
    sum: str


def copy_store(
    source: Engine, target: Engine, tell: Callable[[str, int], None] = lambda *_: None
) -> list[Copied]:
    """Copy every row into an empty store of the same version; broken off, the same call goes on where it was.

    `tell` hears the table and how many of its rows were copied so far by this call. Then both sides are read and
    compared. Raises StoreError for a target that holds other rows, and where a table differs in the end: then
    something was written meanwhile, so copy a backup, which nothing writes to.
    """
    with target.begin() as connection:
        begun = inspect(connection).has_table(_progress.name)
        if not begun:
            for table in TABLES:
                if connection.scalar(select(func.count()).select_from(table)):
                    raise StoreError(
                        f"The target holds rows already (table {table.name}); copy into an empty database."
                    )
            _progress.create(connection)
    for table in TABLES:
        _copy_table(source, target, table, tell)
    copied = [_compare(source, target, table) for table in TABLES]
    with target.begin() as connection:
        _set_sequences(connection)
        _progress.drop(connection)
    return copied


def _copy_table(source: Engine, target: Engine, table: Table, tell: Callable[[str, int], None]) -> None:
    key = list(table.primary_key.columns)
    done = 0
    with target.connect() as connection:
        noted = connection.scalar(select(_progress.c.key).where(_progress.c.name == table.name))
    last = (
        None if noted is None else [_typed(column, value) for column, value in zip(key, noted, strict=True)]
    )
    while True:
        query = select(table).order_by(*key).limit(_BATCH)
        if last is not None:
            query = query.where(tuple_(*key) > tuple_(*last))
        with source.connect().execution_options(read_only=True) as connection:
            rows = [dict(row._mapping) for row in connection.execute(query)]
        if not rows:
            return
        last = [rows[-1][column.name] for column in key]
        with target.begin() as connection:
            connection.execute(table.insert(), rows)
            connection.execute(_progress.delete().where(_progress.c.name == table.name))
            connection.execute(_progress.insert().values(name=table.name, key=list(map(_plain, last))))
        done += len(rows)
        tell(table.name, done)


def _compare(source: Engine, target: Engine, table: Table) -> Copied:
    (rows, summed), (other_rows, other_summed) = (_sum_up(engine, table) for engine in (source, target))
    if (rows, summed) != (other_rows, other_summed):
        raise StoreError(
            f"The table {table.name} differs: {rows} rows were to be copied, {other_rows} are there"
            f"{'' if rows != other_rows else ', and not the same'}. It was written to meanwhile: empty the target and "
            "copy a backup."
        )
    return Copied(table.name, rows, f"{summed:032x}")


def _sum_up(engine: Engine, table: Table) -> tuple[int, int]:
    """The number of rows and the sum of their hashes: databases sort texts differently, sums have no order."""
    count = summed = 0
    with engine.connect().execution_options(read_only=True, yield_per=_BATCH) as connection:
        for row in connection.execute(select(table)):
            written = json.dumps([_plain(value) for value in row], ensure_ascii=False, sort_keys=True)
            digest = hashlib.sha256(written.encode("utf-8", "surrogatepass")).digest()
            summed = (summed + int.from_bytes(digest[:16])) % _MODULUS
            count += 1
    return count, summed


def _typed(column: Column[Any], value: Any) -> Any:
    """A part of a key again, which JSON holds as text where it is a day."""
    return date.fromisoformat(value) if isinstance(column.type, Date) else value


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return format(value.normalize(), "f") if isinstance(value, Decimal) else value


def _set_sequences(connection: Connection) -> None:
    """Rows copied with their numbers don't move PostgreSQL's counters."""
    if connection.dialect.name != "postgresql":
        return
    for table in TABLES:
        if "id" not in table.c:
            continue
        sequence = connection.scalar(
            text("SELECT pg_get_serial_sequence(:name, 'id')"), {"name": f'"{table.name}"'}
        )
        highest = connection.scalar(select(func.max(table.c.id)))
        if sequence and highest:
            connection.execute(
                text("SELECT setval(:sequence, :value)"), {"sequence": sequence, "value": highest}
            )
