"""A crawl over real HTTP: a loopback server with a Hanweb column stands for a site."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from pipeline.store.lease import read_clock
from pipeline.store.session import open_engine
from pipeline.store.tables import Base, LeaseRow
from tests.command import environment, iprwatch, start
from tests.loopback import Said, Server, serve

RECORDS = "/module/web/jpage/dataproxy.jsp?page=1&webid=1&columnid=74&unitid=17035&perpage=100"
XML = {"Content-Type": "text/xml; charset=utf-8"}
HTML = {"Content-Type": "text/html; charset=utf-8"}


def listing(numbers: list[int]) -> bytes:
    rows = "".join(
        f"<record><![CDATA[<li><a href='/art/2026/11/18/art_74_{n}.html' title='公告第{n}号'>公告第{n}号</a>"
        "<span>2026-11-18</span></li>]]></record>"
        for n in numbers
    )
    return (
        f"<?xml version='1.0' encoding='utf-8'?><datastore><totalrecord>{len(numbers)}</totalrecord>"
        f"<totalpage>1</totalpage><recordset>{rows}</recordset></datastore>"
    ).encode()


def article(path: str) -> bytes:
    number = path.rsplit("_", 1)[-1].removesuffix(".html")
    body = f"这是公告第{number}号的正文。" + "为加强商标管理，现将有关事项公告如下。" * 20
    return f"""<html><head><meta name="ArticleTitle" content="公告第{number}号">
<meta name="PubDate" content="2026-11-18 10:00"><meta name="ContentSource" content="某局"></head>
<body><h1>公告第{number}号</h1><div class="article-info"><span>发布时间：2026-11-18 10:00</span></div>
<div class="article-content"><!--<$[信息内容]>begin--><p>{body}</p><!--<$[信息内容]>end--></div></body></html>""".encode()


def answer(path: str, _n: int) -> Said:
    if path == "/robots.txt":
        return Said(404)
    if path == RECORDS:
        return Said(200, listing([1, 2, 3, 4, 5]), XML)
    return Said(200, article(path), HTML)


@contextmanager
def watched(tmp_path: Path, reply: Callable[[str, int], Said], *, allowed: bool = True) -> Iterator[Server]:
    """A loopback site, and a configuration in `tmp_path` that watches it."""
    with serve(reply) as server:
        (tmp_path / "sources.toml").write_text(
            f"""[cnipa_loopback]
reader = "hanweb"
url = "{server.url}{RECORDS}"
name_zh = "试验公告"
name_en = "Loopback announcements"
publisher_zh = "某局"
publisher_en = "Some office"
topics = []
crontab = "0 9 * * mon-fri"
least = 1
proven = true
""",
            encoding="utf-8",
        )
        (tmp_path / "iprwatch.toml").write_text(
            'data = "data"\nbuilt_in_sources = false\nsource_files = ["sources.toml"]\ndelay = 0\n'
            'contact = "monitor@example.org"\n'
            + (f'allowed_private = ["{server.place}"]\n' if allowed else ""),
            encoding="utf-8",
        )
        yield server


def run(tmp_path: Path) -> tuple[int, dict[str, object]]:
    ran = iprwatch("crawl", "--json", cwd=tmp_path)
    assert ran.out, ran.err
    (source,) = ran.json["sources"]
    return ran.code, source


def test_a_live_crawl_stores_what_the_server_shows(tmp_path: Path) -> None:
    with watched(tmp_path, answer) as server:
        code, source = run(tmp_path)
    assert (code, source["state"]) == (0, "ok"), source
    assert source["counts"]["new"] == 5  # type: ignore[index]
    agents = {seen.headers["user-agent"] for seen in server.seen}
    assert agents == {"iprwatch (+monitor@example.org)"}


def test_a_second_live_crawl_asks_only_for_the_list(tmp_path: Path) -> None:
    with watched(tmp_path, answer) as server:
        run(tmp_path)
        before = len(server.pages())
        run(tmp_path)
    assert [seen.path for seen in server.pages()[before:]] == [RECORDS]


# What the first page shows can be noted once the second one was asked for, as if another process wrote until then.
WRITE_LATE = """
import time
from pathlib import Path
import crawlers.spider as spider
note = spider.remember_list
def wait_and_note(engine, key, entries, **others):
    entries = list(entries)
    limit = time.monotonic() + 30
    while any("_74_1." in entry.url for entry in entries) and not Path("second").exists():
        assert time.monotonic() < limit, "the second page waits for what is noted of the first"
        time.sleep(0.01)
    return note(engine, key, entries, **others)
