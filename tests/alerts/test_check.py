"""The daily check: what was matched is held against what was delivered, and what isn't accounted for is named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, delete, update

from crawlers.stored import read_stored
from pipeline.alerts.check import PATIENCE, Check, check_alerts
from pipeline.alerts.rule_starts import remember_rules
from pipeline.alerts.rules import Recipient, Rule, Rules
from pipeline.store.alert_tables import Attempt
from pipeline.store.tables import Delivery
from tests.alerts.test_bundle import DIGEST, TUESDAY, of_items, rule, send, store
from tests.alerts.test_outbox import BUSY, Sender

AFTER = TUESDAY + timedelta(days=1)


def check(engine: Engine, rules: list[Rule], now: datetime = AFTER) -> Check:
    matcher = Rules(rules)
    return check_alerts(
        engine,
        rules,
        lambda connection, item_id: matcher(read_stored(connection, item_id), "new"),
        now.astimezone(UTC),
    )


def remember(engine: Engine, rules: list[Rule]) -> None:
    remember_rules(engine, {one.name: one.fingerprint for one in rules})


@pytest.fixture
def rules(engine: Engine) -> list[Rule]:
    rules = [rule("Trademarks", Recipient(channel="log"), Recipient(channel="log", to="b"))]
    remember(engine, rules)
    store(engine, [1, 2], rules)
    return rules


def test_all_is_accounted_for_when_everything_was_sent(engine: Engine, rules: list[Rule]) -> None:
    send(engine, TUESDAY, rules, Sender())
    found = check(engine, rules)
    assert found.is_well
    assert (found.items, found.matches, found.states) == (2, 4, {"sent": 4})
    assert found.as_line() == (
        "Alerts: all accounted for; 2 items tried, 4 matches; 4 sent, 0 waiting, 0 held back, 0 given up"
    )


def test_an_alert_that_is_not_in_the_ledger_is_missing(engine: Engine, rules: list[Rule]) -> None:
    send(engine, TUESDAY, rules, Sender())
    lost = next(row for row in of_items(engine) if row.recipient == "b")
    with engine.begin() as connection:
        connection.execute(delete(Attempt).where(Attempt.delivery_id == lost.id))
        connection.execute(delete(Delivery).where(Delivery.id == lost.id))
    found = check(engine, rules)
    assert [(one.rule, one.recipient) for one in found.missing] == [("Trademarks", "b")]
    assert not found.is_well
    assert "1 missing" in found.as_line()


def test_what_was_stored_before_a_rule_was_changed_is_not_missing(engine: Engine, rules: list[Rule]) -> None:
    changed = [rule("Trademarks", Recipient(channel="log", to="somebody new"))]
    remember(engine, changed)
    send(engine, TUESDAY, rules, Sender())
    assert check(engine, changed).is_well


def test_what_is_due_and_not_sent_is_overdue_after_a_while(engine: Engine, rules: list[Rule]) -> None:
    assert check(engine, rules, TUESDAY + PATIENCE).is_well
    assert len(check(engine, rules, TUESDAY + PATIENCE + timedelta(seconds=1)).overdue) == 4


def test_what_waits_for_its_digest_or_its_next_try_is_accounted_for(engine: Engine) -> None:
    rules = [rule("Trademarks", DIGEST, Recipient(channel="log", to="b"))]
    remember(engine, rules)
    store(engine, [1], rules)
    send(engine, TUESDAY, rules, Sender(lambda _message: BUSY))
    found = check(engine, rules, TUESDAY)
    assert found.is_well
    assert found.states == {"due": 2}


def test_a_digest_proves_what_it_carried_and_an_alert_outside_of_it_is_without_proof(engine: Engine) -> None:
    rules = [rule("Trademarks", DIGEST)]
    remember(engine, rules)
    store(engine, [1, 2], rules)
    send(engine, AFTER, rules, Sender())
    assert check(engine, rules, AFTER).is_well
    first = of_items(engine)[0].id
    with engine.begin() as connection:
        connection.execute(
            update(Delivery)
            .where(Delivery.id == first)
            .values(message_id=None, sent_at=AFTER.astimezone(UTC) + timedelta(seconds=1))
        )
    assert check(engine, rules, AFTER).unproved == [first]


def test_an_alert_that_its_message_left_behind_is_astray(engine: Engine) -> None:
    rules = [rule("Trademarks", DIGEST)]
    remember(engine, rules)
    store(engine, [1], rules)
    send(engine, AFTER, rules, Sender())
    with engine.begin() as connection:
        connection.execute(
            update(Delivery).where(Delivery.item_id.is_not(None)).values(state="bundled", sent_at=None)
        )
    assert check(engine, rules, AFTER).astray == [of_items(engine)[0].id]
