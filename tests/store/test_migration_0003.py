"""A database from before facts had keys gets them from the values that it holds."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from sqlalchemy import select

from pipeline.legal import find_facts
from pipeline.store.session import open_engine
from pipeline.store.tables import FactRow
from tests.older_stores import open_older, store_row


def test_facts_of_an_older_database_are_found_by_their_keys(database_url: str, tmp_path: Path) -> None:
    facts = find_facts("（2022）粤0192民初2187号判决赔偿1.5万元。")
    with open_older(database_url, "0002") as older, older.begin() as connection:
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
