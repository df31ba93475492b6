"""A list that is put something into later, and a series with a number left out: marked, counted and told once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.command import Ran, iprwatch
from tests.loopback import Said
from tests.recheck_site import RECORDS, XML, article, url_of, watch_column
from tests.recorded_web import record

BACKDATED = 100


def announcements(*numbers: int) -> list[tuple[int, int, str]]:
    """Rows of the list: the id in the URL, the day in November, the title."""
    return [(number, number, f"某省知识产权局公告第{600 + number}号：商标") for number in numbers]


def listing(rows: list[tuple[int, int, str]]) -> Said:
    records = "".join(
        f"<record><![CDATA[<li><a href='{url_of(number)}' title='{title}'>{title}</a>"
        f"<span>2026-11-{day:02}</span></li>]]></record>"
        for number, day, title in rows
    )
    body = f"<?xml version='1.0' encoding='utf-8'?><datastore><recordset>{records}</recordset></datastore>"
    return Said(200, body.encode(), XML)


LISTS = (
    announcements(12, 11, 10, 9),
    [*announcements(14, 12, 11, 10), (BACKDATED, 9, "商标工作动态"), *announcements(9)],
    [*announcements(14, 13, 12, 11, 10), (BACKDATED, 9, "商标工作动态"), *announcements(9)],
)


@pytest.fixture(scope="module")
def crawls(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Ran]]:
    """Three crawls: of 609 to 612; with 614 and a back-dated entry; with 613, which comes last."""
    folder = tmp_path_factory.mktemp("series")
    watch_column(folder, 'operators = [{ channel = "log" }]')
    done = []
    for name, rows in zip(("first", "second", "third"), LISTS, strict=True):
        # Within an hour, so that nothing is due to be asked for again.
        record(folder / name, RECORDS, listing(rows), f"2026-11-18T09:{len(done)}0:00+08:00")
        for number, _, _ in rows:
            record(folder / name, url_of(number), article(number), "2026-11-18T09:00:00+08:00")
        done.append(iprwatch("crawl", "--replay", name, "--json", cwd=folder))
    return folder, done


def counts(ran: Ran) -> dict[str, int]:
    names = ("inserted later", "numbers missing", "numbers arrived")
    return {name: n for name, n in ran.json["sources"][0]["counts"].items() if name in names}


def alerts(folder: Path, event: str) -> list[dict[str, Any]]:
    lines = (folder / "alerts.jsonl").read_text("utf-8").splitlines()
    return [alert for alert in map(json.loads, lines) if alert["event"] == event]


def test_runs_count_what_was_inserted_what_is_missing_and_what_arrived(
    crawls: tuple[Path, list[Ran]],
) -> None:
    _, runs = crawls
    assert [ran.code for ran in runs] == [0, 0, 0]
    assert list(map(counts, runs)) == [
        {},
        {"inserted later": 1, "numbers missing": 1},
        {"inserted later": 1, "numbers arrived": 1},
    ]


def test_the_operators_are_told_of_a_missing_number_and_of_its_arrival(
    crawls: tuple[Path, list[Ran]],
) -> None:
    folder, _ = crawls
    for event in ("number missing", "number arrived"):
        (alert,) = alerts(folder, event)
        assert "公告第613号" in alert["title"]


def test_an_inserted_item_is_told_as_new_with_the_place_where_it_was_put_in(
    crawls: tuple[Path, list[Ran]],
) -> None:
    folder, _ = crawls
    told = {alert["url"]: alert["facts"] for alert in alerts(folder, "new")}
    assert set(told) == {url_of(14), url_of(13), url_of(BACKDATED)}
    first = told[url_of(BACKDATED)][0]
    assert first["kind"] == "inserted"
    assert first["text"].startswith("beneath 某省知识产权局公告第610号")
    assert not any(fact["kind"] == "inserted" for fact in told[url_of(14)])


def test_show_says_where_an_item_was_inserted(crawls: tuple[Path, list[Ran]]) -> None:
    folder, _ = crawls
    (place,) = iprwatch("show", url_of(BACKDATED), "--json", cwd=folder).json["inserted"]
    assert place["source"] == "cnipa_column"
    assert place["place"].endswith(", 2026-11-10")
    assert iprwatch("show", url_of(14), "--json", cwd=folder).json["inserted"] == []
