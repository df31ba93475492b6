"""A question to PostgreSQL in a transaction that only reads, with a time limit that both sides keep.

The statement's words are judged first (`statement`): PostgreSQL itself has no views-only mode but a role of its own,
which is better still (docs/analysis.md).
"""

from __future__ import annotations

import threading
from collections.abc import Collection

import psycopg
from psycopg import sql

from query.errors import QueryError
from query.sql.statement import read_statement

_NAMES = """
    SELECT nspname FROM pg_namespace
    UNION
    SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = current_schema() AND relkind IN ('r', 'p', 'f', 'm', 'S', 't', 'v')"""


def ask_postgresql(
    conninfo: str, text: str, views: Collection[str], *, rows: int, seconds: float
) -> tuple[list[str], list[tuple[object, ...]]]:
    """The names of the columns and at most `rows` rows. Raises QueryError."""
    try:
        with psycopg.connect(conninfo, connect_timeout=5) as connection:
            connection.read_only = True
            for name, value in (
                ("statement_timeout", f"{int(seconds * 1000)}ms"),
                ("lock_timeout", f"{int(seconds * 1000)}ms"),
                ("standard_conforming_strings", "on"),
                ("max_parallel_workers_per_gather", "0"),
            ):
                connection.execute("SELECT set_config(%s, %s, false)", (name, value))
            connection.execute(
                "SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', false)"
            )
            names = {name.lower() for (name,) in connection.execute(_NAMES)} - set(views)
            statement = read_statement(text, forbidden=names)
            # Also fetching takes time, which the server's limit counts anew for each part.
            end = threading.Timer(seconds, connection.cancel)
            end.daemon = True
            end.start()
            try:
                with connection.cursor(name="question") as cursor:
                    cursor.execute(sql.SQL(statement))
                    found = cursor.fetchmany(rows)
                    return [column.name for column in cursor.description or ()], found
            finally:
                end.cancel()
    except psycopg.errors.QueryCanceled:
        raise QueryError("The database refused the statement: it took too long.") from None
    except psycopg.Error as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise QueryError(f"The database refused the statement: {lines[0].rstrip('.')}.") from None
