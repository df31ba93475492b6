"""How long it takes to find whom to compare one new document with, among a hundred thousand and a million stored.

    python -m benchmarks.candidate_lookup [--documents 100000 1000000] [--postgresql postgresql://…]

Fills the table `sketch` of a store and then asks `pipeline.store.sketches.find_candidates` for documents that are not
stored. SQLite is a file in the temporary folder;
PostgreSQL is used when a URL is given, in a schema of its own, dropped at the end.

The sketches are drawn and not made from texts: the 16 smallest of some hundred to two thousand values, as the hashes
of a text's 5-grams are. One document in ten is a reprint of an earlier one (12 values in common), one in twenty is one
of twenty forms (8 values in common with all its like, which become boilerplate). Times include
SQLAlchemy. By the wall clock they hold on a machine that does nothing else; processor time, that of PostgreSQL's process
included (which must run on the same machine), hardly depends on what else runs. Memory is the process's own, before and
after the lookups.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import psycopg
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection, Engine, delete, event, func, insert, select, text

from pipeline.dedupe import SKETCH_SIZE
from pipeline.store.session import open_engine
from pipeline.store.sketches import MOST_HOLDERS, find_candidates
from pipeline.store.story_tables import Boilerplate, Sketch

LOOKUPS = 3000
_BATCH = 20_000
_REPRINT, _FORM, _FORMS = 0.1, 0.05, 20
_SHARED, _SHARED_BY_FORMS = 12, 8


class Documents:
    """Draws sketches; the same for one seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.forms = [self._fresh()[:_SHARED_BY_FORMS] for _ in range(_FORMS)]
        self.earlier: list[tuple[int, ...]] = []

    def draw(self) -> tuple[int, ...]:
        """The sketch of the next document."""
        fresh, kind = self._fresh(), self.random.random()
        if kind < _REPRINT and self.earlier:
            fresh = (*self.random.sample(self.random.choice(self.earlier), _SHARED), *fresh[_SHARED:])
        elif kind < _REPRINT + _FORM:
            fresh = (*self.random.choice(self.forms), *fresh[_SHARED_BY_FORMS:])
        if len(self.earlier) < 100_000:
            self.earlier.append(fresh)
        return tuple(dict.fromkeys(fresh))

    def _fresh(self) -> tuple[int, ...]:
        grams = self.random.randint(100, 2000)
        place, values = 0.0, []
        for _ in range(SKETCH_SIZE):
            place += self.random.expovariate(grams)
            values.append(int(min(place, 0.999) * 2**64) - 2**63)
        return tuple(values)


def fill(engine: Engine, documents: Documents, number: int) -> None:
    """Store the sketches of so many documents in an empty store, then note what has become boilerplate.

    Indexes are made after the rows, and SQLite, whose table is an index, gets them sorted: a store that grew article
    by article has the same rows, but fuller of holes.
    """
    _without_indexes(engine)
    for first in range(0, number, _BATCH):
        rows = [
            (value, item_id)
            for item_id in range(first + 1, min(first + _BATCH, number) + 1)
            for value in documents.draw()
        ]
        with engine.begin() as connection:
            driver = connection.connection.driver_connection
            assert driver is not None
            if engine.dialect.name == "postgresql":
                with driver.cursor().copy("COPY sketch (hash, item_id) FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
            else:
                driver.executemany("INSERT INTO drawn VALUES (?, ?)", rows)
    _with_indexes(engine)
    with engine.begin() as connection:
        common = select(Sketch.hash).group_by(Sketch.hash).having(func.count() > MOST_HOLDERS)
        connection.execute(insert(Boilerplate).from_select(["hash"], common))
    with engine.connect() as connection:
        cleaned = "VACUUM ANALYZE" if engine.dialect.name == "postgresql" else "ANALYZE"
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text(cleaned))


