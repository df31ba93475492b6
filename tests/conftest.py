"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import shutil
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings
from sqlalchemy import Engine, event, make_url

from chromium import find_chromium
from errors import ConfigurationError
from pipeline.store.session import open_engine
from pipeline.store.tables import Base

# The same examples in every run, and no deadline on a busy machine; HYPOTHESIS_PROFILE=explore looks further.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

ROOT = Path(__file__).resolve().parent.parent
# In continuous integration nothing may be skipped for want of a server or of the captured pages.
REQUIRE_ALL = bool(os.environ.get("IPRWATCH_TEST_REQUIRE_ALL"))


def skip_or_fail(reason: str) -> None:
    """Skip what this machine can't test; fail where everything must be tested."""
    if REQUIRE_ALL:
        pytest.fail(reason)
    pytest.skip(reason)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each reason, with the number of tests; pytest's own `-rs` has one for each test."""
    reasons = Counter(
        str(report.longrepr[2]).removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", ())
    )
    for reason, number in reasons.most_common():
        terminalreporter.write_line(f"{number} {'test' if number == 1 else 'tests'} skipped: {reason}")


@pytest.fixture(scope="session")
def captures() -> Path:
    """Real pages beside the checkout; a user's machine doesn't have them."""
    folder = ROOT.parent / "shared" / "captures"
    if not (folder / "MANIFEST.csv").is_file():
        skip_or_fail("the folder of captured real pages (../shared/captures) is not on this machine")
    return folder


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The browser's program, where this machine has it and the extra."""
    try:
        return find_chromium(None, "A test of the browser")
    except ConfigurationError as missing:
        skip_or_fail(str(missing))
        raise


@pytest.fixture(scope="session")
def samples() -> Path:
    """The recorded web that comes with the project."""
    return ROOT / "samples"


@pytest.fixture(scope="session")
def postgresql_server() -> str:
    """URL of a database in which tests may make schemas."""
    url = os.environ.get("IPRWATCH_TEST_POSTGRESQL")
    if not url:
        skip_or_fail(
            "no PostgreSQL: set IPRWATCH_TEST_POSTGRESQL to postgresql://USER:PASSWORD@HOST/DATABASE to test on it"
        )
    assert url is not None
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database, once on SQLite and once on PostgreSQL (a schema); with tables in it for the fixture `engine`."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.db'}"
    elif "engine" in request.fixturenames:
        with request.getfixturevalue("postgresql_store").lend() as url:
            yield url
    else:
        with _schema(request.getfixturevalue("postgresql_server")) as url:
            yield url


@contextmanager
def _schema(server: str) -> Iterator[str]:
    schema = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE SCHEMA "{schema}"')
    try:
        yield f"{server}?options=-csearch_path%3D{schema}"
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'DROP SCHEMA "{schema}" CASCADE')


class PostgresqlStore:
    """A schema with empty tables, lent to one test after the other: to make them takes longer than most tests."""

    def __init__(self, server: str, tables: str) -> None:
        self._server = server
        self._tables = tables
        self._schema = ExitStack()
        self._url: str | None = None
        self._shape = ""

    @contextmanager
    def lend(self) -> Iterator[str]:
        if self._url is None:
            self._url = self._schema.enter_context(_schema(self._server))
            with psycopg.connect(self._url, autocommit=True) as connection:
                connection.execute(self._tables)
                self._shape = _shape_of(connection)
        yield self._url
        try:
            with psycopg.connect(self._url, autocommit=True) as connection:
                connection.execute("SET lock_timeout = '5s'")
                if _shape_of(connection) == self._shape:
                    connection.execute(_EMPTYING)
                    return
        except psycopg.Error:
            # What a test left locked, or tied so that it can't be emptied, is thrown away whole.
            pass
        self.close()

    def close(self) -> None:
        self._schema.close()
        self._url = None


_EMPTYING = """
DO $$ DECLARE name text; BEGIN
SET CONSTRAINTS ALL DEFERRED;
{deletions}
FOR name IN SELECT sequencename FROM pg_sequences WHERE schemaname = current_schema() AND last_value IS NOT NULL LOOP
    EXECUTE format('ALTER SEQUENCE %I RESTART', name);
END LOOP;
END $$
""".format(
    deletions="\n".join(f'DELETE FROM "{table.name}";' for table in reversed(Base.metadata.sorted_tables))
)


def _shape_of(connection: psycopg.Connection[tuple[str]]) -> str:
    """Stands for the tables, columns, indexes and views of the schema, and for the version in it."""
    row = connection.execute(
        "SELECT md5(string_agg(format('%s %s %s %s', relname, relkind, attname, atttypid), ',' ORDER BY relname, attnum))"
        " || (SELECT string_agg(version_num, ',') FROM alembic_version)"
        " FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid"
        " WHERE relnamespace = current_schema()::regnamespace AND NOT attisdropped"
    ).fetchone()
    assert row
    return row[0]


@pytest.fixture(scope="session")
def postgresql_store(postgresql_server: str, postgresql_tables: str) -> Iterator[PostgresqlStore]:
    store = PostgresqlStore(postgresql_server, postgresql_tables)
    yield store
    store.close()


@pytest.fixture(scope="session")
def sqlite_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that the migrations make of nothing."""
    file = tmp_path_factory.mktemp("tables") / "empty.db"
    open_engine(f"sqlite:///{file}").dispose()
    return file


@pytest.fixture(scope="session")
def postgresql_tables(postgresql_server: str) -> str:
    """What the migrations say to an empty database, as one script."""
    said: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.lstrip().startswith("SELECT"):
            said.append(statement.replace("%%", "%"))

    with _schema(postgresql_server) as url:
        event.listen(Engine, "before_cursor_execute", note)
        try:
            open_engine(url).dispose()
        finally:
            event.remove(Engine, "before_cursor_execute", note)
    return ";\n".join(said)


@pytest.fixture
def engine(database_url: str, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An open store on each database, its tables copied; tests/store/test_session.py holds what makes them."""
    if file := make_url(database_url).database if database_url.startswith("sqlite") else None:
        shutil.copy(request.getfixturevalue("sqlite_tables"), file)
    engine = open_engine(database_url, create=False)
    yield engine
    engine.dispose()
