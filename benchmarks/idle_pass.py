"""What an idle pass over all built-in sources costs: one in which nothing is new.

    python -m benchmarks.idle_pass

A server on loopback answers for every host of `crawlers/sources.toml`: robots.txt, the list of each source, and
each article that a list names. Lists are the recorded ones of samples/; a source without one of its own gets a list
in the shape of its reader's sample, and every source has articles of its own (the ids in the links are renumbered).
Static pages carry an ETag or, on some hosts, Last-Modified, and are answered with 304; pages with a query in their
URL, which a program makes, carry neither.

Three crawls of all sources, each in a new process, share one database: the first reads everything, the second
finds nothing new, and before the third the first planned recheck of every article is made due. What they cost is
counted from the server's own access log, not from what the crawler says: lists in full, lists answered 304, articles
never asked for before, articles asked for again (rechecks) in full or answered 304, attachments, robots.txt, bytes of
bodies. The benchmark ends with exit code 1 when a source isn't `ok` in a pass, when the idle pass asks for an article or
an attachment, and when the third asks for more than the lists and as many articles as it says that it rechecked.

URLs, robots.txt, guard, turns and delays are those of a live crawl, but for `delay` 0. Names lead to loopback as in
`benchmarks.loopback_site`. Only TLS is missing: nothing on loopback has those hosts' certificates, so the last
component, the download handler, speaks plain HTTP to the server's port instead.
"""

from __future__ import annotations

import hashlib
import logging
import multiprocessing
import re
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table
from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.http import Response
from scrapy.resolver import dnscache
from sqlalchemy import update
from twisted.internet.address import IPv4Address
from w3lib.url import canonicalize_url

import crawlers.settings
from configuration import Configuration
from crawlers.crawl import Outcome, crawl
from crawlers.errors import PageError
from crawlers.notice import ListEntry
from crawlers.page import Page
from crawlers.pipeline_server import forked_server
from crawlers.readers import READERS, reader_for
from crawlers.replay import Recording, find_recordings
from crawlers.source import INBOX_READER, Source, load_sources
from pipeline.store.session import open_engine
from pipeline.store.tables import Recheck

SPAWN = multiprocessing.get_context("spawn")
SAMPLES = Path(__file__).resolve().parent.parent / "samples"
KINDS = ("list, 200", "list, 304", "article, new", "recheck, 200", "recheck, 304", "attachment", "robots.txt")
RECHECKS = ("recheck, 200", "recheck, 304")
COLUMNS = (*KINDS, "bytes")
DATED_HOSTS = ("www.spp.gov.cn", "www.ncac.gov.cn", "www.jl.jcy.gov.cn")
"""Hosts whose static lists have Last-Modified instead of an ETag."""
ARTICLE_FOLDERS = {
    "www.chinajusticeobserver.com": "/a/",
    "rouse.com": "/insights/news/2026/",
    "insightplus.bakermckenzie.com": "/bm/intellectual-property/",
}
"""Where the articles of the sites lie that are watched by sitemap."""
_DATED = "Fri, 20 Nov 2026 08:00:00 GMT"
_ATTACHMENT = b"\x00" * 2000
_ROBOTS = b"User-agent: *\nDisallow: /admin/\n"
_ID = re.compile(r"[0-9a-f]{24,}|\d{4,}")
_DAY = re.compile(r"20\d\d(0[1-9]|1[0-2])([0-3]\d)?")


@dataclass(frozen=True, slots=True)
class Asked:
    """One line of the access log: `kind` is one of KINDS, or `unknown`."""

    host: str
    kind: str
    url: str
    size: int


# --- What the server shows ---


