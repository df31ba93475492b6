"""Opening the store: what is made, what is refused, and in which words."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from pipeline.store.session import MIGRATIONS, VERSIONS, StoreError, open_engine
from pipeline.store.tables import Base


def test_opening_twice_finds_the_same_schema(engine: Engine, database_url: str) -> None:
    again = open_engine(database_url, create=False)
    with again.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) is not None
    again.dispose()


def test_every_migration_bears_its_revision_in_its_files_name() -> None:
    scripts = ScriptDirectory(str(MIGRATIONS))
    assert [script.revision for script in scripts.walk_revisions()][::-1] == VERSIONS
    assert all(Path(script.path).name.startswith(script.revision) for script in scripts.walk_revisions())


def differences(engine: Engine) -> list[object]:
    """Between the tables of the code and those of a database."""
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_object": lambda _o, name, *_: not str(name).startswith(("item_search", "ix_search"))
            },
        )
        return list(compare_metadata(context, Base.metadata))


def test_the_migrations_make_exactly_the_tables_of_the_code(database_url: str) -> None:
    engine = open_engine(database_url)
    assert differences(engine) == []
    engine.dispose()


def test_the_tables_that_tests_start_from_are_those_of_the_code(engine: Engine) -> None:
    assert differences(engine) == []


def test_a_store_of_a_newer_version_is_refused(engine: Engine, database_url: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="of version 9999, which this iprwatch .* doesn't know"):
        open_engine(database_url)


def test_sqlite_is_durable_and_waits_for_other_writers(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'a.db'}")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    engine.dispose()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("secret nonsense", "no database URL; write sqlite:///FILE"),
        ("postgresql://me:secret@localhost:five/x", "no database URL"),
        ("mysql://localhost/x", "SQLite or PostgreSQL; write sqlite:///FILE"),
        ("postgresql+psycopg2://me:secret@localhost/x", "SQLite or PostgreSQL"),
        ("sqlite://", "name a file"),
        ("sqlite:////proc/no/such.db", "can't"),
        ("postgresql://nobody:secret@127.0.0.1:1/none", "can't be opened"),
    ],
)
def test_what_cannot_be_opened_is_named_without_its_password(url: str, words: str) -> None:
    with pytest.raises(StoreError, match=words) as caught:
        open_engine(url)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "notes.db"
    file.write_text("shopping list, much longer than the sixteen bytes of a header " * 20, encoding="utf-8")
    before = file.read_bytes()
    with pytest.raises(StoreError, match="not a database"):
        open_engine(f"sqlite:///{file}")
    assert file.read_bytes() == before


def test_reading_makes_no_database(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no such database yet"):
        open_engine(f"sqlite:///{tmp_path / 'none.db'}", create=False)
    assert list(tmp_path.iterdir()) == []
