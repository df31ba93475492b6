"""A site that deletes or moves a whole column: many pages are gone at once, and only the operators are told, once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipeline.store.withdrawals import MANY
from tests.command import Ran, iprwatch
from tests.recheck_site import GONE, RECORDS, article, listing, url_of, watch_column
from tests.recorded_web import record

COLUMN = range(1, MANY + 3)
LEFT = len(COLUMN) + 1
DAY = "2026-11-18T"


def crawl(folder: Path, name: str, at: str, gone: range) -> Ran:
    numbers = (*COLUMN, LEFT)
    record(folder / name, RECORDS, listing(*numbers), DAY + at)
    for number in numbers:
        record(folder / name, url_of(number), GONE if number in gone else article(number), DAY + at)
    return iprwatch("crawl", "--replay", name, "--alert-baseline", "--json", cwd=folder)


@pytest.fixture(scope="module")
def crawls(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Ran]]:
    """A column of which all articles but one are gone, at two looks that are eight hours apart."""
    folder = tmp_path_factory.mktemp("column")
    watch_column(folder, 'operators = [{ channel = "log" }]')
    nothing = range(0)
    return folder, [
        crawl(folder, "first", "07:00:00+08:00", nothing),
        crawl(folder, "second", "14:00:00+08:00", COLUMN),
        crawl(folder, "third", "22:00:00+08:00", COLUMN),
    ]


def alerts(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "alerts.jsonl").read_text("utf-8").splitlines()]


def test_many_pages_that_are_gone_at_once_are_one_alert_to_the_operators(
    crawls: tuple[Path, list[Ran]],
) -> None:
    folder, _ = crawls
    told = [alert for alert in alerts(folder) if alert["event"] != "new"]
    assert [(alert["rule"], alert["event"]) for alert in told] == [("operators", "many gone")]
    assert "cnipa_column" in told[0]["title"]


def test_their_own_alerts_are_held_back_with_the_reason(crawls: tuple[Path, list[Ran]]) -> None:
    folder, _ = crawls
    rows = iprwatch("show", url_of(1), "--json", cwd=folder).json["deliveries"]
    (held,) = [row for row in rows if row["event"] == "withdrawn"]
    assert held["state"] == "held"
    assert "one of many" in held["detail"]


def test_the_items_are_withdrawn_all_the_same_and_the_run_says_so(crawls: tuple[Path, list[Ran]]) -> None:
    folder, (_first, second, third) = crawls
    assert "withdrawn" not in second.json["sources"][0]["counts"]
    counts = third.json["sources"][0]["counts"]
    assert counts["withdrawn"] == counts["withdrawn at once"] == len(COLUMN)
    assert iprwatch("search", "--withdrawn", "--json", cwd=folder).json["total"] == len(COLUMN)


def test_a_person_says_what_they_are(crawls: tuple[Path, list[Ran]], tmp_path: Path) -> None:
    folder = shutil.copytree(crawls[0], tmp_path, dirs_exist_ok=True)
    waiting = iprwatch("withdrawals", "list", "--open", "--json", cwd=folder).json
    assert waiting["total"] == len(COLUMN)
    assert "404" in iprwatch("withdrawals", "list", cwd=folder).out
    one = iprwatch("withdrawals", "dismiss", url_of(1), "--reason", "moved", cwd=folder)
    assert "1 withdrawal is dismissed" in one.out
    rest = iprwatch("withdrawals", "confirm", "--source", "cnipa_column", "--reason", "deleted", cwd=folder)
    assert f"{len(COLUMN) - 1} alerts are due" in rest.out
    iprwatch("alerts", "send", cwd=folder)
    assert [alert["event"] for alert in alerts(folder)].count("withdrawn") == len(COLUMN) - 1