def _without_indexes(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(delete(Boilerplate))
        if engine.dialect.name == "postgresql":
            connection.execute(text("TRUNCATE sketch"))
            connection.execute(text("ALTER TABLE sketch DROP CONSTRAINT pk_sketch"))
        else:
            connection.execute(delete(Sketch))
            connection.execute(text("CREATE TABLE drawn (hash INTEGER, item_id INTEGER)"))
        connection.execute(text("DROP INDEX ix_sketch_item_id"))


def _with_indexes(engine: Engine) -> None:
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(
                text("ALTER TABLE sketch ADD CONSTRAINT pk_sketch PRIMARY KEY (hash, item_id)")
            )
        else:
            connection.execute(
                text("INSERT INTO sketch SELECT hash, item_id FROM drawn ORDER BY hash, item_id")
            )
            connection.execute(text("DROP TABLE drawn"))
        connection.execute(text("CREATE INDEX ix_sketch_item_id ON sketch (item_id)"))


@dataclass(slots=True)
class Measured:
    """Milliseconds of each lookup, ascending: by the wall clock, and of processor time, the server's included."""

    wall: list[float]
    processor: list[float]
    candidates: float


def look_up(engine: Engine, documents: Documents) -> Measured:
    wanted = [documents.draw() for _ in range(LOOKUPS + 200)]
    found, wall, processor = 0, [], []
    with engine.connect().execution_options(read_only=True) as connection:
        server = _server_clock(connection)
        for number, sketch in enumerate(wanted):
            start = (time.perf_counter_ns(), time.thread_time_ns() + server())
            candidates = find_candidates(connection, {0: sketch})
            end = (time.perf_counter_ns(), time.thread_time_ns() + server())
            if number >= 200:  # the first ones warm the caches
                wall.append((end[0] - start[0]) / 1e6)
                processor.append((end[1] - start[1]) / 1e6)
                found += len(candidates.get(0, ()))
    return Measured(sorted(wall), sorted(processor), found / LOOKUPS)


def _server_clock(connection: Connection) -> Callable[[], int]:
    """Reads the nanoseconds that the server's process for this connection has run; always 0 for SQLite, which has
    none. Raises FileNotFoundError when the server is on another machine."""
    if connection.dialect.name != "postgresql":
        return lambda: 0
    process = connection.scalar(select(func.pg_backend_pid()))
    file = Path(f"/proc/{process}/schedstat")
    return lambda: int(file.read_text().split()[0])


def measure(engine: Engine, sizes: list[int], name: str, table: Table) -> None:
    for size in sizes:
        documents = Documents(1)
        fill(engine, documents, size)
        before = resident()
        measured = look_up(engine, documents)
        grown = f"{resident() - before:+.1f}"
        row = [
            f"{times[round(share * (len(times) - 1))]:.2f}"
            for times in (measured.wall, measured.processor)
            for share in (0.5, 0.95, 0.99)
        ]
        table.add_row(name, f"{size:,}", *row, f"{measured.candidates:.1f}", weigh(engine), grown)


def weigh(engine: Engine) -> str:
    """Megabytes of the table with its indexes."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            size = connection.scalar(text("SELECT pg_total_relation_size('sketch')")) or 0
        else:
            size = Path(str(engine.url.database)).stat().st_size
    return f"{size / 2**20:,.0f}"


def resident() -> float:
    """Megabytes of memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@contextmanager
def open_stores(postgresql: str | None) -> Iterator[dict[str, Engine]]:
    """An empty store on each database, gone at the end."""
    with tempfile.TemporaryDirectory(prefix="iprwatch-lookup-") as folder:
        # The items themselves take no part in a lookup and are not stored.
        engines = {"SQLite": open_engine(f"sqlite:///{Path(folder) / 'lookup.db'}")}
        event.listen(engines["SQLite"], "connect", lambda made, _: made.execute("PRAGMA foreign_keys=OFF"))
        engines["SQLite"].dispose()
        schema = f"lookup_{uuid.uuid4().hex}"
        if postgresql:
            with psycopg.connect(postgresql, autocommit=True) as connection:
                connection.execute(f'CREATE SCHEMA "{schema}"')
            engines["PostgreSQL"] = open_engine(f"{postgresql}?options=-csearch_path%3D{schema}")
            with engines["PostgreSQL"].begin() as connected:
                connected.execute(text("ALTER TABLE sketch DROP CONSTRAINT fk_sketch_item_id"))
        try:
            yield engines
        finally:
            for engine in engines.values():
                engine.dispose()
            if postgresql:
                with psycopg.connect(postgresql, autocommit=True) as connection:
                    connection.execute(f'DROP SCHEMA "{schema}" CASCADE')


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--documents", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--postgresql", default=os.environ.get("IPRWATCH_TEST_POSTGRESQL"))
    options = parser.parse_args()
    table = Table("database", title=f"{LOOKUPS} lookups of one new document each, milliseconds")
    times = (f"{clock} {share}" for clock in ("wall", "processor") for share in ("median", "p95", "p99"))
    for column in ("stored", *times, "candidates", "table MB", "memory MB"):
        table.add_column(column, justify="right")
    with open_stores(options.postgresql) as engines:
        for name, engine in engines.items():
            measure(engine, sorted(options.documents), name, table)
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
