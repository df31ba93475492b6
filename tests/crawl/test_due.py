"""`crawl --due`, as cron runs it: what is due, once; and sources that are known not to be well."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from crawlers.timetable import SHANGHAI
from pipeline.store.session import open_engine
from pipeline.store.tables import Run
from tests.command import iprwatch

COURT = "court_spc_interpretations"
WECHAT = "wechat_example"


def block(office: Path) -> None:
    note = office / "web/court_gov/list_16/page.json"
    note.write_text(json.dumps({**json.loads(note.read_text("utf-8")), "status": 412}), encoding="utf-8")


def age_runs(office: Path, age: timedelta = timedelta(days=14)) -> None:
    """As if all crawls had been so long ago."""
    engine = open_engine(f"sqlite:///{office / 'data/iprwatch.db'}")
    with engine.begin() as connection:
        connection.execute(update(Run).values(started_at=datetime.now(UTC) - age))
    engine.dispose()


def test_what_is_due_is_crawled_once_and_a_muted_source_is_no_fault(office: Path) -> None:
    block(office)
    first = iprwatch("crawl", COURT, "spp_focus", "--due", "--replay", "web", "--json", cwd=office)
    assert (first.code, len(first.json["sources"])) == (1, 2), first.err
    again = iprwatch("crawl", COURT, "spp_focus", "--due", "--replay", "web", cwd=office)
    assert (again.code, again.out) == (0, "Nothing is due.\n")
    age_runs(office)
    tomorrow = f"{datetime.now(SHANGHAI) + timedelta(days=1):%Y-%m-%d}"
    muted = iprwatch("sources", "mute", COURT, "--until", tomorrow, "--reason", "asked the court", cwd=office)
    assert muted.code == 0, muted.err
    known = iprwatch("crawl", COURT, "spp_focus", "--due", "--replay", "web", cwd=office)
    assert known.code == 0, known.out
    assert f"muted until {tomorrow} (asked the court)" in known.out
    assert iprwatch("sources", "unmute", COURT, cwd=office).code == 0
    age_runs(office)
    assert iprwatch("crawl", COURT, "--due", "--replay", "web", cwd=office).code == 1


def refuse_writes(office: Path, when: str) -> None:
    """Have the database fail as on a disk that is full."""
    with closing(sqlite3.connect(office / "data/iprwatch.db")) as store:
        store.execute(
            f"CREATE TRIGGER refusing BEFORE {when} BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END"
        )


@pytest.mark.parametrize("crawled", [False, True])
@pytest.mark.parametrize("when", ["INSERT ON run", "UPDATE ON run WHEN new.finished_at IS NOT NULL"])
def test_a_crawl_that_could_not_be_noted_is_not_well_whatever_the_one_before_was(
    office: Path, crawled: bool, when: str
) -> None:
    arguments = ("crawl", WECHAT, "--due", "--replay", "web")
    sources = office / "sources.toml"
    hourly = sources.read_text("utf-8").replace('"5 9,13,18 * * *"', '"0 * * * *"')
    sources.write_text(hourly, encoding="utf-8")
    open_engine(f"sqlite:///{office / 'data/iprwatch.db'}").dispose()
    if crawled:
        assert iprwatch(*arguments, cwd=office).code == 0
        age_runs(office, timedelta(minutes=61))
    refuse_writes(office, when)
    ran = iprwatch(*arguments, cwd=office)
    assert ran.code == 1, ran.out
    assert f"{WECHAT}: The run of {WECHAT} could not be noted: disk I/O error." in ran.out
    assert "1 of 1 sources failed" in ran.err


def test_a_log_that_can_not_be_written_is_one_sentence(office: Path) -> None:
    (office / "data/crawl.log").mkdir(parents=True)
    ran = iprwatch("crawl", COURT, "--due", "--replay", "web", cwd=office)
    assert (ran.code, ran.err) == (2, "iprwatch: data/crawl.log: can't be written (Is a directory).\n")


def test_metrics_that_can_not_be_written_keep_no_alert_back(office: Path) -> None:
    file = office / "iprwatch.toml"
    file.write_text(f'metrics_file = "none/iprwatch.prom"\n{file.read_text("utf-8")}', encoding="utf-8")
    ran = iprwatch("crawl", COURT, "--due", "--replay", "web", "--alert-baseline", cwd=office)
    assert (ran.code, ran.err.splitlines()[-1]) == (
        2, "iprwatch: none/iprwatch.prom: the metrics can't be written (No such file or directory)."
    )  # fmt: skip
    assert "1 of 1 sources heard" in ran.out
    assert (office / "alerts.jsonl").is_file()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sources", "mute", COURT, "--until", "2020-01-01", "--reason", "x"], "that day is past"),
        (["sources", "mute", "court_none", "--until", "2099-01-01", "--reason", "x"], "No source is called"),
        (["sources", "unmute", COURT], "there is no such database"),
        (["crawl", "--due", "--since", "2026-01-01"], "don't go together"),
    ],
)
def test_what_can_not_be_meant_is_refused(office: Path, arguments: list[str], words: str) -> None:
    ran = iprwatch(*arguments, cwd=office)
    assert ran.code == 2
    assert words in ran.err
