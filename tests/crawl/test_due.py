"""`crawl --due`, as cron runs it: what is due, once; and sources that are known not to be well."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from crawlers.timetable import SHANGHAI
from pipeline.store.session import open_engine
from pipeline.store.tables import Run
from tests.command import iprwatch

COURT = "court_spc_interpretations"


def block(office: Path) -> None:
    note = office / "web/court_gov/list_16/page.json"
    note.write_text(json.dumps({**json.loads(note.read_text("utf-8")), "status": 412}), encoding="utf-8")


def age_runs(office: Path) -> None:
    """As if all crawls had been two weeks ago."""
    engine = open_engine(f"sqlite:///{office / 'data/iprwatch.db'}")
    with engine.begin() as connection:
        connection.execute(update(Run).values(started_at=datetime.now(UTC) - timedelta(days=14)))
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
