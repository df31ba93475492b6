"""What a rule would have matched: the items and events that a crawl would have told, with the sentence."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Engine

from crawlers.notice import Attachment, PrintedDate
from pipeline.alerts.rule_trials import count_told, try_rules
from pipeline.alerts.rules import Rule, Rules
from pipeline.expression import read_query
from pipeline.store.write import write_records
from query.search import search_items
from tests.notices import make_record
from tests.stories import record_of

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def rule(name: str = "r", **asked: Any) -> Rule:
    return Rule.model_validate({"name": name, "send": [{"channel": "log"}], **asked})


def test_items_events_weeks_and_examples_are_those_of_the_last_days(store: Engine) -> None:
    days = ("2026-11-19", "2026-11-11", "2026-11-10", "2025-01-01")
    bodies = ("商標侵權。", "原告主张商标权。被告否认。", "专利。", "商标。")
    write_records(
        store,
        [
            make_record(
                number, title="通知", body=f"{number}。{body}", dates=(PrintedDate(day, "list entry"),)
            )
            for number, (day, body) in enumerate(zip(days, bodies, strict=True), start=1)
        ],
    )
    held, (trial, lists, nothing) = try_rules(
        store,
        [rule(query="商标", events=["edited"]), rule(words=["商标"]), rule(query="域名")],
        now=NOW, days=90, examples=1,
    )  # fmt: skip
    assert held == 3
    assert (trial.items, trial.events) == (2, 2)
    assert trial.weeks == ((date(2026, 11, 16), 1), (date(2026, 11, 9), 1))
    assert [(one.published_on, one.matched) for one in trial.examples] == [
        (date(2026, 11, 19), "【商標】侵權。")
    ]
    assert lists.items == 1
    assert (nothing.items, nothing.weeks, nothing.examples) == (0, (), ())


def test_several_reports_of_one_event_are_one(store: Engine) -> None:
    write_records(store, [record_of("report"), record_of("reprint")])
    _, (trial,) = try_rules(store, [rule(query="茶叶")], now=NOW, days=90)
    assert (trial.items, trial.events) == (2, 1)


def test_a_trial_matches_what_the_crawl_told_and_the_search_finds(store: Engine) -> None:
    query = "附件商标 OR 赔偿 publisher:最高法"
    files = (Attachment("https://example.org/a.pdf", "a", text="附件商標注册证"),)
    records = [
        make_record(1),
        make_record(2, body="无关。", title="通知", attachments=files),
        make_record(3, body="无关"),
    ]
    matched = [record for record in records if list(Rules([rule(query=query)])(record, "new"))]
    write_records(store, records)
    _, (trial,) = try_rules(store, [rule(query=query)], now=NOW, days=90)
    assert trial.items == len(matched) == search_items(store, read_query(query)).total == 2


def test_nothing_was_told_before_an_alert_is_sent(store: Engine) -> None:
    write_records(store, [make_record(1)], Rules([rule()]))
    assert count_told(store) == {}
