"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings
from sqlalchemy import Engine

from pipeline.store.session import open_engine

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


@pytest.fixture(scope="session")
def captures() -> Path:
    """Real pages beside the checkout; a user's machine doesn't have them."""
    folder = ROOT.parent / "shared" / "captures"
    if not (folder / "MANIFEST.csv").is_file():
        skip_or_fail("the folder of captured real pages (../shared/captures) is not on this machine")
    return folder


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
    """An empty database, once on SQLite and once on PostgreSQL (a schema of its own)."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.db'}"
        return
    server: str = request.getfixturevalue("postgresql_server")
    schema = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE SCHEMA "{schema}"')
    try:
        yield f"{server}?options=-csearch_path%3D{schema}"
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'DROP SCHEMA "{schema}" CASCADE')


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An open store on each database."""
    engine = open_engine(database_url)
    yield engine
    engine.dispose()
