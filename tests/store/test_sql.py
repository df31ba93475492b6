"""Analysts' SQL reads the views and nothing else, on both databases, and always comes to an end."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Engine, inspect, text

from pipeline.store.session import StoreError
from pipeline.store.tables import Base
from pipeline.store.views import VIEWS, drop_views, make_views, view_columns
from pipeline.store.write import write_records
from query.errors import QueryError
from query.sql.ask import Answer, ask
from query.sql.sqlite import open_reading
from query.sql.statement import read_statement
from tests.notices import make_record

LIMIT = 1.0  # seconds
REFUSED_WITHIN = 5 * LIMIT  # on a busy machine; what is not refused would take minutes
BOTH = [
    "DELETE FROM item",
    "INSERT INTO mute VALUES (1)",
    "UPDATE items SET title = ''",
    "DROP TABLE item",
    "CREATE TABLE stolen AS SELECT * FROM items",
    "CREATE TEMP TABLE mine (a int)",
    "SELECT 1; DROP TABLE item",
    "SELECT * FROM item",
    'SELECT * FROM "item"',
    "WITH items AS (SELECT * FROM item) SELECT * FROM items",
    "SELECT count(*) FROM alembic_version",
    "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) SELECT count(*) FROM r",
    "SELECT count(*) FROM facts a, facts b, facts c, facts d, facts e, facts f, facts g, facts h",
    "SELECT 1 /* /* */ ; DROP TABLE item -- */",
    "SELECT 1 --\rFROM item",
    "WITH gone AS (DELETE FROM item RETURNING 1) SELECT * FROM gone",
    "VACUUM",
    "BEGIN",
    "",
    "-- nothing",
    "EXPLAIN SELECT 1",
]
HOSTILE = {
    "sqlite": [
        *BOTH,
        "ATTACH 'stolen.db' AS stolen",
        "PRAGMA query_only = OFF",
        "PRAGMA writable_schema = ON",
        "SELECT load_extension('evil.so')",
        "SELECT zeroblob(1000000000)",
        "SELECT randomblob(1000000000)",
        "SELECT hex(randomblob(500000000))",
        "SELECT printf('%1000000000d', 1)",
        "SELECT group_concat(a.details || b.details || c.details) FROM facts a, facts b, facts c, facts d, facts e, facts f",
        "SELECT * FROM sqlite_master",
        "SELECT * FROM pragma_database_list",
        "SELECT * FROM main.item",
        "SELECT * FROM [item]",
        "SELECT * FROM `item`",
        "SELECT * FROM item_search",
        "SELECT writefile('stolen', 'x')",
        "VACUUM INTO 'stolen.db'",
        "SELECT fts3_tokenizer('simple')",
        "REPLACE INTO item(id) VALUES (1)",
    ],
    "postgresql": [
        *BOTH,
        "SET statement_timeout = 0",
        "SELECT set_config('transaction_read_only', 'off', false)",
        "SELECT set_config('statement_timeout', '0', false)",
        "COPY item TO '/stolen'",
        "COPY (SELECT 1) TO PROGRAM 'id'",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_sleep(60)",
        'SELECT "pg_sleep"(60)',
        "SELECT * FROM pg_sleep(60)",
        "DO $$ BEGIN PERFORM pg_sleep(60); END $$",
        "SELECT pg_terminate_backend(1)",
        "SELECT pg_advisory_lock(7201526)",
        "SELECT lo_import('/etc/passwd')",
        "SELECT repeat('x', 1000000000)",
        "SELECT count(*) FROM generate_series(1, 10000000000)",
        "SELECT query_to_xml('DELETE FROM item', true, true, '')",
        "SELECT * FROM pg_shadow",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM public.item",
        "SELECT E'\\'; DROP TABLE item; --'",
        "SELECT U&'\\0027'",
        'SELECT * FROM U&"\\0069tem"',
        "SELECT nextval('item_id_seq')",
        "SELECT * INTO stolen FROM items",
        "SELECT * FROM items FOR UPDATE",
        "TABLE item",
        "NOTIFY everybody",
        "LISTEN everybody",
        "SET ROLE postgres",
    ],
}


@pytest.fixture
def filled(store: Engine) -> Engine:
    write_records(store, [make_record(number, body=f"判决赔偿{number}万元。" * 8) for number in range(1, 21)])
    return store


def put(engine: Engine, statement: str, **limits: Any) -> Answer:
    return ask(
        engine.url.set(drivername=engine.dialect.name).render_as_string(hide_password=False),
        statement,
        **limits,
    )


def state(engine: Engine) -> dict[str, int]:
    with engine.connect().execution_options(read_only=True) as connection:
        return {
            name: connection.scalar(text(f'SELECT count(*) FROM "{name}"')) or 0
            for name in inspect(connection).get_table_names()
        }


def test_hostile_statements_are_refused_within_the_limit_and_change_nothing(
    filled: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = state(filled)
    statements = HOSTILE[filled.dialect.name]
    assert len(statements) >= 14
    not_refused = []
    for statement in statements:
        began = time.monotonic()
        try:
            put(filled, statement, seconds=LIMIT)
        except QueryError:
            pass
        else:
            not_refused.append(statement)
        assert time.monotonic() - began < REFUSED_WITHIN, statement
    assert not_refused == []
    assert state(filled) == before
    assert [path.name for path in tmp_path.iterdir() if "stolen" in path.name] == []


@pytest.mark.parametrize(
    "statement",
    [
        "ATTACH ':memory:' AS other",
        "PRAGMA query_only = OFF",
        "DELETE FROM item",
        "CREATE TEMP TABLE mine (a)",
        "SELECT title FROM item",
        "SELECT load_extension('evil')",
        "SELECT zeroblob(10)",
        "SELECT name FROM sqlite_master",
        "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) SELECT i FROM r LIMIT 2",
    ],
)
def test_sqlite_itself_refuses_what_the_words_were_not_judged_for(
    sqlite_tables: Path, statement: str
) -> None:
    """The second gate holds without the first."""
    with open_reading(sqlite_tables, VIEWS, seconds=LIMIT) as (connection, _), pytest.raises(sqlite3.Error):
        connection.execute(statement).fetchall()


def test_a_step_that_asks_nobody_is_ended_from_outside(sqlite_tables: Path) -> None:
    """Looking for a long text in a longer one is a single step of SQLite, and takes minutes here."""
    longer = "'xxxxxxxxxx'"
    for _ in range(5):
        longer = f"replace({longer}, 'x', 'xxxxxxxxxx')"
    began = time.monotonic()
    with pytest.raises(QueryError, match="broken off"):
        ask(
            f"sqlite:///{sqlite_tables}",
            f"SELECT instr({longer}, substr({longer}, 1, 500000) || 'y')",
            seconds=LIMIT,
        )
    assert time.monotonic() - began < REFUSED_WITHIN


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_can_be_read_in_full(filled: Engine, view: str) -> None:
    answer = put(filled, f"SELECT * FROM {view}")
    with filled.connect() as connection:
        assert answer.columns == view_columns(connection)[view]


def test_items_and_facts_join_by_the_names_that_search_shows(filled: Engine) -> None:
    answer = put(
        filled,
        "SELECT items.title, facts.amount, facts.amount_number, facts.currency "
        "FROM items JOIN facts ON facts.item_id = items.id -- a comment\n"
        "WHERE facts.kind = 'amount' AND facts.amount_number > 190000 "
        "GROUP BY items.title, facts.amount, facts.amount_number, facts.currency ORDER BY facts.amount_number;",
    )
    assert answer.rows == [["关于商标案件的通知（第20号）", "200000", 200000.0, "CNY"]]


def test_no_more_rows_come_than_were_asked_for_and_that_is_said(filled: Engine) -> None:
    answer = put(filled, "SELECT id FROM items", rows=5)
    assert (len(answer.rows), answer.more) == (5, True)
    answer = put(filled, "SELECT id FROM items", rows=20)
    assert (len(answer.rows), answer.more) == (20, False)


def test_every_answer_is_json(filled: Engine) -> None:
    answer = put(
        filled, "SELECT details, fact_id / 2.0 AS half, NULL AS none, items.* FROM facts, items LIMIT 3"
    )
    assert json.loads(json.dumps(answer.rows)) == answer.rows


def test_a_mistake_is_told_in_the_database_s_words(filled: Engine) -> None:
    with pytest.raises(QueryError, match="titel"):
        put(filled, "SELECT titel FROM items")


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no such database"):
        ask(f"sqlite:///{tmp_path / 'none.db'}", "SELECT 1")
    assert list(tmp_path.iterdir()) == []


def test_no_view_and_no_column_of_one_has_the_name_of_a_table(store: Engine) -> None:
    with store.connect() as connection:
        columns = view_columns(connection)
        tables = set(inspect(connection).get_table_names()) | set(Base.metadata.tables)
    assert not tables & {*columns, *(name for names in columns.values() for name in names)}


def test_views_are_taken_off_and_made_again(store: Engine) -> None:
    with store.begin() as connection:
        drop_views(connection)
        assert not set(VIEWS) & set(inspect(connection).get_view_names())
        drop_views(connection)
        make_views(connection)
        assert set(VIEWS) <= set(inspect(connection).get_view_names())


def test_a_table_below_a_view_can_be_rebuilt_by_a_migration(filled: Engine) -> None:
    """Between taking the views off and making them again, as every migration runs; with them it could not be."""
    with filled.begin() as connection:
        drop_views(connection)
        operations = Operations(MigrationContext.configure(connection))
        with operations.batch_alter_table("fact", recreate="always") as batch:
            batch.alter_column("raw", new_column_name="renamed")
        with operations.batch_alter_table("fact", recreate="always") as batch:
            batch.alter_column("renamed", new_column_name="raw")
        make_views(connection)
    assert put(filled, "SELECT count(*) FROM facts WHERE raw IS NOT NULL").rows[0][0] > 0


@pytest.mark.parametrize(
    ("statement", "read"),
    [
        ("select 'a;--b' , \"c\"", "select 'a;--b' , \"c\""),
        (" SELECT 1 ; ", " SELECT 1"),
        ("SELECT 1 -- item\n+ 1", "SELECT 1  + 1"),
        ("SELECT count(*) FROM items WHERE (1) IN (1)", None),
        ("SELECT '公告' AS 标题", None),
    ],
)
def test_what_may_be_asked_is_left_as_it_is(statement: str, read: str | None) -> None:
    assert read_statement(statement, forbidden={"item"}) == (read or statement)


@pytest.mark.parametrize(
    "statement", ["SELECT 'open", "SELECT $1", "SELECT a[1]", "SELECT 1 \\ 2", "SELECT\x00 1"]
)
def test_what_two_databases_could_read_differently_is_refused(statement: str) -> None:
    with pytest.raises(QueryError, match="can't be read"):
        read_statement(statement, forbidden=())


def test_what_a_statement_defines_may_name_its_columns(filled: Engine) -> None:
    answer = put(
        filled,
        "WITH counted (sort, number) AS (SELECT kind, count(*) FROM facts GROUP BY kind), "
        '"most" ("number") AS (SELECT max(number) FROM counted) SELECT count(*) AS one FROM most',
    )
    assert (answer.columns, answer.rows) == (["one"], [[1]])
    with pytest.raises(QueryError, match="refused"):
        put(filled, "WITH r (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) SELECT count(*) FROM r")


@pytest.mark.parametrize(
    "statement",
    [
        "WITH a (b) AS (SELECT evil(1)) SELECT 1",
        "WITH a (b) AS (SELECT 1), evil AS (SELECT 1) SELECT (1), evil(2)",
        "WITH a AS (SELECT 1) (SELECT (1), evil(2))",
        "WITH a AS (SELECT 1) VALUES (1), evil(2)",
        "WITH a AS (SELECT 1) SELECT 1 FROM (SELECT 1) b, evil(1) AS (c int)",
        "WITH a AS (WITH evil(b) AS (SELECT 1) SELECT 1) SELECT 1",
        "WITH a AS (SELECT 1) TABLE items, evil(1)",
        "WITH a AS (SELECT 1) evil(1)",
        "SELECT (1), evil(1)",
    ],
)
def test_what_stands_elsewhere_before_a_bracket_is_a_function(statement: str) -> None:
    with pytest.raises(QueryError, match=r"evil\(…\) may not be called"):
        read_statement(statement, forbidden=())


def test_what_is_no_text_is_said_to_be_none(filled: Engine) -> None:
    with pytest.raises(QueryError, match="no character; was it written in UTF-8"):
        put(filled, "SELECT '\udcff'")


def test_datasette_is_told_of_every_view_and_kept_from_every_table(sqlite_tables: Path) -> None:
    file = Path(__file__).resolve().parents[2] / "docs" / "datasette.json"
    database = json.loads(file.read_text("utf-8"))["databases"]["iprwatch"]
    assert database["allow_sql"] is False
    with sqlite3.connect(sqlite_tables) as connection:
        tables = {
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
    connection.close()
    assert {name for name, told in database["tables"].items() if told == {"allow": False}} == tables
    assert {name for name, told in database["tables"].items() if told.get("description")} == set(VIEWS)
