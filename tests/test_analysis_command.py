"""The commands that export, count and answer SQL, and those that look after the database, as a user runs them."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sqlite3
from pathlib import Path

import openpyxl
import pytest

from tests.command import iprwatch


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory, samples: Path) -> Path:
    """A folder with a stored source; tests take copies."""
    folder = tmp_path_factory.mktemp("crawled")
    ran = iprwatch("crawl", "cnipa_news", "--replay", samples, cwd=folder)
    assert "new items" in ran.out, ran
    return folder


@pytest.fixture
def folder(crawled: Path, tmp_path: Path) -> Path:
    shutil.copytree(crawled, tmp_path, dirs_exist_ok=True)
    return tmp_path


def test_export_writes_what_search_finds_with_the_columns_named(folder: Path) -> None:
    found = iprwatch("search", "商标", "--json", cwd=folder).json["hits"]
    assert found
    ran = iprwatch("export", "商标", "--columns", "id,title", "--to", "found.xlsx", cwd=folder)
    assert (ran.code, ran.out, ran.err.strip()) == (0, "", f"{len(found)} rows written to found.xlsx.")
    sheet = openpyxl.load_workbook(folder / "found.xlsx").active
    assert list(sheet.values) == [("id", "title"), *((hit["uid"], hit["title"]) for hit in found)]


def test_export_to_standard_output_is_csv(folder: Path) -> None:
    ran = iprwatch("export", "--limit", "2", cwd=folder)
    assert ran.err == ""
    rows = list(csv.DictReader(io.StringIO(ran.out.removeprefix("\ufeff"), newline="")))
    assert [bool(row["published_precision"]) for row in rows] == [True, True]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("export", "--to", "found.doc"), "its ending names no format"),
        (("export", "--to", "no/such/found.csv"), "can't be written"),
        (("export", "--to", "found.csv", "--columns", "titel"), "No column of items is called 'titel'"),
        (("export", "--to", "found.bib", "--columns", "title"), "a form of its own"),
        (("export", "--rows", "words"), "a row is one of items, facts"),
        (("export", "--amount-min", "much"), "is no sum"),
        (("stats", "--by", "weather"), "items are grouped by month"),
        (("sql", "DELETE FROM item"), "begins with SELECT"),
        (("sql", "SELECT * FROM item"), "is none of the views"),
        (("sql", "SELECT title AS version FROM items"), "no name for a column either"),
        (("sql", "SELECT 1", "--json", "--csv"), "exclude each other"),
        (("db", "restore", "iprwatch.toml"), "there is no such file"),
        (("db", "copy", "mysql://example.org/x"), "stores in SQLite or PostgreSQL"),
    ],
)
def test_what_can_not_be_done_is_told_in_one_sentence_and_leaves_nothing(
    folder: Path, arguments: tuple[str, ...], words: str
) -> None:
    before = sorted(path.name for path in folder.iterdir())
    ran = iprwatch(*arguments, cwd=folder)
    assert ran.code == 2
    assert words in " ".join(ran.err.split())
    assert ran.out == ""
    assert sorted(path.name for path in folder.iterdir()) == before


def test_stats_count_what_search_finds_and_draw_it(folder: Path) -> None:
    total = iprwatch("search", "--json", cwd=folder).json["total"]
    ran = iprwatch("stats", "--by", "source", "--svg", "chart.svg", "--json", cwd=folder)
    assert ran.json["groups"] == [{"label": "cnipa_news", "items": total}]
    assert ">cnipa_news</text>" in (folder / "chart.svg").read_text("utf-8")
    ran = iprwatch("stats", "--svg", "chart.png", cwd=folder)
    assert (ran.code, ran.out, (folder / "chart.png").exists()) == (2, "", False)
    assert "its name ends in .svg" in ran.err


def test_sql_answers_as_table_json_and_csv(folder: Path) -> None:
    question = "SELECT source, count(*) AS counted FROM items GROUP BY source"
    answer = iprwatch("sql", question, "--json", cwd=folder).json
    assert (answer["columns"], answer["more"]) == (["source", "counted"], False)
    assert iprwatch("sql", question, cwd=folder).out.count("cnipa_news") == 1
    assert iprwatch("sql", "-", "--csv", cwd=folder, stdin=question).out.split()[0] == '"source","counted"'
    formula = iprwatch("sql", "SELECT '=1+1' AS a", "--csv", cwd=folder)
    assert formula.out.split() == ['"a"', '"\'=1+1"']
    assert "items" in iprwatch("sql", cwd=folder).out


def test_a_store_that_is_not_whole_is_exit_code_1_and_is_mended(folder: Path) -> None:
    with sqlite3.connect(folder / "iprwatch-data" / "iprwatch.db") as connection:
        connection.execute("UPDATE search_document SET sequence = 'x' WHERE item_id = 1")
    connection.close()
    ran = iprwatch("db", "check", "--archive", "--json", cwd=folder)
    assert (ran.code, [fault["place"] for fault in json.loads(ran.out)]) == (1, ["search index"])
    assert "1 documents" in iprwatch("db", "reindex", cwd=folder).out
    assert iprwatch("db", "check", "--archive", cwd=folder).code == 0


def test_a_backup_restores_what_was_lost(folder: Path) -> None:
    before = iprwatch("search", "--json", cwd=folder).json["total"]
    assert iprwatch("db", "backup", "--to", "copies", cwd=folder).code == 0
    (copy,) = (folder / "copies").iterdir()
    assert iprwatch("db", "restore", copy, cwd=folder).code == 2
    for file in (folder / "iprwatch-data").glob("iprwatch.db*"):
        file.unlink()
    assert iprwatch("db", "restore", copy, cwd=folder).code == 0
    assert iprwatch("search", "--json", cwd=folder).json["total"] == before
