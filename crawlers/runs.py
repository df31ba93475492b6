"""One row a run: what happened to each source in a crawl, counted from signals and judged at the end.

An exit code of Scrapy proves nothing (a crawl in which every item was lost ends `finished`), so every link that
a list showed must be accounted for; what can't be accounted for makes the run `incomplete`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Self

from scrapy import Spider, signals
from scrapy.crawler import Crawler
from scrapy.http import Response
from sqlalchemy import Engine, insert, update
from sqlalchemy.exc import DBAPIError
from twisted.python.failure import Failure

from crawlers.missing_numbers import report_missing_numbers
from crawlers.notice import ListEntry
from crawlers.source import Source
from pipeline.alerts.message import flatten
from pipeline.normalize import identify_url
from pipeline.record import Sighting
from pipeline.store.frontier import finish_walk
from pipeline.store.runs import ENDINGS, FAULTS, OK, RECHECK_ERROR, RUNNING
from pipeline.store.session import StoreError, first_line
from pipeline.store.tables import Run
from pipeline.store.unread import Failed, Unread, note_unread

STATES = (
    OK,
    "incomplete",
    "blocked",
    "changed",
    "down",
    "login expired",
    "closed by robots",
    "outside hours",
    "not recorded",
    "failed",
    "busy",
)
_PASSING = ("blocked", "down", "robots", "held", "error")
_TRIED = ("blocked", "changed", "down", "robots", "error")
_READ = ("new", "edited", "known", "filtered")
_LONGEST_MESSAGE = 1000


@dataclass(slots=True)
class Watch:
    """One source during one crawl: its run row, and the count of everything that happened.

    Counted are `list_pages`, `links`, `fresh` (links on the first page that the list had not shown before), `known
    links` (to articles that need not be asked for), `older` (skipped by --since), `asked` (articles requested) and, for
    those, each ending; apart from these `rechecks` (stored articles requested again) with endings of their own,
    `recheck unchanged` …, and `withdrawn`. `walks`: it goes back through the source's archive. `coverage` counts the
    fields of the items, `evidence` describes the page that was refused: the list's, else the first article's.

    `unread` are the articles that earlier crawls could not read, by address; None where that is remembered elsewhere
    (a walk's own memory, the inbox). Counted as `unreadable` are those of this crawl's faults that stand on their own.
    """

    source: Source
    run_id: int
    baseline: bool
    first_read: date | None = None
    walks: bool = False
    unread: Mapping[str, Unread] | None = None
    failed: dict[str, Failed] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    coverage: Counter[str] = field(default_factory=Counter)
    refusal: tuple[str, str] | None = None
    evidence: Mapping[str, Any] | None = None
    lists_open: int = 0
    faults: list[str] = field(default_factory=list)
    state: str = RUNNING
    reason: str | None = None

    def count(self, what: str, number: int = 1) -> None:
        """Add to one of the counts."""
        self.counts[what] += number

    def note(self, ending: str, message: str, evidence: Mapping[str, Any] | None = None) -> None:
        """Count how an article ended; of faults, keep the first messages."""
        self.count(ending)
        if ending in FAULTS and len(self.faults) < 20:
            self.faults.append(_one_line(message))
            self.evidence = self.evidence or evidence

    def fail(
        self,
        ending: str,
        message: str,
        entry: ListEntry,
        address: str,
        *,
        baseline: bool,
        evidence: Mapping[str, Any] | None = None,
        alone: bool = True,
    ) -> None:
        """Count how an article that was asked for ended, and remember one that could not be read.

        `alone`: it can be asked for by itself; one that its list brings whole can't."""
        self.note(ending, message, evidence)
        if self.unread is None or ending not in _TRIED:
            return
        line = asdict(entry) if alone else None
        self.failed[address] = Failed(
            address, entry.url, entry.title, ending, _one_line(message), baseline, line
        )
        if (before := self.unread.get(address)) is not None and before.stands_alone:
            self.count("unreadable")

    def refuse(self, state: str, message: str, evidence: Mapping[str, Any] | None = None) -> None:
        """A list could not be read: this is what the whole run will be judged by."""
        self.lists_open -= 1
        if self.refusal is None:
            self.refusal = (state, _one_line(message))
            self.evidence = evidence

    @property
    def heard(self) -> bool:
        """True when the lists were read as far as asked."""
        return self.refusal is None and self.counts["list_pages"] > 0 and self.lists_open == 0

    @property
    def has_walked(self) -> bool:
        """True when a walk has come to its end, and no article is left that another run could fetch."""
        left = self._missing or any(self.counts[name] for name in _PASSING)
        return self.walks and self.heard and not left

    @property
    def _missing(self) -> int:
        return self.counts["asked"] - sum(self.counts[ending] for ending in ENDINGS)

    def judge(self) -> None:
        """Set `state` and `reason` from what was counted."""
        missing = self._missing
        faults = [name for name in FAULTS if self.counts[name]]
        if self.refusal:
            self.state, self.reason = self.refusal
        elif not self.heard:
            self.state, self.reason = "incomplete", "the crawl ended before the list was read"
        elif faults:
            shown = ", ".join(f"{self.counts[name]} {name}" for name in faults)
            self.state = "incomplete"
            self.reason = (
                f"{shown} of {self.counts['asked'] + self.counts['rechecks']} articles. {self.faults[0]}"
            )
        elif missing:
            self.state = "incomplete"
            self.reason = f"{missing} of {self.counts['asked']} articles are unaccounted for"
        else:
            self.state, self.reason = OK, None


def _one_line(message: str) -> str:
    """A message that may quote a page, as a row and a screen can take it."""
    return flatten(message)[:_LONGEST_MESSAGE]


def open_watch(engine: Engine, source: Source, *, baseline: bool) -> Watch:
    """Write the run row of a source that starts to be crawled. Raises StoreError."""
    row = {
        "source_key": source.key,
        "started_at": datetime.now(UTC),
        "finished_at": None,
        "list_read_at": None,
        "state": RUNNING,
        "reason": None,
        "baseline": baseline,
        "counts": {},
        "coverage": None,
        "refusal": None,
        "verdict": None,
    }
    try:
        with engine.begin() as connection:
            run_id = connection.execute(insert(Run).values(row).returning(Run.id)).scalar_one()
    except DBAPIError as error:
        raise StoreError(f"The run of {source.key} could not be noted: {first_line(error)}.") from error
    return Watch(source, run_id, baseline)


def close_watch(engine: Engine, watch: Watch) -> None:
    """Judge a run and write its row. Raises StoreError."""
    watch.judge()
    now = datetime.now(UTC)
    values = {
        "finished_at": now,
        "list_read_at": now if watch.counts["list_pages"] else None,
        "state": watch.state,
        "reason": watch.reason,
        "counts": dict(watch.counts),
        "coverage": dict(watch.coverage) or None,
        "refusal": dict(watch.evidence) if watch.evidence else None,
    }
    try:
        with engine.begin() as connection:
            connection.execute(update(Run).where(Run.id == watch.run_id).values(values))
            if watch.unread is not None:
                others = any(watch.counts[name] for name in _READ)
                note_unread(connection, watch.source.key, watch.failed.values(), others_read=others, now=now)
    except DBAPIError as error:
        raise StoreError(f"The run of {watch.source.key} could not be noted: {first_line(error)}.") from error


def close_interrupted(engine: Engine, source_keys: Iterable[str]) -> None:
    """Close the run rows that a killed crawl of these sources left open. Only for who holds their leases.

    They stay without `finished_at`: nobody knows when the crawl ended. Raises StoreError.
    """
    values = {"state": "incomplete", "reason": "the crawl was killed before its end"}
    try:
        with engine.begin() as connection:
            connection.execute(
                update(Run).where(Run.state == RUNNING, Run.source_key.in_(list(source_keys))).values(values)
            )
    except DBAPIError as error:
        raise StoreError(f"Interrupted runs could not be closed: {first_line(error)}.") from error


class RunLedger:
    """Scrapy extension: listens to what becomes of items and pages, and closes the run rows at the end."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        listen = crawler.signals.connect
        listen(self._item_error, signals.item_error)
        listen(self._item_dropped, signals.item_dropped)
        listen(self._spider_error, signals.spider_error)
        listen(self._response, signals.response_received)
        listen(self._closed, signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def _watch(self, source_key: str | None) -> Watch | None:
        spider: Any = self._crawler.spider
        return spider.watches.get(source_key) if source_key else None

    def _item_error(self, item: Sighting, response: Response, failure: Failure) -> None:
        self._lost(item, failure.getErrorMessage(), failure.type.__name__ if failure.type else "unknown")

    def _item_dropped(self, item: Sighting, response: Response, exception: BaseException) -> None:
        self._lost(item, f"dropped: {exception}", "dropped")

    def _lost(self, item: Sighting, message: str, kind: str) -> None:
        if watch := self._watch(item.context.source_key):
            said, entry, context = f"{item.notice.url}: {message}", item.notice.entry, item.context
            if context.recheck or entry is None:
                watch.note(RECHECK_ERROR if context.recheck else "error", said)
            else:
                address = entry.identity or identify_url(entry.url)
                watch.fail("error", said, entry, address, baseline=context.baseline, alone=context.own_page)
            watch.count(f"error {kind}")

    def _spider_error(self, failure: Failure, response: Response | Failure, spider: Spider) -> None:
        # For an exception in an errback Scrapy sends the failure in the place of the response.
        asked: Any = response.request if isinstance(response, Failure) else response  # type: ignore[attr-defined]
        if watch := self._watch(asked.meta.get("source_key")):
            message = (
                f"{asked.url}: {failure.type.__name__ if failure.type else ''}: {failure.getErrorMessage()}"
            )
            if asked.meta.get("is_list"):
                watch.refuse("failed", message)
            else:
                told = asked.cb_kwargs
                if "entry" in told:
                    watch.fail("error", message, told["entry"], told["address"], baseline=told["baseline"])
                else:
                    watch.note(RECHECK_ERROR if asked.meta.get("is_recheck") else "error", message)
                watch.count(f"error {failure.type.__name__ if failure.type else 'unknown'}")

    def _response(self, response: Response) -> None:
        if watch := self._watch(response.meta.get("source_key")):
            watch.count("bytes", len(response.body))
            watch.count(f"http {response.status}")

    def _closed(self) -> None:
        spider: Any = self._crawler.spider
        for watch in spider.watches.values():
            try:
                if watch.heard and not watch.baseline:
                    report_missing_numbers(spider.engine, spider.configuration.operators, watch)
                close_watch(spider.engine, watch)
                if watch.has_walked:
                    finish_walk(spider.engine, watch.source.key)
            except StoreError as error:
                watch.state, watch.reason = "failed", str(error)
        spider.engine.dispose()
