"""A store copied into another database is the same, also when the copying was killed half-way."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, inspect, update

from pipeline.expression import read_words
from pipeline.store import copying
from pipeline.store.copying import TABLES, copy_store
from pipeline.store.health_tables import DayVerdict
from pipeline.store.host_tables import Host
from pipeline.store.session import StoreError, open_engine
from pipeline.store.tables import Item, Run
from pipeline.store.upkeep import check_store
from pipeline.store.write import write_records
from query.search import search_items
from tests.notices import make_record


@pytest.fixture
def source(tmp_path: Path, sqlite_tables: Path) -> Iterator[Engine]:
    """An SQLite store with items, facts, stories and names that databases sort differently."""
    file = tmp_path / "source.db"
    shutil.copy(sqlite_tables, file)
    engine = open_engine(f"sqlite:///{file}", create=False)
    run = make_record(1).notice.fetched_at
    with engine.begin() as connection:
        connection.execute(
            insert(Run).values(
                id=1, source_key="a_b", started_at=run, finished_at=None, list_read_at=None, state="ok", reason="é",
                baseline=False, counts={"new": 1},
            )
        )  # fmt: skip
        for name in ("b.example", "B.example", "a-b.example", "a.b.example", "ä.example", "中.example"):
            connection.execute(
                insert(Host).values(host=name, next_at=0.1, holder=None, failures=0, reason=None)
            )
        for day in range(1, 10):
            connection.execute(
                insert(DayVerdict).values(
                    source_key="a_b", day=date(2026, 11, day), verdict="new", kind=None, why="", heard=True, moved=True,
                    runs=1, new=1, edited=0, run_id=1, evidence={}, judged_at=run,
                )
            )  # fmt: skip
    write_records(engine, [make_record(number) for number in range(1, 31)])
    yield engine
    engine.dispose()


class Killed(BaseException):
    """Stands for a kill: nobody catches it."""


def test_every_table_is_copied_and_the_copy_is_a_store(source: Engine, engine: Engine) -> None:
    copied = {one.name: one.rows for one in copy_store(source, engine)}
    found = {name for name in inspect(engine).get_table_names() if not name.startswith("item_search")}
    assert set(copied) | {"alembic_version"} == found
    assert (copied["item"], copied["host"]) == (30, 6)
    assert list(check_store(engine)) == []
    assert search_items(engine, read_words(["商标"])).total == 30
    assert "copy_progress" not in inspect(engine).get_table_names()
    write_records(engine, [make_record(31)])
    assert search_items(engine).total == 31


@pytest.mark.parametrize("kill_in", ["host", "item", "fact", "story_member", "verdict"])
def test_a_copy_that_was_killed_goes_on_where_it_was(
    source: Engine, engine: Engine, kill_in: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "_BATCH", 4)

    def kill(name: str, rows: int) -> None:
        if name == kill_in:
            raise Killed

    with pytest.raises(Killed):
        copy_store(source, engine, kill)
    told: list[tuple[str, int]] = []
    copied = {one.name: one.rows for one in copy_store(source, engine, lambda *said: told.append(said))}
    assert copied["item"] == 30
    rest = max((rows for name, rows in told if name == kill_in), default=0)
    assert rest == copied[kill_in] - 4
    order = [table.name for table in TABLES]
    assert all(order.index(name) >= order.index(kill_in) for name, _ in told)


def test_a_database_with_rows_is_not_copied_into(source: Engine, store: Engine) -> None:
    with pytest.raises(StoreError, match="holds rows already"):
        copy_store(source, store)


def test_a_table_that_was_written_to_meanwhile_is_told(source: Engine, engine: Engine) -> None:
    def write(name: str, rows: int) -> None:
        if name == "item":
            with source.begin() as connection:
                connection.execute(update(Run).values(reason="changed"))

    with pytest.raises(StoreError, match="table run differs"):
        copy_store(source, engine, write)


def test_a_row_that_differs_in_one_letter_is_told(
    source: Engine, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoil(name: str, rows: int) -> None:
        if name == "item":
            with engine.begin() as connection:
                connection.execute(update(Item).where(Item.id == 3).values(title="other"))

    with pytest.raises(
        StoreError, match="table item differs: 30 rows were to be copied, 30 are there, and not the same"
    ):
        copy_store(source, engine, spoil)