class Web:
    """Lists, articles and attachments of all sources by URL; always the same bytes."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.lists: dict[str, bytes] = {}
        self.articles: dict[str, bytes] = {}
        self.attachments: set[str] = set()
        self._recordings = list(find_recordings(SAMPLES))
        for number, source in enumerate(sources):
            self._add(source, number)

    def hosts(self) -> set[str]:
        """Every host that is asked for something."""
        return {urlsplit(url).hostname or "" for url in (*self.lists, *self.articles, *self.attachments)}

    def _add(self, source: Source, number: int) -> None:
        url: str | None = source.url
        for depth in range(source.depth):
            if url is None:
                return
            body = self._write_list(source, url, number * 10 + depth)
            self.lists[canonicalize_url(url)] = body
            page = _page(url, body)
            listing = READERS[source.reader].read_list(page)
            for entry in listing.entries:
                self.articles[canonicalize_url(entry.url)] = self._write_article(entry)
            url = listing.next_url

    def _write_list(self, source: Source, url: str, number: int) -> bytes:
        """The list of a source, with articles of its own. Raises LookupError when no sample has its shape."""
        if source.reader == "feed":
            return _write_feed(url, number)
        if url.endswith("/sitemap.xml"):
            return _write_sitemap(url, number)
        for recording in self._nearest(url):
            body = recording.path.read_bytes()
            host = (urlsplit(recording.url).hostname or "").encode()
            body = body.replace(b"//" + host, b"//" + (urlsplit(url).hostname or "").encode())
            try:
                page = _page(url, body)
                reader = READERS[source.reader]
                if reader.kind_of(page) != "list":
                    continue
                body = _renumber(body, [entry.url for entry in reader.read_list(page).entries], number)
                entries = reader.read_list(_page(url, body)).entries
            except PageError:
                continue
            if len(entries) >= max(1, source.least if number % 10 == 0 else 1):
                return body
        raise LookupError(f"{source.key}: no sample has the shape of {url}.")

    def _write_article(self, entry: ListEntry) -> bytes:
        """A sample article that can be read under this URL. Raises LookupError when there is none."""
        for recording in self._nearest(entry.url):
            body = recording.path.read_bytes()
            try:
                page = _page(entry.url, body)
                notice = reader_for(page)[1].read_article(page, entry)
            except PageError:
                continue
            self.attachments |= {canonicalize_url(file.url) for file in notice.attachments}
            return body
        raise LookupError(f"No sample article can be read under {entry.url}.")

    def _nearest(self, url: str) -> list[Recording]:
        """All recordings, those whose URL is most like this one first."""
        return sorted(
            (recording for recording in self._recordings if recording.status == 200),
            key=lambda recording: (recording.url != url, -_alike(recording.url, url)),
        )


def _page(url: str, body: bytes) -> Page:
    return Page(url, body, datetime(2026, 11, 20, 8, tzinfo=UTC), 200, {"content-type": _content_type(body)})


def _alike(one: str, other: str) -> int:
    """Characters that two URLs have in common at their start."""
    pairs = zip(one, other, strict=False)
    return next((place for place, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _renumber(body: bytes, urls: Sequence[str], number: int) -> bytes:
    """Give the articles that a list links to ids of their own, wherever the list names them."""
    for url in urls:
        found = [
            match
            for match in _ID.findall(urlsplit(url)._replace(netloc="").geturl())
            if not _DAY.fullmatch(match)
        ]
        if not found:
            continue
        old = found[-1]
        digest = hashlib.sha256(f"{old}-{number}".encode()).hexdigest()
        new = digest[: len(old)] if len(old) >= 24 else f"{old}{number:03d}"
        body = re.sub(rb"(?<![0-9a-f])%s(?![0-9a-f])" % old.encode(), new.encode(), body)
    return body


def _write_feed(url: str, number: int) -> bytes:
    """A feed of six items with summaries, whose articles lie on the feed's own host."""
    host = urlsplit(url).hostname
    items = "".join(
        f"<item><title>Patent ruling {number}-{place} of the example court</title>"
        f"<link>https://{host}/a/202611/1{place}/WS69{number:020d}{place:02d}.html</link>"
        f"<pubDate>1{place} Nov 2026 09:00:00 +0800</pubDate><description>A summary.</description></item>"
        for place in range(6)
    )
    return f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Example</title>{items}</channel></rss>'.encode()


