"""A store is checked, indexed anew, given its space back, pruned, backed up and restored, on both databases."""

from __future__ import annotations

import shutil
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, func, insert, inspect, select, text, update
from sqlalchemy.exc import DBAPIError

from crawlers.archive import Archive
from pipeline.expression import read_words
from pipeline.store.backup import BackupError, back_up
from pipeline.store.restoring import restore_store, verify_backup
from pipeline.store.session import VERSIONS, StoreError, build_engine, read_url
from pipeline.store.story_tables import StoryMember
from pipeline.store.tables import Base, Item, Probe, SearchDocument, Snapshot, SourceSetRow, Version
from pipeline.store.upkeep import check_store, prune_store, reindex_store, vacuum_store
from pipeline.store.write import write_records
from query.search import search_items
from tests.notices import make_record

NOW = datetime(2026, 11, 20, tzinfo=UTC)
OLD = NOW - timedelta(days=400)


@pytest.fixture
def filled(store: Engine) -> Engine:
    write_records(store, [make_record(number) for number in (1, 2, 3)])
    return store


def faults(engine: Engine, **options: Any) -> list[tuple[str, str]]:
    return [(fault.place, fault.detail) for fault in check_store(engine, **options)]


def change(engine: Engine, statement: Any) -> None:
    """Do what the foreign keys would refuse."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")  # type: ignore[union-attr]
        connection.execute(statement)
        connection.commit()


def test_a_whole_store_has_no_fault(filled: Engine) -> None:
    assert faults(filled) == []


def test_a_search_document_with_other_words_is_found_and_mended(filled: Engine) -> None:
    change(filled, update(SearchDocument).where(SearchDocument.item_id == 1).values(sequence="other words"))
    change(filled, delete(SearchDocument).where(SearchDocument.item_id == 2))
    assert [place for place, _ in faults(filled)] == ["search index", "search index"]
    assert search_items(filled, read_words(["商标"])).total == 1
    assert reindex_store(filled) == 2
    assert faults(filled) == []
    assert search_items(filled, read_words(["商标"])).total == 3
    assert reindex_store(filled) == 0


def test_an_index_that_lost_its_rows_is_found_and_mended(filled: Engine) -> None:
    if filled.dialect.name == "postgresql":
        pytest.skip("PostgreSQL keeps its own index")
    change(filled, text("INSERT INTO item_search(item_search) VALUES ('delete-all')"))
    assert ["reindex" in detail for _, detail in faults(filled)] == [True]
    reindex_store(filled)
    assert faults(filled) == []
    assert search_items(filled, read_words(["商标"])).total == 3


@pytest.mark.parametrize(
    ("lost", "words"),
    [
        (delete(Version).where(Version.item_id == 1), "has no newest version"),
        (delete(StoryMember).where(StoryMember.item_id == 1), "has no story"),
    ],
)
def test_an_item_without_what_belongs_to_it_is_named(filled: Engine, lost: Any, words: str) -> None:
    with filled.connect() as connection:
        uid = connection.scalar(select(Item.uid).where(Item.id == 1))
    change(filled, lost)
    assert faults(filled) == [("items", f"item {uid}: {words}")]


def test_rows_that_name_what_is_not_there_are_counted(filled: Engine) -> None:
    if filled.dialect.name == "postgresql":
        pytest.skip("PostgreSQL lets nobody break a reference")
    change(filled, delete(Item).where(Item.id == 1))
    assert ("references", "1 rows of version name a item that isn't there") in faults(filled)


def test_an_index_that_can_not_be_looked_at_now_is_no_fault(filled: Engine) -> None:
    if filled.dialect.name == "postgresql":
        pytest.skip("PostgreSQL keeps its own index")
    with filled.connect() as waiting:
        waiting.connection.driver_connection.execute("PRAGMA busy_timeout=1")  # type: ignore[union-attr]
    with sqlite3.connect(str(filled.url.database), isolation_level=None) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with pytest.raises(DBAPIError, match="database is locked"):
            faults(filled)
        writer.execute("ROLLBACK")
    writer.close()


def test_a_damaged_file_is_told(filled: Engine) -> None:
    if filled.dialect.name == "postgresql":
        pytest.skip("there is no file to damage")
    vacuum_store(filled)
    filled.dispose()
    with Path(str(filled.url.database)).open("r+b") as file:
        size = file.seek(0, 2)
        file.seek(size // 4096 * 3 // 4 * 4096)
        file.write(b"\xff" * 4096)
    assert {place for place, _ in faults(filled)} == {"file"}


def test_pages_that_left_the_archive_are_named(filled: Engine, tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    assert len(faults(filled, open_page=archive.open_page)) == 3
    assert {place for place, _ in faults(filled, open_page=archive.open_page)} == {"archive"}


def test_vacuum_leaves_everything_as_it_was(filled: Engine) -> None:
    vacuum_store(filled)
    assert faults(filled) == []
    assert search_items(filled, read_words(["商标"])).total == 3


def test_a_vacuum_that_others_stand_in_the_way_of_is_told(filled: Engine) -> None:
    if filled.dialect.name == "postgresql":
        pytest.skip("PostgreSQL waits for nobody who writes rows")
    with filled.connect() as waiting:
        waiting.connection.driver_connection.execute("PRAGMA busy_timeout=1")  # type: ignore[union-attr]
    file = str(filled.url.database)
    with sqlite3.connect(file, isolation_level=None) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="given back: database is locked"):
            vacuum_store(filled)
        writer.execute("ROLLBACK")
    writer.close()


@pytest.fixture
def aged(filled: Engine) -> Engine:
    page = {
        "url": "https://example.org/", "source_key": "a_b", "status": 200, "headers": {}, "entry": None,
        "detail": None, "run_id": 1,
    }  # fmt: skip
    with filled.begin() as connection:
        for number, (kind, detail, when) in enumerate(
            [("list", None, OLD), ("list", None, OLD), ("list", None, NOW), ("blocked", "challenge", OLD), ("article", None, OLD)]
        ):  # fmt: skip
            row = {**page, "kind": kind, "detail": detail, "fetched_at": when, "sha256": f"{number:064x}"}
            connection.execute(insert(Snapshot).values(row))
        for when in (OLD, OLD, NOW):
            connection.execute(insert(SourceSetRow).values(source_keys=["a_b"], noted_at=when))
            connection.execute(
                insert(Probe).values(source_key="a_b", verdict="ok", detail="", seconds=1.0, probed_at=when)
            )
        connection.execute(
            insert(Probe).values(source_key="c_d", verdict="ok", detail="", seconds=1.0, probed_at=OLD)
        )
    return filled


def counts(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        return {
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
        }


def test_pruning_deletes_old_rows_but_no_evidence_and_only_when_told(aged: Engine) -> None:
    before = counts(aged)
    cut = NOW - timedelta(days=365)
    would = prune_store(aged, cut, for_good=False)
    assert would == {"probe": 2, "source_set": 2, "snapshot": 2}
    assert counts(aged) == before
    assert prune_store(aged, cut, for_good=True) == would
    assert counts(aged) == {name: number - would.get(name, 0) for name, number in before.items()}
    assert prune_store(aged, cut, for_good=True) == dict.fromkeys(would, 0)
    with aged.connect() as connection:
        kinds = sorted(connection.scalars(select(Snapshot.kind).where(Snapshot.source_key == "a_b")))
    assert kinds == ["article", "blocked", "list"]


def make_backup(engine: Engine, folder: Path) -> Path:
    url = engine.url.set(drivername=engine.dialect.name)
    with engine.connect().execution_options(read_only=True) as connection:
        return back_up(connection, url, VERSIONS[-1], folder, into=folder)


@pytest.fixture
def needs_programs(database_url: str) -> None:
    if database_url.startswith("postgresql") and shutil.which("pg_restore") is None:
        pytest.skip("pg_restore is not on the PATH")


@pytest.mark.usefixtures("needs_programs")
def test_a_backup_is_put_in_the_place_of_a_store_only_when_told(
    filled: Engine, database_url: str, tmp_path: Path
) -> None:
    url, folder = read_url(database_url), tmp_path / "backups"
    backup = make_backup(filled, folder)
    verify_backup(backup)
    write_records(filled, [make_record(4)])
    with pytest.raises(BackupError, match="add --force"):
        restore_store(url, backup, folder=folder, force=False)
    assert search_items(filled).total == 4
    filled.dispose()
    replaced = restore_store(url, backup, folder=folder, force=True)
    assert search_items(filled, read_words(["商标"])).total == 3
    assert faults(filled) == []
    assert replaced is not None
    filled.dispose()
    restore_store(url, replaced, folder=folder, force=True)
    assert search_items(filled).total == 4


@pytest.mark.usefixtures("needs_programs")
def test_a_backup_is_made_while_somebody_writes_and_holds_what_was_committed(
    filled: Engine, tmp_path: Path
) -> None:
    with filled.begin() as writing:
        writing.execute(update(Item).values(title="not yet committed"))
        backup = make_backup(filled, tmp_path / "backups")
        writing.rollback()
    verify_backup(backup)
    if backup.suffix == ".backup":
        with sqlite3.connect(backup) as copy:
            titles = [title for (title,) in copy.execute("SELECT title FROM item")]
        copy.close()
        assert len(titles) == 3
        assert "not yet committed" not in titles


def test_a_file_that_is_no_backup_is_refused_before_anything_is_touched(
    filled: Engine, database_url: str, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.backup"
    wrong.write_bytes(b"nonsense" * 1000)
    for backup in (wrong, tmp_path / "none.backup"):
        with pytest.raises(BackupError):
            restore_store(read_url(database_url), backup, folder=tmp_path, force=True)
    assert search_items(filled).total == 3


@pytest.mark.usefixtures("needs_programs")
def test_a_damaged_backup_is_refused(filled: Engine, tmp_path: Path) -> None:
    backup = make_backup(filled, tmp_path / "backups")
    whole = backup.read_bytes()
    for kept in (len(whole) // 2, len(whole) - 100):
        backup.write_bytes(whole[:kept])
        with pytest.raises(BackupError, match=r"damaged|no backup|end of file"):
            verify_backup(backup)


@pytest.mark.usefixtures("needs_programs")
def test_a_backup_of_an_older_version_takes_the_place_of_a_newer_store(
    filled: Engine, database_url: str, tmp_path: Path
) -> None:
    """What later versions added goes, also where it refers to what is replaced; what others keep beside it stays."""
    added = Base.metadata.tables["unread_article"]
    with filled.begin() as connection:
        added.drop(connection)
        connection.execute(text("UPDATE alembic_version SET version_num = '0017'"))
    backup = make_backup(filled, tmp_path / "backups")
    with filled.begin() as connection:
        added.create(connection)
        connection.execute(text("UPDATE alembic_version SET version_num = :last"), {"last": VERSIONS[-1]})
        if filled.dialect.name == "postgresql":
            connection.execute(text("ALTER TABLE unread_article ADD item_id bigint REFERENCES item (id)"))
            connection.execute(text("CREATE TABLE of_others (number int)"))
    filled.dispose()
    restore_store(read_url(database_url), backup, folder=tmp_path, force=True)
    with filled.begin() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "0017"
        assert not inspect(connection).has_table("unread_article")
        if filled.dialect.name == "postgresql":
            connection.execute(text("DROP TABLE of_others"))
    assert search_items(filled).total == 3


@pytest.mark.usefixtures("needs_programs")
def test_what_stands_in_the_way_of_a_backup_is_named_and_nothing_is_changed(
    filled: Engine, database_url: str, tmp_path: Path
) -> None:
    if filled.dialect.name == "sqlite":
        pytest.skip("nothing can stand in the way of a file")
    backup = make_backup(filled, tmp_path / "backups")
    write_records(filled, [make_record(4)])
    with filled.begin() as connection:
        connection.execute(text("CREATE VIEW of_others AS SELECT id FROM item"))
    filled.dispose()
    with pytest.raises(BackupError, match="other objects depend on them; view .*of_others depends on"):
        restore_store(read_url(database_url), backup, folder=tmp_path, force=True)
    with filled.begin() as connection:
        connection.execute(text("DROP VIEW of_others"))
    assert search_items(filled).total == 4


def test_a_restore_for_which_there_is_no_room_leaves_no_empty_store(
    filled: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if filled.dialect.name == "postgresql":
        pytest.skip("a PostgreSQL database is there before")
    backup = make_backup(filled, tmp_path / "backups")
    connect = sqlite3.connect

    def connect_to_a_full_disk(file: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(file, **options)
        if "timeout" in options:
            connection.execute("PRAGMA max_page_count=3")
        return connection

    monkeypatch.setattr(sqlite3, "connect", connect_to_a_full_disk)
    new = tmp_path / "new.db"
    with pytest.raises(BackupError, match="full"):
        restore_store(read_url(f"sqlite:///{new}"), backup, folder=tmp_path, force=False)
    assert not new.exists()


@pytest.mark.usefixtures("needs_programs")
def test_a_dump_of_another_database_is_refused(database_url: str, tmp_path: Path) -> None:
    if database_url.startswith("sqlite"):
        pytest.skip("dumps are of PostgreSQL")
    engine = build_engine(read_url(database_url))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE of_others (number int)"))
    with pytest.raises(BackupError, match="no backup of an iprwatch store"):
        verify_backup(make_backup(engine, tmp_path))
    engine.dispose()
