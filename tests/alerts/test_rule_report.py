"""The monthly report on rules: what it says, when it is due, and that each recipient gets it once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select

from configuration import Configuration
from crawlers.verdicts import report_day
from pipeline.alerts import rule_trials
from pipeline.alerts.rule_report import hold_rules, is_report_due, post_report
from pipeline.alerts.rules import Recipient, Rule
from pipeline.alerts.watchlists import WatchedName
from pipeline.dates import SHANGHAI
from pipeline.store.alert_tables import RuleStart
from pipeline.store.outbox_rows import match_nothing
from pipeline.store.tables import Delivery
from pipeline.store.write import write_records
from tests.notices import make_record

NOW = datetime(2026, 12, 1, 19, 0, tzinfo=SHANGHAI)
SEND = {"send": [{"channel": "log"}]}
OPERATORS = (Recipient(channel="log"), Recipient(channel="mail", to="it@example.org"))


def rule(name: str, word: str, **keys: Any) -> Rule:
    return Rule.model_validate({"name": name, "words": [word], **SEND, **keys})


def watched(name: str) -> Rule:
    keys = {"name": f"Clients: {name}", "names": [name], "watchlist": "Clients", **SEND}
    return WatchedName.model_validate(keys)


RULES = (
    rule("Busy", "商标"), rule("Quiet", "通知"), rule("Dead", "海关"), rule("New", "专利"), watched("雾语"), watched("澄禾"),
)  # fmt: skip


@pytest.fixture
def filled(store: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Three items, and rules of which all but one are old; one event in two weeks is too much here."""
    monkeypatch.setattr(rule_trials, "NOISY", 0.1)
    bodies = ("侵害商标权纠纷一案宣判。", "关于注册商标的意见施行。", "通知：雾语公司的网站上线。")
    write_records(
        store,
        [make_record(number, title=body[:4], body=body) for number, body in enumerate(bodies, 1)],
        match_nothing,
    )
    with store.begin() as connection:
        for known in RULES:
            since = NOW.astimezone(UTC) - timedelta(days=3 if known.name == "New" else 40)
            connection.execute(
                insert(RuleStart).values(rule=known.name, started_at=since, fingerprint="x", changed_at=since)
            )
    return store


def test_it_names_what_matched_nothing_and_what_matches_too_much(filled: Engine) -> None:
    report = hold_rules(filled, RULES, NOW)
    assert (report.judged, report.too_new) == (5, 1)
    assert report.silent == ("Dead",)
    assert report.silent_names == {"Clients": (1, 2)}
    assert list(report.noisy) == ["Busy"]
    assert report.title == "5 rules: 2 matched nothing, 1 match too much"
    assert "Watchlist Clients: 1 of 2 names matched nothing" in report.lines


@pytest.mark.parametrize(
    ("day", "due"),
    [
        (date(2026, 10, 7), False),  # the National Day holiday
        (date(2026, 10, 8), True),
        (date(2026, 11, 1), False),  # a Sunday
        (date(2026, 11, 2), True),
        (date(2026, 11, 30), True),  # nothing ran before
    ],
)
def test_it_is_due_from_the_first_workday_of_a_month(store: Engine, day: date, due: bool) -> None:
    assert is_report_due(store, day) is due


def test_it_is_posted_once_a_month_to_each_recipient_whoever_posts_it(filled: Engine) -> None:
    for _ in range(2):  # two schedulers that both found it due
        post_report(filled, OPERATORS, RULES, NOW, NOW.date())
    assert not is_report_due(filled, date(2026, 12, 31))
    assert is_report_due(filled, date(2027, 1, 4))
    with filled.connect() as connection:
        rows = connection.execute(select(Delivery.channel, Delivery.text)).all()
    assert sorted(row.channel for row in rows) == ["log", "mail"]
    assert rows[0].text["title"] == "iprwatch 2026-12, 5 rules: 2 matched nothing, 1 match too much"


def test_nothing_is_posted_while_all_rules_are_new(store: Engine) -> None:
    post_report(store, OPERATORS, RULES, NOW, NOW.date())
    with store.connect() as connection:
        assert connection.execute(select(Delivery.id)).first() is None


def test_it_comes_with_what_the_day_brings(filled: Engine, tmp_path: Path) -> None:
    configuration = Configuration(
        data=tmp_path, rules=RULES[:4], channels={"log": {"kind": "console"}}, operators=OPERATORS[:1]
    )
    for _ in range(2):
        report_day(configuration, filled, NOW.astimezone(UTC))
    with filled.connect() as connection:
        events = list(connection.scalars(select(Delivery.event)))
    assert events.count("rules 2026-12") == 1