def _write_sitemap(url: str, number: int) -> bytes:
    """A sitemap of six articles under the paths that the host's articles have."""
    host = urlsplit(url).hostname or ""
    articles = "".join(
        f"<url><loc>https://{host}{ARTICLE_FOLDERS[host]}patent-ruling-{number}-{place}</loc>"
        f"<lastmod>2026-11-1{place}</lastmod></url>"
        for place in range(6)
    )
    namespace = "http://www.sitemaps.org/schemas/sitemap/0.9"
    return f'<?xml version="1.0" encoding="utf-8"?><urlset xmlns="{namespace}">{articles}</urlset>'.encode()


def _content_type(body: bytes) -> str:
    start = body.lstrip()[:5]
    if start.startswith(b"%PDF"):
        return "application/pdf"
    if start.startswith((b"{", b"[", b"json")):
        return "application/json; charset=utf-8"
    return "text/xml; charset=utf-8" if start == b"<?xml" else "text/html; charset=utf-8"


# --- The server and its access log ---


class Server(ThreadingHTTPServer):
    """Answers for every host of a `Web` and writes down what it was asked."""

    daemon_threads = True

    def __init__(self, web: Web) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.web = web
        self.log: list[Asked] = []
        self.asked_before: set[str] = set()
        self.lock = threading.Lock()

    @property
    def port(self) -> int:
        return self.server_address[1]

    def take_log(self) -> list[Asked]:
        """The lines since the last time."""
        with self.lock:
            lines, self.log = self.log, []
        return lines


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        host = (self.headers.get("Host") or "").partition(":")[0]
        url = canonicalize_url(f"https://{host}{self.path}")
        kind, status, headers, body = self._answer(host, url)
        with self.server.lock:
            if kind.startswith("article"):
                again = url in self.server.asked_before
                kind = kind.replace("article", "recheck") if again else "article, new"
                self.server.asked_before.add(url)
            self.server.log.append(Asked(host, kind, url, len(body)))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _answer(self, host: str, url: str) -> tuple[str, int, dict[str, str], bytes]:
        web = self.server.web
        if urlsplit(url).path == "/robots.txt":
            return "robots.txt", 200, {"Content-Type": "text/plain"}, _ROBOTS
        for kind, pages in (("list", web.lists), ("article", web.articles)):
            if (body := pages.get(url)) is None:
                continue
            validator, value = _validator(host, url, body)
            asked = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}.get(validator, "")
            if asked and self.headers.get(asked) == value:
                return f"{kind}, 304", 304, {validator: value}, b""
            headers = {"Content-Type": _content_type(body)} | ({validator: value} if validator else {})
            return f"{kind}, 200", 200, headers, body
        if url in web.attachments:
            return "attachment", 200, {"Content-Type": "application/octet-stream"}, _ATTACHMENT
        return "unknown", 404, {"Content-Type": "text/html"}, b"not found"

    def log_message(self, *arguments: object) -> None:
        pass


def _validator(host: str, url: str, body: bytes) -> tuple[str, str]:
    """Header and value by which a page can be asked for again; empty for pages that a program makes."""
    if urlsplit(url).query:
        return "", ""
    if host in DATED_HOSTS:
        return "Last-Modified", _DATED
    return "ETag", f'"{hashlib.sha256(body).hexdigest()[:16]}"'


@contextmanager
def serve(web: Web) -> Iterator[Server]:
    """Run the server while the crawls last."""
    with Server(web) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


# --- The crawl, in a process of its own ---


class LoopbackHandler(HTTP11DownloadHandler):
    """Speaks plain HTTP to the server's port, for http and https URLs alike; the answer keeps its URL."""

    port = 0

    async def download_request(self, request: Request) -> Response:
        parts = urlsplit(request.url)
        asked = parts._replace(scheme="http", netloc=f"{parts.hostname}:{self.port}").geturl()
        response = await super().download_request(request.replace(url=asked))
        return response.replace(url=request.url)


def run_pass(folder: Path, port: int, hosts: Sequence[str]) -> list[Outcome]:
    """Crawl all built-in sources once; what became of each."""
    LoopbackHandler.port = port
    for scheme in ("http", "https"):
        crawlers.settings.DOWNLOAD_HANDLERS[scheme] = LoopbackHandler  # type: ignore[assignment]
    for host in hosts:
        dnscache[host] = [IPv4Address("TCP", "127.0.0.1", 0)]
    configuration = Configuration(
        data=folder / "data",
        contact="benchmark@example.org",
        delay=0,
        timeout=600,  # nobody is to be given up because this machine is busy
        allowed_private=tuple(f"{host}:{port}" for host in hosts),
    )
    with forked_server() as server:
        return crawl(configuration, configuration.load_sources().values(), server=server)