spider.remember_list = wait_and_note
"""


def test_the_next_page_of_a_list_does_not_wait_for_what_is_noted_of_this_one(tmp_path: Path) -> None:
    def page_by_page(path: str, n: int) -> Said:
        if "dataproxy" not in path:
            return answer(path, n)
        is_second = "page=2" in path
        if is_second:
            (tmp_path / "second").touch()
        shown = listing([4, 5] if is_second else [1, 2, 3])
        return Said(200, shown.replace(b"<totalpage>1<", b"<totalpage>2<"), XML)

    with watched(tmp_path, page_by_page):
        with (tmp_path / "sources.toml").open("a", encoding="utf-8") as file:
            file.write("depth = 2\n")
        ran = iprwatch("crawl", "--json", cwd=tmp_path, first=WRITE_LATE)
    (source,) = ran.json["sources"]
    assert (ran.code, source["state"], source["counts"]["new"]) == (0, "ok", 5), source
    with closing(sqlite3.connect(tmp_path / "data/iprwatch.db")) as store:
        assert store.execute("SELECT count(*) FROM snapshot WHERE kind = 'list'").fetchone() == (2,)


def test_a_host_that_forbids_crawlers_is_not_fetched_and_said_to_be_closed(tmp_path: Path) -> None:
    def forbid(path: str, n: int) -> Said:
        return Said(200, b"User-agent: *\nDisallow: /\n") if path == "/robots.txt" else answer(path, n)

    with watched(tmp_path, forbid) as server:
        code, source = run(tmp_path)
    assert (code, source["state"]) == (1, "closed by robots")
    assert server.pages() == []


def test_a_private_address_is_refused_unless_listed(tmp_path: Path) -> None:
    with watched(tmp_path, answer, allowed=False) as server:
        code, source = run(tmp_path)
    assert (code, source["state"]) == (1, "down")
    assert "127.0.0.1" in str(source["reason"])
    assert server.seen == []


@pytest.mark.parametrize(
    ("said", "state"),
    [
        (Said(503, b"busy"), "down"),
        (Said(412, b"<html><script>$_ts={}</script></html>", HTML), "blocked"),
        (Said(200, b"<html><head><title>x</title></head><body>hello</body></html>", HTML), "changed"),
        (Said(404, b"none", HTML), "changed"),
        (Said(close=True), "down"),
    ],
)
def test_a_list_that_is_none_gets_its_true_name(tmp_path: Path, said: Said, state: str) -> None:
    with watched(tmp_path, lambda path, n: said if path == RECORDS else answer(path, n)):
        code, source = run(tmp_path)
    assert (code, source["state"]) == (1, state), source


def test_articles_that_fail_make_the_run_incomplete_and_come_with_the_next(tmp_path: Path) -> None:
    broken = {"on": True}

    def reply(path: str, n: int) -> Said:
        if broken["on"] and path.endswith(("_2.html", "_4.html")):
            return Said(200, b"<html><body>system error</body></html>", HTML)
        return answer(path, n)

    with watched(tmp_path, reply):
        code, source = run(tmp_path)
        assert (code, source["state"]) == (1, "incomplete"), source
        broken["on"] = False
        code, source = run(tmp_path)
    assert (code, source["state"]) == (0, "ok")
    assert source["counts"]["new"] == 2  # type: ignore[index]


def test_an_article_that_cannot_be_read_is_asked_for_until_a_person_sets_it_aside(tmp_path: Path) -> None:
    shown, broken = [1, 2], {2}

    def reply(path: str, n: int) -> Said:
        if path == RECORDS:
            return Said(200, listing(shown), {**XML, "ETag": f'"{shown}"'})
        number = int(path.rsplit("_", 1)[-1].removesuffix(".html")) if "art_" in path else 0
        return Said(200, b"<html><p>moved</p></html>", HTML) if number in broken else answer(path, n)

    def asked() -> list[str]:
        return [seen.path for seen in server.pages() if seen.path.startswith("/art/")]

    with watched(tmp_path, reply) as server:
        assert run(tmp_path)[1]["state"] == "incomplete"
        shown.remove(2)
        assert run(tmp_path)[1]["state"] == "incomplete"
        second = "/art/2026/11/18/art_74_2.html"
        assert asked().count(second) == 2
        aside = iprwatch("sources", "set-aside", server.url + second, "--reason", "a stub", cwd=tmp_path)
        assert aside.code == 0, aside.err
        assert run(tmp_path)[1]["state"] == "ok"
        assert asked().count(second) == 2
        assert iprwatch("sources", "take-back", server.url + second, cwd=tmp_path).code == 0
        broken.clear()
        code, source = run(tmp_path)
    assert (code, source["counts"]["new"]) == (0, 1)  # type: ignore[index]
    assert iprwatch("sources", "unread", "--json", cwd=tmp_path).json == []


def test_no_port_is_opened_during_a_crawl(tmp_path: Path) -> None:
    def slow(path: str, n: int) -> Said:
        said = answer(path, n)
        return Said(said.status, said.body, said.headers, pause=0.4 if "/art/" in path else 0.0)

    with watched(tmp_path, slow) as server:
        running = start("crawl", "--json", cwd=tmp_path)
        listening: set[str] = set()
        looks = 0
        while not running.ended:
            if len(server.pages()) > 1:
                listening |= _listening_sockets(running.pid)
                looks += 1
            time.sleep(0.05)
    assert running.wait().code == 0
    assert looks > 5
    assert listening == set()


def _listening_sockets(pid: int) -> set[str]:
    """Local addresses on which a process listens, from the kernel's own tables."""
    try:
        inodes = {os.readlink(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")}
    except OSError:
        return set()
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text("ascii").splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
                found.add(fields[1])
    return found


def test_a_live_crawl_without_a_contact_is_refused(tmp_path: Path) -> None:
    with watched(tmp_path, answer) as server:
        file = tmp_path / "iprwatch.toml"
        file.write_text(
            file.read_text("utf-8").replace('contact = "monitor@example.org"\n', ""), encoding="utf-8"
        )
        ran = iprwatch("crawl", cwd=tmp_path)
    assert ran.code == 2
    assert "contact" in ran.err
    assert server.seen == []


def test_an_unchanged_list_costs_one_conditional_request(tmp_path: Path) -> None:
    def reply(path: str, n: int) -> Said:
        said = answer(path, n)
        if path != RECORDS:
            return said
        if server.seen[-1].headers.get("if-none-match") == '"v1"':
            return Said(304)
        return Said(200, said.body, {**XML, "ETag": '"v1"'})

    with watched(tmp_path, reply) as server:
        run(tmp_path)
        before = len(server.pages())
        code, source = run(tmp_path)
    assert (code, source["state"]) == (0, "ok"), source
    assert source["counts"]["lists not modified"] == 1  # type: ignore[index]
    assert [seen.path for seen in server.pages()[before:]] == [RECORDS]


def test_after_a_run_that_missed_articles_the_list_is_asked_for_whole(tmp_path: Path) -> None:
    broken = {"on": True}

    def reply(path: str, n: int) -> Said:
        if broken["on"] and path.endswith("_2.html"):
            return Said(500)
        said = answer(path, n)
        if path != RECORDS:
            return said
        assert "if-none-match" not in server.seen[-1].headers
        return Said(200, said.body, {**XML, "ETag": '"v1"'})

    with watched(tmp_path, reply) as server:
        assert run(tmp_path)[0] == 1
        broken["on"] = False
        code, source = run(tmp_path)
    assert (code, source["state"], source["counts"]["new"]) == (0, "ok", 1)  # type: ignore[index]


def stop_between_writes(process: subprocess.Popen[str], database: Path) -> None:
    """SIGSTOP at a moment when *process* holds no lock: SQLite would let nobody write until it goes on."""
    for _ in range(100):
        process.send_signal(signal.SIGSTOP)
        with closing(sqlite3.connect(database, timeout=0.2, isolation_level=None)) as probe:
            try:
                probe.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                process.send_signal(signal.SIGCONT)
                time.sleep(0.02)
            else:
                probe.execute("ROLLBACK")
                return
    raise AssertionError("the crawl never let go of the database")


def test_a_crawl_that_was_stopped_and_continued_writes_nothing_once_another_took_its_place(
    tmp_path: Path,
) -> None:
    def reply(path: str, n: int) -> Said:
        said = answer(path, n)
        return Said(said.status, said.body, said.headers, pause=60.0 if "/art/" in path else 0.0)

    with watched(tmp_path, reply) as server:
        first = subprocess.Popen(
            [sys.executable, "-m", "cli", "crawl", "--json"],
            cwd=tmp_path, env=environment(tmp_path), stdout=subprocess.PIPE, encoding="utf-8",
        )  # fmt: skip
        while first.poll() is None and not any("/art/" in path for path in server.paths()):
            time.sleep(0.05)
        stop_between_writes(first, tmp_path / "data" / "iprwatch.db")
        store = open_engine(f"sqlite:///{tmp_path}/data/iprwatch.db")
        with store.begin() as connection:
            # As if it had been stopped for longer than its lease.
            ended = read_clock(connection) - timedelta(seconds=1)
            connection.execute(update(LeaseRow).values(expires_at=ended))
        server.over.set()
        code, source = run(tmp_path)
        with store.connect() as connection:
            before = {table: connection.execute(select(table)).all() for table in Base.metadata.sorted_tables}
        first.send_signal(signal.SIGCONT)
        output, _ = first.communicate(timeout=60)
        with store.connect() as connection:
            after = {table: connection.execute(select(table)).all() for table in Base.metadata.sorted_tables}
        store.dispose()
    assert (code, source["state"], source["counts"]["new"]) == (0, "ok", 5)  # type: ignore[index]
    assert after == before
    assert first.returncode == 1
    assert json.loads(output)["sources"][0]["state"] == "failed"
    assert "lease ended" in json.loads(output)["sources"][0]["reason"]


def test_a_crawl_that_is_asked_to_end_twice_still_judges_its_run(tmp_path: Path) -> None:
    """As by systemd, which asks every process of a service, and the scheduler, which asks its crawls."""

    def reply(path: str, n: int) -> Said:
        said = answer(path, n)
        return Said(said.status, said.body, said.headers, pause=1.5 if "/art/" in path else 0.0)

    with watched(tmp_path, reply) as server:
        crawl = start("crawl", "--json", cwd=tmp_path)
        while not any("/art/" in path for path in server.paths()):
            time.sleep(0.02)
        for _ in range(2):
            os.kill(crawl.pid, signal.SIGTERM)
            time.sleep(0.1)
        ran = crawl.wait()
    (source,) = ran.json["sources"]
    assert (ran.code, source["state"]) == (1, "incomplete")
    assert 1 <= source["counts"]["new"] < 5


def test_ctrl_c_ends_the_sending_of_alerts_after_a_crawl(tmp_path: Path) -> None:
    with serve(lambda path, n: Said(wait=True)) as hook, watched(tmp_path, answer):
        file = tmp_path / "iprwatch.toml"
        text = re.sub(
            r'allowed_private = \["(.*)"\]',
            rf'allowed_private = ["\1", "{hook.place}"]',
            file.read_text("utf-8"),
        )
        channel = '[channels.hook]\nkind = "webhook"\nsecret = { env = "SECRET" }\n'
        rule = f'[[rules]]\nname = "all"\nsend = [{{ channel = "hook", to = "{hook.url}" }}]\n'
        file.write_text(f"{text}{channel}{rule}", encoding="utf-8")
        crawl = start(
            "crawl", "--alert-baseline", cwd=tmp_path, SECRET="whsec_QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB"
        )
        while not hook.seen and not crawl.ended:
            time.sleep(0.02)
        os.kill(crawl.pid, signal.SIGINT)
        # A webhook is waited for 10 seconds, and there are five alerts.
        ran = crawl.wait()
    assert ran.code != 0
    assert len(hook.seen) == 1


def test_a_304_that_nobody_asked_for_is_no_list(tmp_path: Path) -> None:
    with watched(tmp_path, lambda path, n: Said(304) if path == RECORDS else answer(path, n)):
        code, source = run(tmp_path)
    assert code == 1
    assert source["state"] != "ok"
