"""A connection to an SQLite file that can only read the views, whatever is asked.

`mode=ro` alone is not read-only: ATTACH made files, and a statement can switch `query_only` off. So every action is
put to an authorizer, and nothing can be attached.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from urllib.parse import quote

from query.errors import QueryError
from query.sql.statement import FUNCTIONS, LONGEST, read_statement

_LIMITS = {
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_LENGTH: 10_000_000,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 4 * LONGEST,
    sqlite3.SQLITE_LIMIT_COLUMN: 500,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 100,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 50,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 1000,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 0,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}
_STEPS = 5_000
# Functions of tables that SQLite itself brings, which read nothing but their argument.
_OWN_TABLES = {"json_each"}


@contextlib.contextmanager
def open_reading(
    file: Path, views: Collection[str], *, seconds: float
) -> Iterator[tuple[sqlite3.Connection, set[str]]]:
    """The connection, and the names that a statement must not hold. It breaks off what takes longer than `seconds`."""
    uri = f"file:{quote(str(file.resolve()))}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
        connection.execute("PRAGMA query_only=ON")
        tables = {
            name.lower()
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
        for limit, value in _LIMITS.items():
            connection.setlimit(limit, value)
        end = time.monotonic() + seconds
        connection.set_progress_handler(lambda: int(time.monotonic() > end), _STEPS)
        connection.set_authorizer(_authorizer(views))
        yield connection, tables


def ask_sqlite(
    file: Path, text: str, views: Collection[str], *, rows: int, seconds: float
) -> tuple[list[str], list[tuple[object, ...]]]:
    """The names of the columns and at most `rows` rows. Raises QueryError."""
    try:
        with open_reading(file, views, seconds=seconds) as (connection, tables):
            statement = read_statement(text, forbidden=tables)
            cursor = connection.execute(statement)
            return [name for name, *_ in cursor.description], cursor.fetchmany(rows)
    except sqlite3.Error as error:
        said = "it took too long" if "interrupted" in str(error) else str(error)
        raise QueryError(f"The database refused the statement: {said}.") from None


def _authorizer(
    views: Collection[str],
) -> Callable[[int, str | None, str | None, str | None, str | None], int]:
    def judge(
        action: int, first: str | None, second: str | None, _database: str | None, source: str | None
    ) -> int:
        name = (first or "").lower()
        if action == sqlite3.SQLITE_SELECT:
            allowed = True
        elif action == sqlite3.SQLITE_FUNCTION:
            allowed = (second or "").lower() in FUNCTIONS
        elif action == sqlite3.SQLITE_READ:
            # Without a column only rows are counted: of a name that the statement gives, or of a table below a view.
            counted = not second and not name.startswith(("sqlite_", "pragma_"))
            allowed = name in views or source in views or name in _OWN_TABLES or counted
        else:
            allowed = False
        return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY

    return judge
