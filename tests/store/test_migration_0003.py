"""A database from before facts had keys gets them from the values that it holds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import JSON, Connection, Engine, MetaData, Table, create_engine, insert, make_url, select

from pipeline.legal import find_facts
from pipeline.store.session import MIGRATIONS, open_engine
from pipeline.store.tables import FactRow


@pytest.fixture
def older(database_url: str) -> Iterator[Engine]:
    """A database at revision 0002."""
    url = make_url(database_url)
    engine = create_engine(
        url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url
    )
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
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


def test_facts_of_an_older_database_are_found_by_their_keys(
    older: Engine, database_url: str, tmp_path: Path
) -> None:
    facts = find_facts("（2022）粤0192民初2187号判决赔偿1.5万元。")
    with older.begin() as connection:
        store_row(connection, "run")
        store_row(connection, "item")
        for number, fact in enumerate(facts, start=1):
            store_row(
                connection, "fact", id=number, field="body", kind=fact.kind, raw=fact.raw, value=fact.value
            )
    engine = open_engine(database_url, backups=tmp_path)
    with engine.connect() as connection:
        rows = connection.execute(select(FactRow.kind, FactRow.key, FactRow.court, FactRow.amount)).all()
    engine.dispose()
    assert ("case_number", "(2022)粤0192民初2187号", "广州互联网法院", None) in map(tuple, rows)
    assert ("amount", "cny", None, Decimal(15000)) in map(tuple, rows)
    assert len(rows) == len(facts)
