"""Articles that can't be read: a fault of their source until others could be, then their own, until a person decides."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, select

from crawlers.notice import ListEntry
from crawlers.runs import close_watch, open_watch
from errors import ConfigurationError
from pipeline.alerts.rules import Recipient
from pipeline.health.ledger import Alarm, Watched, judge_runs
from pipeline.health.status import SourceStatus, read_status
from pipeline.health.summary import describe_unwell
from pipeline.store.tables import Delivery, Run
from pipeline.store.unread import TRIES, read_unread, set_aside, take_back
from pipeline.store.write import write_records
from tests.crawl.test_runs import KEY, SOURCE
from tests.notices import make_record

WATCHED = {KEY: Watched(KEY, "例 (Example)", "例", lambda _moment: None)}
ALARM = Alarm((Recipient(channel="log"),), after=2)
EMPTY, OTHER = (
    "https://www.court.gov.cn/fabu/xiangqing/1.html",
    "https://www.court.gov.cn/fabu/xiangqing/2.html",
)


def crawl(engine: Engine, failing: Sequence[str] = (), *, read: int = 0) -> str:
    """A crawl in which these articles can't be read and so many others are; its verdict."""
    watch = open_watch(engine, SOURCE, baseline=False)
    watch.unread = {article.address: article for article in read_unread(engine, KEY)}
    watch.count("list_pages")
    watch.count("asked", len(failing) + read)
    watch.count("known", read)
    for place, url in enumerate(failing):
        watch.fail("changed", f"{url}: no body", ListEntry(url, "空", None, place), url, baseline=False)
    close_watch(engine, watch)
    judge_runs(engine, WATCHED, ALARM)
    with engine.connect() as connection:
        return connection.scalars(select(Run.verdict).order_by(Run.id.desc())).first() or ""


def status(engine: Engine) -> SourceStatus:
    (one,) = read_status(engine, WATCHED.values(), datetime.now(UTC))
    return one


def unwell(engine: Engine) -> list[str]:
    return [line for line in describe_unwell([status(engine)], datetime.now(UTC).date()) if KEY in line]


def test_an_article_that_can_not_be_read_stands_on_its_own_once_others_could(engine: Engine) -> None:
    assert [crawl(engine, [EMPTY]) for _ in range(TRIES + 1)] == ["incomplete"] * (TRIES + 1)
    assert crawl(engine, [EMPTY], read=1) == "incomplete"
    assert crawl(engine, [EMPTY]) == "quiet as usual"
    with engine.connect() as connection:
        texts = connection.scalars(select(Delivery.text).order_by(Delivery.created_at, Delivery.id)).all()
    assert [text["title"] for text in texts if text] == [
        f"{KEY}: incomplete (articles)",
        f"{KEY} is well again",
    ]
    day = status(engine).since
    assert f"One article can't be read since {day}: {EMPTY}." in str(texts[1])
    assert unwell(engine) == [f"{KEY}: One article can't be read since {day}: {EMPTY}"]
    # A second one is a trouble of the source again, and so is a fault that is none of an article.
    assert crawl(engine, [EMPTY, OTHER]) == "incomplete"


def test_what_was_read_in_the_end_is_forgotten(engine: Engine) -> None:
    crawl(engine, [EMPTY])
    record = make_record(1, url=EMPTY)
    crawl(engine, [record.addresses[0]])
    assert len(read_unread(engine)) == 2
    write_records(engine, [record])
    crawl(engine)
    assert [article.url for article in read_unread(engine)] == [EMPTY]
    # Nothing else would say so now that its list doesn't show it any more.
    assert status(engine).is_well
    assert EMPTY in unwell(engine)[0]


def test_what_a_person_sets_aside_is_shown_with_the_reason_until_it_is_taken_back(engine: Engine) -> None:
    with pytest.raises(ConfigurationError, match="is waiting to be read"):
        set_aside(engine, EMPTY, "a stub", datetime.now(UTC))
    crawl(engine, [EMPTY])
    with pytest.raises(ConfigurationError, match="say why"):
        set_aside(engine, EMPTY, " ", datetime.now(UTC))
    (article,) = set_aside(engine, EMPTY, "a stub", datetime.now(UTC))
    assert (article.is_set_aside, article.set_aside_reason) == (True, "a stub")
    crawl(engine)
    (line,) = unwell(engine)
    assert "set aside since" in line
    assert line.endswith(f"(a stub): {EMPTY}")
    assert [article.is_set_aside for article in take_back(engine, EMPTY)] == [False]
    with pytest.raises(ConfigurationError, match="is set aside"):
        take_back(engine, EMPTY)
