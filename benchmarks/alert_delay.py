"""How long is an alert under way?  python -m benchmarks.alert_delay --minutes 10

`python scheduler.py` runs in a process of its own, as an operator would run it, on one source on loopback: a feed that
is due each minute and that has `--articles` new ones each time it is asked for, with their texts. One rule tells all of
them at once to a webhook on loopback.

Measured is the time from a row of the outbox to the arrival of its message. A row bears the moment at which it was
written, a little before its transaction is committed, so the figures are rather too long. Exit code 1 when the 95th
percentile is 5 seconds or more, or when an alert did not arrive.
"""

from __future__ import annotations

import argparse
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random

from rich.console import Console
from sqlalchemy import select

from benchmarks.alert_kills import open_database
from benchmarks.loopback_webhook import SECRET, Arrival, open_webhook
from pipeline.store.session import open_engine
from pipeline.store.tables import Delivery

ROOT = Path(__file__).resolve().parent.parent
PROMISED = 5.0
"""Seconds within which 95 of 100 alerts are to arrive."""
SETTLE = 15.0  # seconds for what was stored last
CONFIGURATION = """data = "data"
database = "{database}"
built_in_sources = false
source_files = ["sources.toml"]
contact = "benchmark@example.org"
delay = 0
allowed_private = ["{webhook}", "{feed}"]
[channels.desk]
kind = "webhook"
secret = {{ file = "secret" }}
[[rules]]
name = "All"
storm = 0
send = [{{ channel = "desk", to = "http://{webhook}/" }}]
"""
SOURCE = """
[media_benchmark]
reader = "feed"
url = "http://{feed}/feed.xml"
name_zh = "快讯"
name_en = "News"
publisher_zh = "某报"
publisher_en = "A paper"
topics = ["news"]
crontab = "* * * * *"
least = 1
proven = true
"""
_ITEM = (
    "<item><title>{title}</title><guid isPermaLink='false'>{number}</guid><link>http://{place}/{number}.html</link>"
    "<pubDate>{date}</pubDate><content:encoded>{text}</content:encoded></item>"
)
_FEED = (
    '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" '
    'xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>快讯</title>'
    "<link>http://{place}/</link><description>快讯</description>{items}</channel></rss>"
)
_SHOWN = 60  # items


class FeedServer(ThreadingHTTPServer):
    """A feed with `articles` more each time that it is asked for, the newest first."""

    daemon_threads = True

    def __init__(self, articles: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._articles = articles
        self._random = Random(1)
        self._items: list[str] = []
        self._number = 0
        self._lock = threading.Lock()

    @property
    def place(self) -> str:
        """Its host and port."""
        return f"127.0.0.1:{self.server_address[1]}"

    def write_feed(self) -> str:
        """The feed, with new articles."""
        with self._lock:
            for _ in range(self._articles):
                self._number += 1
                text = "".join(chr(self._random.randint(0x4E00, 0x9000)) for _ in range(300))
                now = format_datetime(datetime.now(UTC))
                item = _ITEM.format(
                    title=text[:15], number=self._number, place=self.place, date=now, text=text
                )
                self._items.insert(0, item)
            return _FEED.format(place=self.place, items="".join(self._items[:_SHOWN]))


class _Handler(BaseHTTPRequestHandler):
    server: FeedServer

    def do_GET(self) -> None:
        is_feed = self.path == "/feed.xml"
        body = self.server.write_feed().encode() if is_feed else b""
        self.send_response(200 if is_feed else 404)
        self.send_header("Content-Type", "application/rss+xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Nothing on the screen."""


@contextmanager
def open_feed(articles: int) -> Iterator[FeedServer]:
    """A feed on a free port of 127.0.0.1."""
    with FeedServer(articles) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def measure(database: str, folder: Path, minutes: float, articles: int) -> tuple[list[float], int]:
    """The delays of the alerts that arrived, in seconds, and how many did not."""
    with open_feed(articles) as feed, open_webhook(lambda: "ok") as webhook:
        configuration = CONFIGURATION.format(database=database, webhook=webhook.place, feed=feed.place)
        (folder / "iprwatch.toml").write_text(configuration, "utf-8")
        (folder / "sources.toml").write_text(SOURCE.format(feed=feed.place), "utf-8")
        (folder / "secret").write_text(SECRET, "utf-8")
        process = subprocess.Popen([sys.executable, str(ROOT / "scheduler.py")], cwd=folder)
        try:
            time.sleep(minutes * 60)
            # What is being crawled at this moment is stored, and then sent.
            time.sleep(SETTLE)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()
        return _hold(database, webhook.arrivals)


def _hold(database: str, arrivals: list[Arrival]) -> tuple[list[float], int]:
    came: dict[str, datetime] = {}
    for arrival in arrivals:
        came.setdefault(arrival.id, arrival.at)
    engine = open_engine(database)
    with engine.connect() as connection:
        rows = connection.execute(select(Delivery.id, Delivery.created_at)).all()
    engine.dispose()
    delays = [(came[row.id] - row.created_at).total_seconds() for row in rows if row.id in came]
    return delays, len(rows) - len(delays)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--minutes", type=float, default=10)
    arguments.add_argument("--articles", type=int, default=10, help="new ones each minute")
    arguments.add_argument(
        "--postgresql", help="postgresql://USER:PASSWORD@HOST/DATABASE, in place of SQLite"
    )
    given = arguments.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="iprwatch-delay-") as folder,
        open_database(given.postgresql, Path(folder)) as database,
    ):
        delays, missing = measure(database, Path(folder), given.minutes, given.articles)
    if len(delays) < 2:
        sys.exit(f"{len(delays)} alerts arrived, {missing} did not")
    hundredths = statistics.quantiles(delays, n=100, method="inclusive")
    Console().print(
        f"{database.partition(':')[0]}: {len(delays)} alerts arrived, {missing} did not; seconds from row to arrival: "
        f"median {hundredths[49]:.2f}, p95 {hundredths[94]:.2f}, most {max(delays):.2f}"
    )
    sys.exit(1 if missing or hundredths[94] >= PROMISED else 0)


if __name__ == "__main__":
    main()
