"""The turn at a host is one for all processes, also after a restart; hosts that fail are left alone."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import UTC, datetime, time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from crawlers.hours import Hours, read_hours
from crawlers.source import Source
from pipeline.store.host_tables import Host
from pipeline.store.session import open_engine
from query.hosts import list_hosts
from tests.command import Running
from tests.fault_site import Asked, Behaviour, Site, Writer, send, serve_site
from tests.test_outgoing import SETTINGS

ROOT = Path(__file__).resolve().parent.parent.parent
CLOCK = 0.01  # seconds: SQLite's clock has milliseconds, and the server's is another one


def answer(status: int = 200, robots: bytes = b"", **headers: str) -> Behaviour:
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def behave(path: str, number: int, writer: Writer) -> None:
        if path == "/robots.txt":
            await send(writer, 200 if robots else 404, robots)
        else:
            await send(writer, status, b"<p>text</p>", named)

    return behave


def begin(site: Site, paths: list[str], database_url: str, name: str = "a", **settings: Any) -> Running:
    given = {
        "IPRWATCH_ALLOWED_PRIVATE": [site.place(host) for host in site.names],
        "IPRWATCH_DATABASE": database_url,
        "IPRWATCH_JITTER": 0,
        "DOWNLOAD_DELAY_JITTER": 0,
        "RETRY_ENABLED": False,
        "HTTPERROR_ALLOW_ALL": True,
        "SCHEDULER": "crawlers.host_queue.HostQueue",
    }
    urls = [f"{site.url(name)}{path}" for path in paths]
    order = json.dumps({"urls": urls, "settings": SETTINGS | given | settings})
    return Running("tests.one_crawl", cwd=ROOT, env=dict(os.environ), stdin=order)


def crawl(site: Site, paths: list[str], database_url: str, name: str = "a", **settings: Any) -> list[str]:
    """What became of each URL: a status, or the name of what was raised."""
    ran = begin(site, paths, database_url, name, **settings).wait()
    assert ran.code == 0, ran.err
    return [said.partition(":")[0] for said in ran.json["outcomes"].values()]


def pages(number: int) -> list[str]:
    return [f"/page/{place}" for place in range(number)]


def gaps(log: list[Asked]) -> list[tuple[Asked, float]]:
    """Each request but the last, with the seconds from its end to the start of the next."""
    return [(one, two.came - (one.left or two.came)) for one, two in pairwise(log)]


def make_due(database_url: str) -> None:
    """Let the pause of every host be over."""
    engine = open_engine(database_url)
    with engine.begin() as connection:
        connection.execute(update(Host).values(next_at=0))
    engine.dispose()


def test_four_processes_keep_crawl_delay_and_retry_after_together(database_url: str) -> None:
    open_engine(database_url).dispose()

    async def behave(path: str, number: int, writer: Writer) -> None:
        if path == "/robots.txt":
            await send(writer, 200, b"User-agent: *\nCrawl-delay: 0.15\n")
        elif path == "/1/0" and number == 1:
            await send(writer, 429, b"", {"Retry-After": "1"})
        else:
            await send(writer, 200, b"<p>text</p>")

    with serve_site({"a": behave}) as site:
        running = [
            begin(site, [f"/{one}/{two}" for two in range(2)], database_url, DOWNLOAD_DELAY=0.1)
            for one in range(4)
        ]
        outcomes = [said for run in running for said in run.wait().json["outcomes"].values()]
    assert sorted(outcomes) == ["200"] * 7 + ["429"]
    log = site.asked("a")
    for asked, gap in gaps(log):
        # Who fetches robots.txt does not know of the Crawl-delay yet.
        assert gap >= (0.1 if asked.path == "/robots.txt" else 0.15) - CLOCK, asked.path
        if asked.path == "/1/0":
            assert gap >= 1 - CLOCK


def test_retry_after_holds_for_the_next_process_too(database_url: str) -> None:
    with serve_site({"a": answer(503, Retry_After="7200")}) as site:
        assert crawl(site, pages(3), database_url) == ["503", "HostHeld", "HostHeld"]
        before = len(site.log)
        assert crawl(site, pages(2), database_url) == ["HostHeld", "HostHeld"]
    assert len(site.log) == before


def test_a_host_that_fails_is_left_alone_and_tried_by_one_request_when_its_pause_is_over(
    database_url: str,
) -> None:
    breaker = {"IPRWATCH_BREAKER_FAILURES": 3, "IPRWATCH_BREAKER_PAUSE": 100}
    with serve_site({"a": answer(500)}) as site:
        assert crawl(site, pages(6), database_url, **breaker) == ["500"] * 3 + ["CircuitOpen"] * 3
        assert crawl(site, pages(2), database_url, **breaker) == ["CircuitOpen"] * 2
        assert len(site.pages("a")) == 3
        engine = open_engine(database_url)
        (host,) = list_hosts(engine, breaker_failures=3)
        assert (host["state"], host["failures"], host["reason"]) == ("left alone", 3, "HTTP 500")
        assert host["wait"] <= 100

        make_due(database_url)
        assert list_hosts(engine, breaker_failures=3)[0]["state"] == "on trial"
        assert crawl(site, pages(3), database_url, **breaker) == ["500", "CircuitOpen", "CircuitOpen"]
        assert 100 < list_hosts(engine, breaker_failures=3)[0]["wait"] <= 200

        make_due(database_url)
        site.behave({"a": answer()})
        assert crawl(site, pages(3), database_url, **breaker) == ["200"] * 3
        assert list_hosts(engine, breaker_failures=3)[0]["state"] == "well"
        engine.dispose()


def test_robots_are_asked_for_once_a_day_by_all_processes(database_url: str) -> None:
    with serve_site({"a": answer(robots=b"User-agent: *\nDisallow: /page/1\n")}) as site:
        for _ in range(2):
            assert sorted(crawl(site, pages(2), database_url)) == ["200", "ClosedByRobots"]
    assert [asked.path for asked in site.log] == ["/robots.txt", "/page/0", "/page/0"]


@pytest.mark.parametrize("budget", [{"IPRWATCH_BUDGET_REQUESTS": 3}, {"IPRWATCH_BUDGET_BYTES": 20}])
def test_a_run_asks_a_host_for_no_more_than_its_budget(tmp_path: Path, budget: dict[str, int]) -> None:
    with serve_site({"a": answer()}) as site:
        outcomes = crawl(site, pages(5), f"sqlite:///{tmp_path / 'gate.db'}", **budget)
    assert outcomes == ["200"] * 2 + ["BudgetSpent"] * 3


def test_a_host_that_does_not_answer_holds_up_no_other(tmp_path: Path) -> None:
    order: list[str] = []

    async def wait_for_the_other(path: str, number: int, writer: Writer) -> None:
        if path != "/robots.txt":
            while "/chain/9" not in order:
                await asyncio.sleep(0.02)
        await send(writer, 404 if path == "/robots.txt" else 200)

    async def chain(path: str, number: int, writer: Writer) -> None:
        order.append(path)
        step = path.rpartition("/")[2]
        link = f'<a href="/chain/{int(step) + 1}">x</a>'.encode() if step.isdigit() and step < "9" else b""
        await send(writer, 404 if path == "/robots.txt" else 200, link)

    with serve_site({"slow": wait_for_the_other, "quick": chain}) as site:
        slow = [f"{site.url('slow')}/{number}" for number in range(20)]
        urls = [*slow, f"{site.url('quick')}/chain/0"]
        given = {
            "IPRWATCH_ALLOWED_PRIVATE": [site.place(host) for host in site.names],
            "SCHEDULER": "crawlers.host_queue.HostQueue",
            "CONCURRENT_REQUESTS": 8,
        }
        order_text = json.dumps({"urls": urls, "settings": SETTINGS | given})
        ran = Running("tests.one_crawl", cwd=ROOT, env=dict(os.environ), stdin=order_text).wait()
    assert set(ran.json["outcomes"].values()) == {"200"}, ran.err
    assert len(ran.json["outcomes"]) == 30


# --- Hours ---


@pytest.mark.parametrize(
    ("hours", "inside", "outside"),
    [("22:00-06:00", (14, 21), (22, 13)), ("09:00-17:30", (1, 9), (0, 10))],
)
def test_hours_are_those_of_the_clock_in_china(
    hours: str, inside: tuple[int, int], outside: tuple[int, int]
) -> None:
    read = read_hours(hours)
    assert all(read.hold(datetime(2026, 11, 20, hour, tzinfo=UTC)) for hour in inside)
    assert not any(read.hold(datetime(2026, 11, 20, hour, tzinfo=UTC)) for hour in outside)
    assert str(read) == hours


def test_hours_end_before_their_last_minute() -> None:
    assert not Hours(time(9), time(10)).hold(datetime(2026, 11, 20, 2, tzinfo=UTC))


@pytest.mark.parametrize("text", ["", "22-6", "24:00-06:00", "22:00-22:00", "22:00 - 06:00", "22:60-06:00"])
def test_what_are_no_hours_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write them as 22:00-06:00"):
        read_hours(text)


def source(**values: object) -> Source:
    given = {
        "key": "court_a", "reader": "court_gov", "url": "https://www.court.gov.cn/a", "name_zh": "甲",
        "name_en": "A", "publisher_zh": "甲", "publisher_en": "A", "topics": (), "least": 1, "proven": True,
    }  # fmt: skip
    return Source.model_validate({**given, **values})


def test_a_crontab_outside_the_hours_is_refused_with_the_time() -> None:
    assert source(crontab="0 2 * * *", hours="22:00-06:00").hours == "22:00-06:00"
    with pytest.raises(ValueError, match="also starts at 14:00, outside the hours 22:00-06:00"):
        source(crontab="0 2,14 * * *", hours="22:00-06:00")


def test_the_stored_turn_names_no_process_once_a_crawl_has_ended(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'gate.db'}"
    with serve_site({"a": answer()}) as site:
        crawl(site, pages(2), url, DOWNLOAD_DELAY=0.05)
    engine = open_engine(url)
    with engine.connect() as connection:
        assert connection.execute(select(Host.holder, Host.failures)).all() == [(None, 0)]
    engine.dispose()
