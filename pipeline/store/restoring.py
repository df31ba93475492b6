"""Putting a backup in the place of a store: the backup is verified first, and what it replaces is kept."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import subprocess
from pathlib import Path

from sqlalchemy import URL, inspect, text

from pipeline.store.backup import BackupError, back_up, libpq_environment
from pipeline.store.session import VERSIONS, build_engine

# Nobody writes a backup; without `immutable`, reading one leaves files beside it.
_READING = "mode=ro&immutable=1"


def verify_backup(backup: Path) -> None:
    """Raises BackupError for a file that is no whole backup, or of a version that isn't known."""
    if not backup.is_file():
        raise BackupError(f"{backup}: there is no such file.")
    if backup.suffix == ".dump":
        _run("pg_restore", ["--list", str(backup)], {}, backup)
        return
    try:
        with contextlib.closing(
            sqlite3.connect(f"{backup.resolve().as_uri()}?{_READING}", uri=True)
        ) as connection:
            said = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            broken = connection.execute("PRAGMA foreign_key_check").fetchone()
            version = str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])
    except sqlite3.Error as error:
        raise BackupError(f"{backup}: is no backup of an iprwatch store ({error}).") from None
    if said != "ok" or broken:
        raise BackupError(
            f"{backup}: is damaged ({said if said != 'ok' else 'a row names another that is not there'})."
        )
    if version not in VERSIONS:
        raise BackupError(
            f"{backup}: is of version {version}, which this iprwatch (up to {VERSIONS[-1]}) doesn't know."
        )


def restore_store(url: URL, backup: Path, *, folder: Path | None, force: bool) -> Path | None:
    """Put a verified backup in the place of the database; returns the copy of what was there, None where nothing was.

    Other processes that have the database open see the restored rows from one moment to the next. Raises BackupError:
    for a backup that isn't whole, or of the other kind of database, and for a database with something in it unless
    `force`; then nothing has changed.
    """
    verify_backup(backup)
    sqlite = url.get_backend_name() == "sqlite"
    if sqlite == (backup.suffix == ".dump"):
        raise BackupError(f"{backup}: is a backup of the other kind of database.")
    replaced = _keep_present(url, folder, force=force, shown=backup)
    if sqlite:
        _restore_sqlite(Path(str(url.database)), backup)
    else:
        arguments = [
            "--single-transaction",
            "--clean",
            "--if-exists",
            "--no-owner",
            f"--dbname={url.database}",
        ]
        _run("pg_restore", [*arguments, str(backup)], libpq_environment(url), backup)
    return replaced


def _keep_present(url: URL, folder: Path | None, *, force: bool, shown: Path) -> Path | None:
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists():
        return None
    engine = build_engine(url)
    try:
        with engine.connect().execution_options(read_only=True) as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            if not force:
                raise BackupError(f"The database is not empty; to put {shown} in its place, add --force.")
            version = str(connection.scalar(text("SELECT version_num FROM alembic_version")))
            return back_up(connection, url, version, folder)
    finally:
        engine.dispose()


def _restore_sqlite(file: Path, backup: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with (
            contextlib.closing(
                sqlite3.connect(f"{backup.resolve().as_uri()}?{_READING}", uri=True)
            ) as source,
            contextlib.closing(sqlite3.connect(file, timeout=30)) as to,
        ):
            source.backup(to)
    except (OSError, sqlite3.Error) as error:
        raise BackupError(f"{file}: can't be restored ({error}).") from None


def _run(program: str, arguments: list[str], environment: dict[str, str], backup: Path) -> None:
    found = shutil.which(program)
    if found is None:
        raise BackupError(f"{program}, which reads {backup}, is not on the PATH.")
    done = subprocess.run(  # noqa: S603 - the operator's own file
        [found, *arguments],
        env=environment or None, capture_output=True, encoding="utf-8", errors="replace", check=False,
    )  # fmt: skip
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise BackupError(f"{backup}: {program} failed: {lines[-1]}")
