"""Rendered sources: what scripts write is read, and scripts reach no more than the crawl itself may."""

from __future__ import annotations

import asyncio
import importlib.util
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from scrapy.http import HtmlResponse, Request, Response

from chromium import find_chromium
from crawlers.browser import PAGE_SECONDS, Chromium, RenderingFailed
from errors import ConfigurationError
from tests.command import iprwatch, start
from tests.crawl.test_live import HTML, _listening_sockets, run
from tests.loopback import Said, Server, serve

COLUMN = "/col/col74/index.html"
DATA = "/data/list.json"
SCRIPT = "/column.js"
JSON = {"Content-Type": "application/json; charset=utf-8"}
NUMBERS = (1, 2, 3)


def shell(script: str) -> Said:
    """A column whose page has no entry before its script has run."""
    return Said(
        200,
        f"<html><head><meta charset=gbk><title>公告</title></head><body><ul id=rows></ul>{script}</body></html>".encode("gbk"),
        {"Content-Type": "text/html; charset=gbk"},
    )  # fmt: skip


COLUMN_SCRIPT = f"""const rows = document.getElementById("rows");
if (rows) fetch("{DATA}").then(said => said.json()).then(numbers => {{
for (const n of numbers) {{
  const row = document.createElement("li");
  row.innerHTML = `<a href='/art/2026/11/18/art_74_${{n}}.html' title='公告第${{n}}号'>公告第${{n}}号</a><span>2026-11-18</span>`;
  rows.append(row);
}}}})""".encode()


def article(number: str) -> bytes:
    """An article whose text a script writes."""
    return f"""<html><head><meta name="ArticleTitle" content="公告第{number}号">
<meta name="PubDate" content="2026-11-18 10:00"><meta name="ContentSource" content="某局"></head>
<body><h1>公告第{number}号</h1><div class="article-info"><span>发布时间：2026-11-18 10:00</span></div>
<div class="article-content"><!--<$[信息内容]>begin--><p id="text"></p><!--<$[信息内容]>end--></div>
<script>document.getElementById("text").textContent = "这是公告第{number}号的正文。" + "为加强商标管理，现将有关事项公告如下。".repeat(20)</script>
<script src="{SCRIPT}"></script></body></html>""".encode()


def answer(path: str, _n: int) -> Said:
    if path == COLUMN:
        return shell(f"<script src='{SCRIPT}' charset=utf-8></script>")
    if path == SCRIPT:
        return Said(200, COLUMN_SCRIPT, {"Content-Type": "text/javascript; charset=utf-8"})
    if path == DATA:
        return Said(200, str(list(NUMBERS)).encode(), JSON)
    if path.startswith("/art/"):
        return Said(200, article(path.rsplit("_", 1)[-1].removesuffix(".html")), HTML)
    return Said(404)


@contextmanager
def watched(
    tmp_path: Path, reply: Callable[[str, int], Said] = answer, *, render: bool = True, more: str = ""
) -> Iterator[Server]:
    """A loopback site and a configuration that watches its column."""
    with serve(reply) as server:
        (tmp_path / "sources.toml").write_text(
            f"""[cnipa_loopback]
reader = "hanweb"
url = "{server.url}{COLUMN}"
name_zh = "试验公告"
name_en = "Loopback announcements"
publisher_zh = "某局"
publisher_en = "Some office"
topics = []
crontab = "0 9 * * mon-fri"
least = 1
render = {str(render).lower()}
proven = true
""",
            encoding="utf-8",
        )
        (tmp_path / "iprwatch.toml").write_text(
            'data = "data"\nbuilt_in_sources = false\nsource_files = ["sources.toml"]\ndelay = 0\n'
            f'contact = "monitor@example.org"\nallowed_private = ["{server.place}"]\n{more}',
            encoding="utf-8",
        )
        yield server


def test_without_a_browser_a_list_that_scripts_write_is_refused(tmp_path: Path) -> None:
    with watched(tmp_path, render=False) as server:
        code, source = run(tmp_path)
    assert (code, source["state"]) == (1, "changed"), source
    assert [seen.path for seen in server.pages()] == [COLUMN]


def test_a_list_and_articles_that_scripts_write_are_read_with_a_browser(
    tmp_path: Path, chromium: Path
) -> None:
    with watched(tmp_path) as server:
        code, source = run(tmp_path)
    assert (code, source["state"]) == (0, "ok"), source
    assert source["counts"]["new"] == len(NUMBERS)  # type: ignore[index]
    assert {seen.headers["user-agent"] for seen in server.seen} == {"iprwatch (+monitor@example.org)"}
    assert [seen.path for seen in server.pages()].count(SCRIPT) == 1
    assert server.most_in_flight == 1


