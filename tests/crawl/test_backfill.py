"""A back-fill that is killed goes on where it was, misses nothing and stores nothing twice."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import func, select

from cli_output import say_progress
from pipeline.store.session import open_engine
from pipeline.store.tables import Delivery, Frontier, Item
from tests.command import iprwatch, start
from tests.crawl.test_live import HTML, XML, article, watched
from tests.loopback import Said, Server

SIZE = 5  # articles a list page
RULE = """
[channels.log]
kind = "file"
path = "alerts.jsonl"

[[rules]]
name = "Trademarks"
words = ["商标"]
send = [{ channel = "log" }]
"""


class Column:
    """A column whose list shows its articles newest first, in pages."""

    def __init__(self, articles: int) -> None:
        self.numbers = list(range(articles, 0, -1))
        self.broken: set[int] = set()

    def answer(self, path: str, _n: int) -> Said:
        if path == "/robots.txt":
            return Said(404)
        if "dataproxy" not in path:
            number = int(path.rsplit("_", 1)[-1].removesuffix(".html"))
            return Said(500) if number in self.broken else Said(200, article(path), HTML)
        page = int(parse_qs(urlsplit(path).query)["page"][0])
        return Said(200, self.list_page(page), XML)

    def list_page(self, page: int) -> bytes:
        shown = self.numbers[(page - 1) * SIZE : page * SIZE]
        rows = "".join(
            f"<record><![CDATA[<li><a href='/art/2026/11/18/art_74_{n}.html' title='公告第{n}号'>公告第{n}号</a>"
            "<span>2026-11-18</span></li>]]></record>"
            for n in shown
        )
        return (
            f"<?xml version='1.0' encoding='utf-8'?><datastore><totalrecord>{len(self.numbers)}</totalrecord>"
            f"<totalpage>{-(-len(self.numbers) // SIZE)}</totalpage><recordset>{rows}</recordset></datastore>"
        ).encode()


@contextmanager
def archive(folder: Path, column: Column, settings: str = "") -> Iterator[Server]:
    with watched(folder, column.answer) as server:
        with (folder / "iprwatch.toml").open("a", encoding="utf-8") as file:
            file.write(settings + RULE)
        yield server


def backfill(folder: Path, *options: str) -> dict[str, object]:
    ran = iprwatch("crawl", "--since", "2020-01-01", "--alert-baseline", "--json", *options, cwd=folder)
    assert ran.out, ran.err
    run: dict[str, object] = ran.json["sources"][0]
    return run


def kill_after(folder: Path, server: Server, requests: int) -> None:
    """Start a back-fill and kill it when the server has seen so many more requests."""
    before = len(server.seen)
    running = start("crawl", "--since", "2020-01-01", "--alert-baseline", "--no-send", cwd=folder)
    while len(server.seen) - before < requests and not running.ended:
        time.sleep(0.002)
    assert not running.ended
    running.kill()
    running.wait()


def stored(folder: Path) -> tuple[Counter[int], int, int]:
    """How often each article is stored, how many alerts of articles there are, and how many rows the frontier has."""
    engine = open_engine(f"sqlite:///{folder / 'data' / 'iprwatch.db'}")
    with engine.connect() as connection:
        urls = connection.scalars(select(Item.url))
        numbers = Counter(int(url.rsplit("_", 1)[-1].removesuffix(".html")) for url in urls)
        alerts = connection.scalar(select(func.count(Delivery.item_id))) or 0
        left = connection.scalar(select(func.count()).select_from(Frontier)) or 0
    engine.dispose()
    return numbers, alerts, left


def test_a_back_fill_that_is_killed_again_and_again_loses_and_doubles_nothing(tmp_path: Path) -> None:
    column = Column(40)
    with archive(tmp_path, column) as server:
        for requests in (9, 14, 12):
            kill_after(tmp_path, server, requests)
            column.numbers[:0] = range(column.numbers[0] + 7, column.numbers[0], -1)
        run = backfill(tmp_path)
    assert run["state"] == "ok", run
    numbers, alerts, left = stored(tmp_path)
    assert numbers == Counter(column.numbers)
    assert alerts == len(column.numbers)
    assert left == 0


def test_a_back_fill_goes_on_at_the_list_page_where_its_budget_ended(tmp_path: Path) -> None:
    column = Column(20)
    with archive(tmp_path, column, "budget_requests = 14\n") as server:
        first = backfill(tmp_path)
        asked = server.paths()
        while (run := backfill(tmp_path))["state"] != "ok":
            assert "budget" in str(run["reason"]) or "one run may" in str(run["reason"])
    assert first["state"] == "incomplete"
    assert "the next one goes on" in str(first["reason"])
    # robots.txt, two list pages and their articles, and what was left of the budget for the third.
    assert len(asked) == 14
    lists = [seen.path for seen in server.pages() if "dataproxy" in seen.path]
    articles = Counter(seen.path for seen in server.pages() if "dataproxy" not in seen.path)
    assert set(articles.values()) == {1}
    assert len(lists) < 2 * 4
    assert stored(tmp_path)[2] == 0


def test_an_article_that_was_down_is_asked_for_again_by_the_next_back_fill(tmp_path: Path) -> None:
    column = Column(12)
    column.broken = {3}
    with archive(tmp_path, column) as server:
        run = backfill(tmp_path)
        assert run["state"] == "incomplete", run
        assert stored(tmp_path)[2] > 0
        column.broken = set()
        before = len(server.seen)
        run = backfill(tmp_path)
    assert run["state"] == "ok", run
    asked = [seen.path for seen in server.seen[before:]]
    assert [path for path in asked if path.startswith("/art/")] == ["/art/2026/11/18/art_74_3.html"]
    assert len([path for path in asked if "dataproxy" in path]) == 2
    assert stored(tmp_path)[2] == 0


def test_a_back_fill_that_was_finished_starts_anew(tmp_path: Path) -> None:
    with archive(tmp_path, Column(12)) as server:
        backfill(tmp_path)
        before = len(server.seen)
        run = backfill(tmp_path)
    assert run["state"] == "ok", run
    assert len([seen for seen in server.seen[before:] if "dataproxy" in seen.path]) == 3
    assert "asked" not in run["counts"]  # type: ignore[operator]


def test_progress_says_what_is_done_left_and_the_rate() -> None:
    assert say_progress(120, 40, 400, more=False) == "120 done, 40 left, 18 a minute"
    assert say_progress(0, 5, 1, more=True) == "0 done, 5 left so far"


def test_where_there_is_no_terminal_progress_is_one_line_a_source(tmp_path: Path) -> None:
    with archive(tmp_path, Column(12)):
        ran = iprwatch("crawl", "--since", "2020-01-01", cwd=tmp_path)
    assert ran.err.splitlines() == ["  list read: 试验公告 (12 links, 12 to fetch)"]
