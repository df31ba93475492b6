"""Putting a backup in the place of a store: the backup is verified first, and what it replaces is kept."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
from pathlib import Path

from sqlalchemy import URL, inspect, text

from pipeline.store.backup import BackupError, back_up, libpq_environment
from pipeline.store.every_table import TABLES
from pipeline.store.session import VERSIONS, build_engine
from pipeline.store.views import VIEWS

# Nobody writes a backup; without `immutable`, reading one leaves files beside it.
_READING = "mode=ro&immutable=1"
# Of the contents that pg_restore lists, and of the rows that it prints.
_STORE_LISTED = re.compile(r"^\d+; \d+ \d+ TABLE (?P<schema>.+) alembic_version ", re.MULTILINE)
_VERSION_PRINTED = re.compile(r"FROM stdin;\n(?P<version>\w+)\n")


def verify_backup(backup: Path) -> None:
    """Raises BackupError for a file that is no whole backup, or of a version that isn't known."""
    if not backup.is_file():
        raise BackupError(f"{backup}: there is no such file.")
    if backup.suffix == ".dump":
        _check_version(backup, _read_dump(backup))
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
    _check_version(backup, version)


def _check_version(backup: Path, version: str) -> None:
    if version not in VERSIONS:
        raise BackupError(
            f"{backup}: is of version {version}, which this iprwatch (up to {VERSIONS[-1]}) doesn't know."
        )


def _read_dump(backup: Path) -> str:
    """The version of the store in a dump, which is read to its end. Raises BackupError where it isn't whole."""
    if not _STORE_LISTED.search(_run("pg_restore", ["--list", str(backup)], backup)):
        raise BackupError(f"{backup}: is no backup of an iprwatch store (it has no table alembic_version).")
    # The list stands at the beginning, so that a dump of which the end is missing has it too.
    _run("pg_restore", [f"--file={os.devnull}", str(backup)], backup)
    rows = _run("pg_restore", ["--data-only", "--table=alembic_version", "--file=-", str(backup)], backup)
    printed = _VERSION_PRINTED.search(rows)
    return printed["version"] if printed else "unknown"


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
        _restore_postgresql(url, backup)
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
            if url.get_backend_name() == "postgresql":
                # The tables of a later version, which nobody here knows by name, would be left behind.
                _check_version(Path(str(url.database)), version)
            return back_up(connection, url, version, folder)
    finally:
        engine.dispose()


def _restore_sqlite(file: Path, backup: Path) -> None:
    is_new = not file.exists()
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
        if is_new:
            # An empty file would be taken for a store that nothing was written to yet.
            with contextlib.suppress(OSError):
                file.unlink(missing_ok=True)
        raise BackupError(f"{file}: can't be restored ({error}).") from None


def _restore_postgresql(url: URL, backup: Path) -> None:
    """In one transaction, which is committed when the backup was read to its end: what is there is dropped, also tables
    that the backup lacks; then the backup's come."""
    listed = _run("pg_restore", ["--list", str(backup)], backup)
    engine = build_engine(url)
    with engine.connect().execution_options(read_only=True) as connection:
        schema = str(connection.scalar(text("SELECT current_schema()")))
        schemas = inspect(connection).get_schema_names()
        quote = connection.dialect.identifier_preparer.quote_identifier
    engine.dispose()
    dumped = _STORE_LISTED.search(listed)
    if dumped is None or dumped["schema"] != schema:
        raise BackupError(
            f"{backup}: is not of the schema {schema}, in which this database keeps its tables."
        )
    # A schema that is there already is kept, with what others have in it; to drop it needs rights that few have.
    kept = [f" SCHEMA {dash}{name} " for name in schemas for dash in ("", "- ")]
    wanted = [line for line in listed.splitlines() if not any(part in line for part in kept)]
    views = ", ".join(f"{quote(schema)}.{quote(name)}" for name in VIEWS)
    names = [*(table.name for table in TABLES), "alembic_version", "copy_progress"]
    tables = ", ".join(f"{quote(schema)}.{quote(name)}" for name in names)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".list") as file:
        file.write("\n".join(wanted))
        file.flush()
        reading = [_find("pg_restore", backup), "--clean", "--if-exists", "--no-owner", "--file=-"]
        _pipe(
            [*reading, f"--use-list={file.name}", str(backup)],
            f"BEGIN;\nDROP VIEW IF EXISTS {views};\nDROP TABLE IF EXISTS {tables};\n",
            url,
            backup,
        )


def _pipe(reading: list[str], before: str, url: URL, backup: Path) -> None:
    """Have psql run the statements `before` and those that the command `reading` prints, and commit them together."""
    writing = [_find("psql", backup), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]
    with tempfile.TemporaryFile() as said:
        with (
            subprocess.Popen(reading, stdout=subprocess.PIPE, stderr=said) as reader,  # noqa: S603 - the operator's file
            subprocess.Popen(  # noqa: S603 - its rows come from pages, and are data to COPY
                writing, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said,
                env=libpq_environment(url) | {"PGOPTIONS": "-c client_min_messages=warning"},
            ) as writer,
        ):  # fmt: skip
            assert reader.stdout
            assert writer.stdin
            with contextlib.suppress(BrokenPipeError):  # psql ends at the first error, and says which
                writer.stdin.write(before.encode())
                shutil.copyfileobj(reader.stdout, writer.stdin)
                reader.stdout.close()
                # Without it, psql takes everything back.
                if reader.wait() == 0:
                    writer.stdin.write(b"COMMIT;\n")
            with contextlib.suppress(BrokenPipeError):
                writer.stdin.close()
            reader.kill()
        said.seek(0)
        lines = said.read().decode("utf-8", "replace").splitlines()
    if writer.returncode or reader.returncode:
        raise BackupError(f"{backup}: can't be restored ({_told(lines)}).")


def _told(lines: list[str]) -> str:
    """What PostgreSQL's programs found wrong: the first error, and the detail below it."""
    errors = [place for place, line in enumerate(lines) if "error:" in line.lower()]
    if not errors:
        return lines[-1].strip() if lines else "no message"
    first = errors[0]
    detail = [line for line in lines[first + 1 : first + 2] if line.startswith("DETAIL:")]
    return "; ".join(
        re.sub(r"^.*?error:\s*|^DETAIL:\s*", "", line, flags=re.IGNORECASE)
        for line in [lines[first], *detail]
    )


def _find(program: str, backup: Path) -> str:
    found = shutil.which(program)
    if found is None:
        raise BackupError(f"{program}, which reads {backup}, is not on the PATH.")
    return found


def _run(program: str, arguments: list[str], backup: Path) -> str:
    """What one of PostgreSQL's programs prints. Raises BackupError with what it found wrong."""
    done = subprocess.run(  # noqa: S603 - the operator's own file
        [_find(program, backup), *arguments],
        capture_output=True, encoding="utf-8", errors="replace", check=False,
    )  # fmt: skip
    if done.returncode:
        raise BackupError(f"{backup}: {program} failed: {_told(done.stderr.splitlines())}")
    return done.stdout