def test_a_rendered_list_is_asked_for_whole_even_if_its_page_did_not_change(
    tmp_path: Path, chromium: Path
) -> None:
    def reply(path: str, n: int) -> Said:
        said = answer(path, n)
        return Said(200, said.body, {**said.headers, "ETag": '"v1"'}) if path == COLUMN else said

    with watched(tmp_path, reply) as server:
        run(tmp_path)
        run(tmp_path)
    asked = [seen for seen in server.pages() if seen.path == COLUMN]
    assert len(asked) == 2
    assert all("if-none-match" not in seen.headers for seen in asked)


WAYS_OUT = (
    """<script>
fetch("{canary}/fetch", {{mode: "no-cors", keepalive: true}}).catch(() => 0);
fetch("/redirect", {{mode: "no-cors"}}).catch(() => 0);
navigator.sendBeacon("{canary}/beacon", "x");
for (const scheme of ["ws", "wss"]) new WebSocket(scheme + "://{place}/socket");
new EventSource("{canary}/events");
new Worker(URL.createObjectURL(new Blob(["fetch('{canary}/worker', {{mode: 'no-cors'}})"])));
for (const [name, key] of [["img", "src"], ["iframe", "src"], ["script", "src"], ["video", "src"], ["embed", "src"]]) {{
  const element = document.createElement(name);
  element[key] = "{canary}/" + name;
  document.body.append(element);
}}
for (const rel of ["preconnect", "prefetch", "stylesheet", "icon"])
  document.head.insertAdjacentHTML("beforeend", `<link rel=${{rel}} href={canary}/${{rel}}>`);
window.open("{canary}/window");
setTimeout(() => location = "{canary}/location", 100);
</script><script src="%s" charset=utf-8></script>"""
    % SCRIPT
)


@pytest.mark.parametrize("allowed", [False, True])
def test_scripts_reach_a_private_server_only_where_it_is_listed(
    tmp_path: Path, chromium: Path, allowed: bool
) -> None:
    with serve(lambda path, n: Said(404) if path == "/robots.txt" else Said(200)) as canary:

        def reply(path: str, n: int) -> Said:
            if path == COLUMN:
                return shell(WAYS_OUT.format(canary=canary.url, place=canary.place))
            if path == "/redirect":
                return Said(302, headers={"Location": f"{canary.url}/redirected"})
            return answer(path, n)

        with watched(tmp_path, reply) as server:
            if allowed:
                file = tmp_path / "iprwatch.toml"
                text = file.read_text("utf-8").replace(
                    f'["{server.place}"]', f'["{server.place}", "{canary.place}"]'
                )
                file.write_text(text, encoding="utf-8")
            code, source = run(tmp_path)
        reached = {seen.path for seen in canary.pages()}
    assert (code, source["state"]) == (0, "ok"), source
    # Only what a page needs to write its text is fetched for it at all.
    wanted = {"/fetch", "/redirected", "/worker", "/script", "/stylesheet"}
    assert reached == (wanted if allowed else set())


PAST_THE_DOWNLOADER = """<link rel=preconnect href="http://{place}">
<link rel=dns-prefetch href="http://localhost">
<script>
new WebSocket("ws://{place}/");
for (const urls of ["stun:{place}", "turn:{place}?transport=tcp"]) {{
  const peer = new RTCPeerConnection({{iceServers: [{{urls, username: "x", credential: "x"}}]}});
  peer.createDataChannel("x");
  peer.createOffer().then(offer => peer.setLocalDescription(offer));
}}
setTimeout(() => document.title = "over", 1000);
fetch("/slow");
</script>"""


def test_the_browser_has_no_network_of_its_own(chromium: Path) -> None:
    async def slow(request: Request) -> Response:
        await asyncio.sleep(1.5)
        return Response(request.url)

    async def visit(place: str) -> bytes:
        browser = Chromium(chromium, "iprwatch", slow)
        try:
            page = PAST_THE_DOWNLOADER.format(place=place).encode()
            return await browser.render(HtmlResponse("http://127.0.0.1:9/", body=page))
        finally:
            await browser.close()

    with (
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as stream,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram,
    ):
        stream.bind(("127.0.0.1", 0))
        datagram.bind(stream.getsockname())
        stream.listen()
        stream.setblocking(False)
        datagram.setblocking(False)
        assert b"<title>over</title>" in asyncio.run(visit(f"127.0.0.1:{stream.getsockname()[1]}"))
        with pytest.raises(BlockingIOError):
            stream.accept()
        with pytest.raises(BlockingIOError):
            datagram.recv(1)