def make_rechecks_due(folder: Path) -> None:
    """As if six hours had passed since every article was first seen."""
    engine = open_engine(Configuration(data=folder / "data").database_url, create=False)
    with engine.begin() as connection:
        connection.execute(update(Recheck).values(due_at=datetime.now(UTC)))
    engine.dispose()


def main() -> None:
    # That a sample's entry without a link is passed over is no news here.
    logging.getLogger("crawlers").setLevel(logging.ERROR)
    console = Console(width=136)
    sources = [source for source in load_sources().values() if source.reader != INBOX_READER]
    web = Web(sources)
    hosts = sorted(web.hosts())
    logs: list[list[Asked]] = []
    faults: list[str] = []
    with serve(web) as server, tempfile.TemporaryDirectory(prefix="iprwatch-idle-") as folder:
        for name in ("first pass", "idle pass", "idle pass with rechecks due"):
            if len(logs) == 2:
                make_rechecks_due(Path(folder))
            with ProcessPoolExecutor(1, mp_context=SPAWN) as process:
                outcomes = process.submit(run_pass, Path(folder), server.port, hosts).result()
            log = server.take_log()
            logs.append(log)
            console.print(_table(name, log, sources))
            for outcome in outcomes:
                if outcome.state != "ok":
                    faults.append(f"{name}: {outcome.source.key}: {outcome.state}: {outcome.reason}")
            faults += [f"{name}: asked for {line.url}" for line in log if line.kind == "unknown"]
            planned = sum(outcome.counts.get("rechecks", 0) for outcome in outcomes)
    first, idle, due = (Counter(line.kind for line in log) for log in logs)
    if not first["article, new"] or first["list, 304"]:
        faults.append("the first pass did not read everything in full")
    if asked := idle.total() - idle["list, 200"] - idle["list, 304"] - idle["robots.txt"]:
        faults.append(f"the idle pass asked for {asked} articles or attachments")
    rechecks = sum(due[kind] for kind in RECHECKS)
    if rechecks != planned or not planned:
        faults.append(f"{rechecks} articles were asked for again, of {planned} rechecks")
    if due.total() - rechecks != idle.total():
        faults.append(f"beside its rechecks, the third pass made {due.total() - rechecks} requests")
    sizes = [sum(line.size for line in log) for log in logs]
    console.print(
        f"The idle pass over {len(sources)} sources on {len(hosts)} hosts: {sum(idle.values())} requests "
        f"(first pass {sum(first.values())}), {sizes[1]:,} bytes (first pass {sizes[0]:,}). "
        f"Rechecks, counted apart: {rechecks}, {due['recheck, 304']} of them answered 304, "
        f"{sum(line.size for line in logs[2] if line.kind in RECHECKS):,} bytes.",
        highlight=False,
    )
    for fault in faults:
        console.print(fault, markup=False, highlight=False)
    sys.exit(1 if faults else 0)


def _table(title: str, log: Sequence[Asked], sources: Sequence[Source]) -> Table:
    """One row a host, and the totals."""
    table = Table("host", title=title)
    for column in ("sources", *COLUMNS):
        table.add_column(column, justify="right")
    watched = Counter(urlsplit(source.url).hostname or "" for source in sources)
    rows = {host: [line for line in log if line.host == host] for host in sorted({line.host for line in log})}
    for host, lines in rows.items():
        table.add_row(host, str(watched[host]), *_cells(lines))
    table.add_section()
    table.add_row("in all", str(sum(watched.values())), *_cells(log))
    return table


def _cells(lines: Sequence[Asked]) -> list[str]:
    kinds = Counter(line.kind for line in lines)
    return [*(str(kinds[kind]) for kind in KINDS), f"{sum(line.size for line in lines):,}"]


if __name__ == "__main__":
    main()
