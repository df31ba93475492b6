"""Databases as older versions of iprwatch left them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import JSON, Connection, Engine, MetaData, Table, create_engine, insert, make_url

from pipeline.store.session import MIGRATIONS


@contextmanager
def open_older(database_url: str, revision: str) -> Iterator[Engine]:
    """An empty database at this revision."""
    url = make_url(database_url)
    engine = create_engine(
        url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url
    )
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    yield engine
    engine.dispose()


def store_row(connection: Connection, table: str, **values: Any) -> None:
    """Insert a row into a table as it was then; what isn't given is filled with anything that it takes."""
    reflected = Table(table, MetaData(), autoload_with=connection)
    anything = {int: 1, str: "x", bool: False, datetime: datetime(2026, 1, 1)}  # noqa: DTZ001
    row = {
        column.name: [] if isinstance(column.type, JSON) else anything[column.type.python_type]
        for column in reflected.columns
        if not column.nullable
    }
    connection.execute(insert(reflected).values(row | values))
