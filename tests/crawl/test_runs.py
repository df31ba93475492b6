"""Runs: green only when all was heard and every article is accounted for, whatever happened in between."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem
from scrapy.http import HtmlResponse
from sqlalchemy import Engine, select, text
from twisted.python.failure import Failure

from crawlers.runs import STATES, RunLedger, Watch, close_watch, open_watch
from crawlers.source import Source
from pipeline.record import Sighting
from pipeline.store.runs import OK
from pipeline.store.session import StoreError
from pipeline.store.tables import Run
from tests.notices import CONTEXT, make_notice, make_record

KEY = CONTEXT.source_key
SOURCE = Source(
    key=KEY, reader="court_gov", url="https://www.court.gov.cn/fabu/gengduo/16.html", name_zh="例",
    name_en="Example", publisher_zh="例", publisher_en="Example", topics=(), crontab="0 9 * * *", least=0,
    proven=False,
)  # fmt: skip
GOOD = ("new", "edited", "known", "gone", "not recorded")
BAD = ("blocked", "changed", "down", "robots", "error")


def watched(**counts: int) -> Watch:
    """A watch whose list was read, with these counts."""
    watch = Watch(SOURCE, 1, baseline=False)
    watch.count("list_pages")
    for name, number in counts.items():
        watch.count(name, number)
    return watch


def judged(watch: Watch) -> tuple[str, str | None]:
    watch.judge()
    assert watch.state in STATES
    return watch.state, watch.reason


# --- Judging ---


def test_a_list_without_news_is_ok() -> None:
    assert judged(watched(links=20, **{"known links": 20})) == (OK, None)


def test_articles_that_all_came_are_ok() -> None:
    assert judged(watched(asked=5, new=2, known=1, edited=1, gone=1)) == (OK, None)


@pytest.mark.parametrize("fault", BAD)
def test_one_article_that_failed_makes_the_run_incomplete_and_is_quoted(fault: str) -> None:
    watch = watched(asked=2, new=1)
    watch.note(fault, "https://x.cn/1: it said no")
    state, reason = judged(watch)
    assert state == "incomplete"
    assert reason == f"1 {fault} of 2 articles. https://x.cn/1: it said no"


def test_an_article_of_which_nothing_was_heard_makes_the_run_incomplete() -> None:
    assert judged(watched(asked=3, new=2)) == ("incomplete", "1 of 3 articles are unaccounted for")


def test_a_crawl_that_never_came_to_its_list_is_incomplete() -> None:
    assert judged(Watch(SOURCE, 1, baseline=False))[0] == "incomplete"


def test_a_list_page_that_is_still_awaited_makes_the_run_incomplete() -> None:
    watch = watched(asked=1, new=1)
    watch.lists_open = 1
    assert judged(watch) == ("incomplete", "the crawl ended before the list was read")


def test_a_refused_list_decides_whatever_else_went_well() -> None:
    watch = watched(asked=1, new=1)
    watch.lists_open = 2
    watch.refuse("blocked", "a challenge")
    watch.refuse("down", "later")
    assert judged(watch) == ("blocked", "a challenge")
    assert not watch.heard


@given(
    asked=st.integers(0, 6),
    endings=st.dictionaries(st.sampled_from(GOOD + BAD), st.integers(0, 3)),
    pages=st.integers(0, 2),
    lists_open=st.integers(0, 1),
    refused=st.booleans(),
)
def test_green_is_only_what_was_heard_and_accounted_for(
    asked: int, endings: dict[str, int], pages: int, lists_open: int, refused: bool
) -> None:
    watch = Watch(SOURCE, 1, baseline=False, lists_open=lists_open)
    watch.count("list_pages", pages)
    watch.count("asked", asked)
    for ending, number in endings.items():
        for _ in range(number):
            watch.note(ending, "why")
    if refused:
        watch.lists_open += 1
        watch.refuse("changed", "why")
    state, reason = judged(watch)
    well = (
        pages > 0
        and lists_open == 0
        and not refused
        and asked == sum(endings.values())
        and not any(endings.get(ending) for ending in BAD)
    )
    assert (state == OK) is well
    assert (reason is None) is well


def test_a_message_that_quotes_a_page_is_one_short_line() -> None:
    watch = watched(asked=1)
    watch.note("error", "first\nforged line\x00\ud800" + "x" * 10_000)
    _, reason = judged(watch)
    assert reason is not None
    assert reason.startswith("1 error of 1 articles. first forged line")
    assert len(reason) < 1100
    assert reason.encode()
    assert "\x00" not in reason


def test_many_faults_are_counted_but_not_all_kept() -> None:
    watch = watched(asked=1000)
    for _ in range(1000):
        watch.note("down", "x")
    assert watch.counts["down"] == 1000
    assert len(watch.faults) <= 20


# --- Rows ---


def row(engine: Engine) -> Any:
    with engine.connect() as connection:
        return connection.execute(select(Run)).one()


def test_a_run_has_a_row_from_its_start(engine: Engine) -> None:
    watch = open_watch(engine, SOURCE, baseline=True)
    found = row(engine)
    assert (found.id, found.source_key, found.state, found.baseline) == (watch.run_id, KEY, "running", True)
    assert (found.finished_at, found.list_read_at) == (None, None)


def test_a_run_that_was_heard_says_so_in_its_row(engine: Engine) -> None:
    watch = open_watch(engine, SOURCE, baseline=False)
    watch.count("list_pages")
    close_watch(engine, watch)
    found = row(engine)
    assert (found.state, found.reason, found.counts) == (OK, None, {"list_pages": 1})
    assert found.finished_at == found.list_read_at is not None


def test_a_run_that_was_not_heard_does_not_end_the_baseline(engine: Engine) -> None:
    watch = open_watch(engine, SOURCE, baseline=True)
    watch.lists_open = 1
    watch.refuse("down", "no answer\x00")
    close_watch(engine, watch)
    found = row(engine)
    assert (found.state, found.reason, found.list_read_at) == ("down", "no answer", None)


def test_a_run_that_cannot_be_noted_is_a_store_error_that_names_the_source(engine: Engine) -> None:
    watch = open_watch(engine, SOURCE, baseline=False)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE run RENAME TO elsewhere"))
    for write in (lambda: open_watch(engine, SOURCE, baseline=False), lambda: close_watch(engine, watch)):
        with pytest.raises(StoreError, match=KEY):
            write()


# --- The ledger, through a crawler's own signals ---


class Crawl:
    """A crawler with our extension on it, whose signals a test sends as Scrapy does."""

    def __init__(self, engine: Engine) -> None:
        self.crawler = Crawler(Spider)
        # Signals hold their listeners weakly; Scrapy keeps its extensions, so we do.
        self.ledger = RunLedger.from_crawler(self.crawler)
        self.engine = engine
        self.watch = open_watch(engine, SOURCE, baseline=False)
        self.watch.count("list_pages")
        self.other = open_watch(engine, SOURCE.model_copy(update={"key": "court_other"}), baseline=False)
        self.other.count("list_pages")
        self.spider: Any = SimpleNamespace(
            watches={KEY: self.watch, "court_other": self.other},
            engine=engine,
            configuration=SimpleNamespace(operators=()),
        )
        self.crawler.spider = self.spider

    def send(self, signal: object, **told: Any) -> None:
        results = self.crawler.signals.send_catch_log(signal=signal, spider=self.spider, **told)
        assert results
        assert not [result for _, result in results if isinstance(result, Failure)]

    def close(self) -> tuple[str, str | None]:
        self.send(signals.spider_closed, reason="finished")
        return self.watch.state, self.watch.reason


@pytest.fixture
def crawl(engine: Engine) -> Crawl:
    return Crawl(engine)


def response(*, is_list: bool = False, source_key: str | None = KEY) -> HtmlResponse:
    request = Request("https://x.cn/1", meta={"source_key": source_key, "is_list": is_list})
    return HtmlResponse(request.url, body=b"12345", request=request)


def failure(error: Exception) -> Failure:
    try:
        raise error
    except type(error):
        return Failure()


@pytest.mark.parametrize("item", [Sighting(make_notice(1), CONTEXT, None), make_record(1)])
def test_an_item_that_a_step_lost_makes_its_own_source_incomplete(crawl: Crawl, item: Any) -> None:
    crawl.watch.count("asked")
    crawl.send(signals.item_error, item=item, response=response(), failure=failure(ValueError("no title")))
    state, reason = crawl.close()
    assert (state, crawl.other.state) == ("incomplete", OK)
    assert reason == f"1 error of 1 articles. {item.notice.url}: no title"


def test_an_item_that_was_dropped_makes_the_run_incomplete(crawl: Crawl) -> None:
    crawl.watch.count("asked")
    crawl.send(
        signals.item_dropped, item=make_record(1), response=response(), exception=DropItem("not wanted")
    )
    state, reason = crawl.close()
    assert state == "incomplete"
    assert reason is not None
    assert "dropped: not wanted" in reason


def test_a_callback_that_failed_on_an_article_makes_the_run_incomplete(crawl: Crawl) -> None:
    crawl.watch.count("asked")
    crawl.send(signals.spider_error, failure=failure(KeyError("zoom")), response=response())
    assert crawl.close() == ("incomplete", "1 error of 1 articles. https://x.cn/1: KeyError: 'zoom'")


def test_a_callback_that_failed_on_a_list_makes_the_run_failed(crawl: Crawl) -> None:
    crawl.watch.lists_open = 1
    crawl.send(signals.spider_error, failure=failure(KeyError("ul")), response=response(is_list=True))
    assert crawl.close()[0] == "failed"


@pytest.mark.parametrize(("is_list", "state"), [(True, "failed"), (False, "incomplete")])
def test_an_errback_that_failed_counts_as_well(crawl: Crawl, is_list: bool, state: str) -> None:
    unanswered: Any = failure(TimeoutError("no answer"))
    unanswered.request = response(is_list=is_list).request
    crawl.watch.count("asked", int(not is_list))
    crawl.watch.lists_open = int(is_list)
    crawl.send(signals.spider_error, failure=failure(KeyError("x")), response=unanswered)
    assert crawl.close()[0] == state


def test_answers_are_counted_for_their_source(crawl: Crawl) -> None:
    crawl.send(signals.response_received, response=response(), request=None)
    crawl.send(signals.response_received, response=response(source_key=None), request=None)
    assert (crawl.watch.counts["bytes"], crawl.watch.counts["http 200"]) == (5, 1)
    assert crawl.other.counts["bytes"] == 0


def test_what_belongs_to_no_watched_source_disturbs_nothing(crawl: Crawl) -> None:
    stranger = replace(CONTEXT, source_key="spp_unknown")
    crawl.send(
        signals.item_error,
        item=Sighting(make_notice(1), stranger, None),
        response=None,
        failure=failure(ValueError("x")),
    )
    crawl.send(signals.spider_error, failure=failure(ValueError("x")), response=response(source_key=None))
    assert crawl.close() == (OK, None)


def test_every_run_is_judged_and_noted_at_the_end(crawl: Crawl, engine: Engine) -> None:
    crawl.watch.count("asked")
    crawl.close()
    with engine.connect() as connection:
        states = {run.source_key: run.state for run in connection.execute(select(Run.source_key, Run.state))}
    assert states == {KEY: "incomplete", "court_other": OK}


def test_a_run_that_cannot_be_noted_is_not_green(crawl: Crawl, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE run RENAME TO elsewhere"))
    state, reason = crawl.close()
    assert state == "failed"
    assert "could not be noted" in str(reason)
    assert crawl.other.state == "failed"


def test_times_are_those_of_the_clock_in_utc(engine: Engine) -> None:
    before = datetime.now(UTC)
    close_watch(engine, open_watch(engine, SOURCE, baseline=False))
    found = row(engine)
    assert before <= found.started_at <= found.finished_at <= datetime.now(UTC)
    assert found.started_at.utcoffset() == found.finished_at.utcoffset() == UTC.utcoffset(None)
