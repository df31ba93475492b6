"""A store is copied before it is migrated, and one that vanished is not replaced by an empty one."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, inspect, make_url

from pipeline.store.session import MIGRATIONS, Accepted, StoreError, open_engine
from pipeline.store.source_set import SourcesMissing, check_sources, last_source_set


@pytest.fixture
def older(database_url: str) -> str:
    """A database of an older version, with one row."""
    url = make_url(database_url)
    engine = create_engine(
        url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url
    )
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        connection.exec_driver_sql("INSERT INTO wechat_session_state VALUES ('kept', '2026-11-20 01:00:00')")
    engine.dispose()
    return database_url


def copies(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in (".backup", ".dump", ".part"))


def holds_row(copy: Path) -> bool:
    if copy.suffix == ".backup":
        with sqlite3.connect(copy) as connection:
            return connection.execute("SELECT fingerprint FROM wechat_session_state").fetchall() == [
                ("kept",)
            ]
    listed = subprocess.run(
        ["pg_restore", "--data-only", "--table=wechat_session_state", "--file=-", copy],
        capture_output=True, encoding="utf-8", check=True,
    )  # fmt: skip
    return "kept\t" in listed.stdout


def test_a_copy_is_made_before_a_migration_and_holds_what_was_there(older: str, tmp_path: Path) -> None:
    if older.startswith("postgresql") and shutil.which("pg_dump") is None:
        pytest.skip("pg_dump is not on the PATH")
    open_engine(older, backups=tmp_path / "backups").dispose()
    (copy,) = copies(tmp_path)
    assert ".0003." in copy.name
    assert holds_row(copy)
    open_engine(older, backups=tmp_path / "backups").dispose()
    assert copies(tmp_path) == [copy]


def test_a_new_store_needs_no_copy(engine: Engine, tmp_path: Path) -> None:
    assert copies(tmp_path) == []


def test_nothing_is_migrated_that_can_not_be_copied(
    older: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if older.startswith("sqlite"):
        monkeypatch.setattr("pipeline.store.backup.sqlite3.connect", _refuse)
    else:
        monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StoreError, match="must be migrated from version 0003.*--accept-no-backup"):
        open_engine(older, backups=tmp_path / "backups")
    with pytest.raises(StoreError, match="of version 0003"):
        open_engine(older, create=False)
    assert copies(tmp_path) == []
    engine = open_engine(older, backups=tmp_path / "backups", accepted=Accepted(no_backup=True))
    assert inspect(engine).has_table("lease")
    engine.dispose()


def _refuse(_path: object) -> None:
    raise sqlite3.OperationalError("disk I/O error")


def test_a_store_that_vanished_is_not_replaced_by_an_empty_one(tmp_path: Path) -> None:
    file = tmp_path / "iprwatch.db"
    url = f"sqlite:///{file}"
    (tmp_path / "iprwatch.db.0003.20261120T010000Z.backup").write_bytes(b"")
    with pytest.raises(StoreError, match="iprwatch.db.0003.* is a backup of it.*--accept-empty-store"):
        open_engine(url)
    assert not file.exists()
    open_engine(url, accepted=Accepted(empty_store=True)).dispose()
    open_engine(url).dispose()


def test_sources_that_went_missing_are_noticed_at_the_next_start(engine: Engine) -> None:
    keys = [f"court_{number:02}" for number in range(10)]
    check_sources(engine, keys)
    check_sources(engine, keys[2:])
    with pytest.raises(SourcesMissing, match="Only 6 sources .* there were 8. Gone: court_02, court_03"):
        check_sources(engine, keys[4:])
    with pytest.raises(SourcesMissing):
        check_sources(engine, keys[4:])
    check_sources(engine, keys[4:], accept_fewer=True)
    check_sources(engine, keys[4:])
    found = last_source_set(engine)
    assert found is not None
    assert found.keys == tuple(keys[4:])