def test_what_robots_txt_closes_is_closed_to_scripts_too(tmp_path: Path, chromium: Path) -> None:
    def reply(path: str, n: int) -> Said:
        return Said(200, b"User-agent: *\nDisallow: /data/\n") if path == "/robots.txt" else answer(path, n)

    with watched(tmp_path, reply) as server:
        code, source = run(tmp_path)
    assert (code, source["state"]) == (1, "changed"), source
    assert DATA not in server.paths()
    assert DATA in (tmp_path / "data" / "crawl.log").read_text("utf-8")


def test_a_challenge_is_not_run(tmp_path: Path, chromium: Path) -> None:
    challenge = "<script>document.cookie='__jsl_clearance=1'; fetch('/solved')</script>"
    with watched(tmp_path, lambda path, n: shell(challenge) if path == COLUMN else Said(404)) as server:
        code, source = run(tmp_path)
    assert (code, source["state"]) == (1, "blocked"), source
    assert [seen.path for seen in server.pages()] == [COLUMN]


def test_no_cookie_is_sent_and_no_page_is_loaded_again_for_a_script(tmp_path: Path, chromium: Path) -> None:
    again = "<script>document.cookie = 'passed=1'; location.reload()</script>"

    def reply(path: str, n: int) -> Said:
        return shell(again + f"<script src='{SCRIPT}'></script>") if path == COLUMN else answer(path, n)

    with watched(tmp_path, reply) as server:
        run(tmp_path)
    assert server.paths().count(COLUMN) == 1
    assert not [seen for seen in server.seen if "cookie" in seen.headers]


def test_no_port_is_opened_by_the_browser(tmp_path: Path, chromium: Path) -> None:
    def slow(path: str, n: int) -> Said:
        said = answer(path, n)
        return Said(said.status, said.body, said.headers, pause=20.0 if path == DATA else 0.0)

    with watched(tmp_path, slow) as server:
        running = start("crawl", "--json", cwd=tmp_path)
        listening: set[str] = set()
        browsers = 0
        while not running.ended:
            if DATA in server.paths():
                family = _descendants(running.pid)
                browsers += any("chrom" in _program(pid) for pid in family)
                listening |= {place for pid in family for place in _listening_sockets(pid)}
            if browsers > 5:
                server.over.set()  # answers wait no more
            time.sleep(0.05)
    assert running.wait().code == 0
    assert browsers > 5
    assert listening == set()


def _descendants(pid: int) -> set[int]:
    """A process and all that it has started, as the kernel tells them."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text("utf-8").rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def _program(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode()
    except OSError:
        return ""


def test_a_page_that_hangs_is_given_up_and_the_next_one_is_rendered(chromium: Path) -> None:
    async def nothing(request: Request) -> Response:
        return Response(request.url, status=404)

    def page(script: str) -> HtmlResponse:
        return HtmlResponse("http://page.example/", body=f"<p>x</p><script>{script}</script>".encode())

    async def visit() -> bytes:
        browser = Chromium(chromium, "iprwatch", nothing)
        try:
            # The start of the browser counts as part of the first page.
            await browser.render(page(""))
            browser.page_seconds = 2.0
            with pytest.raises(RenderingFailed, match="2 s"):
                await browser.render(page("while (true) {}"))
            browser.page_seconds = PAGE_SECONDS
            return await browser.render(page("document.title = navigator.userAgent"))
        finally:
            await browser.close()

    assert b"<title>iprwatch</title>" in asyncio.run(visit())


@pytest.mark.skipif(importlib.util.find_spec("playwright") is None, reason="the extra is asked for first")
@pytest.mark.parametrize("more", ["", 'chromium = "nowhere/chromium"\n'])
def test_a_missing_chromium_is_one_sentence_before_anything_is_fetched(tmp_path: Path, more: str) -> None:
    with watched(tmp_path, more=more) as server:
        ran = iprwatch("crawl", cwd=tmp_path, PATH=str(tmp_path))
    assert ran.code == 2
    assert len(ran.err.strip().splitlines()) <= 3
    assert "chromium" in ran.err
    assert "Traceback" not in ran.err
    assert server.seen == []


def test_a_missing_extra_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "playwright", None)
    with pytest.raises(ConfigurationError, match=r"A source .*\.\[browser\]"):
        find_chromium(None, "A source with `render = true`")
