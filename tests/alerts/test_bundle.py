"""Digests, quiet hours, storms, escalation and rules' starts in the outbox, on both databases, by a clock of the test."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from loopback import Said, serve
from sqlalchemy import Engine, func, insert, select, update

from errors import ConfigurationError
from pipeline.alerts.bundle import write_empty_digests
from pipeline.alerts.channels import Message, build_channel
from pipeline.alerts.escalation import acknowledge
from pipeline.alerts.outbox import CLAIM, Report, deliver
from pipeline.alerts.resend import NoSuchAlert, resend
from pipeline.alerts.rule_starts import remember_rules
from pipeline.alerts.rules import Recipient, Rule, Rules, check_recipients, check_told_at_once
from pipeline.alerts.watchlists import WatchedName
from pipeline.store.tables import Delivery, Run
from pipeline.store.write import write_records
from query.why import explain_alerts
from tests.alerts.test_outbox import BUSY, REFUSED, Killed, Sender, rows
from tests.notices import make_record

SHANGHAI = ZoneInfo("Asia/Shanghai")
TUESDAY = datetime(2026, 11, 24, 9, 0, tzinfo=SHANGHAI)
DIGEST = Recipient(channel="log", digest="0 8 * * *")


def rule(name: str = "Trademarks", *send: Recipient, **keys: Any) -> Rule:
    return Rule.model_validate(
        {"name": name, "words": ["商标"], "send": send or (Recipient(channel="log"),), **keys}
    )


def store(engine: Engine, numbers: Iterable[int], rules: Sequence[Rule], written: datetime = TUESDAY) -> None:
    """Store items whose alerts were written at this time."""
    with engine.begin() as connection:
        if connection.execute(select(Run.id)).first() is None:
            connection.execute(
                insert(Run).values(
                    id=1, source_key="court_spc_interpretations", started_at=datetime.now(UTC), finished_at=None,
                    list_read_at=None, state="running", reason=None, baseline=False, counts={},
                )
            )  # fmt: skip
    known = {row.id for row in rows(engine)}
    write_records(engine, [make_record(number) for number in numbers], Rules(rules))
    with engine.begin() as connection:
        connection.execute(
            update(Delivery)
            .where(Delivery.id.not_in(known))
            .values(created_at=written.astimezone(UTC), next_at=written.astimezone(UTC))
        )


def send(engine: Engine, now: datetime, rules: Sequence[Rule], sender: Sender, **others: Sender) -> Report:
    return deliver(engine, {"log": sender, **others}, rules=rules, clock=lambda: now.astimezone(UTC))


def of_items(engine: Engine) -> list[Any]:
    return [row for row in rows(engine) if row.item_id is not None]


def listed(message: Message) -> list[str]:
    return [entry.id for entry in message.entries or ()]


# --- Digests ---


def test_a_digest_waits_for_its_time_and_holds_all_that_was_written_until_then(engine: Engine) -> None:
    rules = [rule("Trademarks", DIGEST), rule("More", DIGEST)]
    sender = Sender()
    store(engine, [1, 2], rules)
    assert send(engine, TUESDAY, rules, sender) == Report()
    assert {row.detail for row in rows(engine)} == {"waits: for the digest, 2026-11-25 08:00 Asia/Shanghai"}
    store(engine, [3], rules, TUESDAY + timedelta(hours=5))
    send(engine, TUESDAY.replace(day=25, hour=8), rules, sender)
    ((message, _),) = sender.got
    assert sorted(listed(message)) == sorted(row.id for row in of_items(engine))
    assert [entry.rule for entry in message.entries or ()] == ["More"] * 3 + ["Trademarks"] * 3
    assert (message.entries or ())[0].sentence is not None


def test_each_alert_in_a_digest_says_when_it_was_sent_and_in_which_message(engine: Engine) -> None:
    rules = [rule("Trademarks", DIGEST)]
    sender = Sender()
    store(engine, [1, 2], rules)
    later = TUESDAY + timedelta(days=1)
    send(engine, later, rules, sender)
    assert [(row.state, row.sent_at, row.message_id) for row in of_items(engine)] == [
        ("sent", later, sender.ids[0])
    ] * 2
    assert send(engine, later + timedelta(days=1), rules, sender) == Report()


def test_a_digest_that_fails_is_repeated_under_its_id_and_what_came_since_goes_in_the_next(
    engine: Engine,
) -> None:
    rules = [rule("Trademarks", DIGEST)]
    store(engine, [1], rules)
    later = TUESDAY + timedelta(days=1)
    failing, sender = Sender(lambda _message: BUSY), Sender()
    send(engine, later, rules, failing)
    assert [row.state for row in of_items(engine)] == ["bundled"]
    store(engine, [2], rules, later)
    send(engine, later + timedelta(days=1), rules, sender)
    assert failing.ids[0] in sender.ids
    assert len(sender.ids) == 2
    assert {row.state for row in rows(engine)} == {"sent"}
    assert sorted(id for message, _ in sender.got for id in listed(message)) == sorted(
        row.id for row in of_items(engine)
    )


def test_a_digest_whose_sender_is_killed_comes_twice_under_one_id_with_the_same_entries(
    engine: Engine,
) -> None:
    rules = [rule("Trademarks", DIGEST)]
    store(engine, [1, 2], rules)
    later = TUESDAY + timedelta(days=1)

    def die(_message: Message) -> Any:
        raise Killed

    dead, sender = Sender(die), Sender()
    with pytest.raises(Killed):
        send(engine, later, rules, dead)
    store(engine, [3], rules, later)
    send(engine, later + CLAIM, rules, sender)
    assert sender.ids == dead.ids
    assert listed(sender.got[0][0]) == listed(dead.got[0][0])


def test_an_alert_that_may_have_reached_somebody_never_goes_into_a_digest(engine: Engine) -> None:
    at_once, collected = [rule()], [rule("Trademarks", DIGEST)]
    store(engine, [1], at_once)

    def die(_message: Message) -> Any:
        raise Killed

    dead, sender = Sender(die), Sender()
    with pytest.raises(Killed):
        send(engine, TUESDAY, at_once, dead)
    send(engine, TUESDAY + CLAIM, collected, sender)
    assert sender.ids == dead.ids
    assert sender.got[0][0].entries is None


def test_a_digest_that_is_given_up_gives_up_its_alerts_and_is_sent_again_whole(engine: Engine) -> None:
    rules = [rule("Trademarks", DIGEST)]
    store(engine, [1, 2], rules)
    later = TUESDAY + timedelta(days=1)
    refusing, sender = Sender(lambda _message: REFUSED), Sender()
    send(engine, later, rules, refusing)
    assert [row.state for row in rows(engine)] == ["failed"] * 3
    assert resend(engine, refusing.ids[0]) == refusing.ids[0]
    with pytest.raises(NoSuchAlert, match="resend that one"):
        resend(engine, of_items(engine)[0].id)
    deliver(engine, {"log": sender}, rules=rules)
    assert sender.ids == refusing.ids
    assert [row.state for row in rows(engine)] == ["sent"] * 3


def test_what_has_no_room_in_a_digest_goes_in_another_at_once(engine: Engine) -> None:
    rules = [rule("Trademarks", DIGEST)]
    store(engine, range(1, 101), rules)
    sender = Sender()
    send(engine, TUESDAY + timedelta(days=1), rules, sender)
    assert len(sender.got) > 1
    assert sorted(id for message, _ in sender.got for id in listed(message)) == sorted(
        row.id for row in of_items(engine)
    )


@pytest.mark.parametrize(("event", "merged"), [("new", 1), ("withdrawn", 0)])
def test_a_digest_counts_as_merged_only_what_was(engine: Engine, event: str, merged: int) -> None:
    rules = [rule("Trademarks", DIGEST)]
    store(engine, [1], rules)
    store(engine, [2], rules, TUESDAY + timedelta(minutes=1))
    with engine.begin() as connection:
        newest = select(func.max(Delivery.created_at)).scalar_subquery()
        connection.execute(
            update(Delivery).where(Delivery.created_at == newest).values(state="held", event=event)
        )
    send(engine, TUESDAY + timedelta(days=1), rules, sender := Sender())
    ((message, _),) = sender.got
    assert message.notes.get("merged", 0) == merged


def test_more_names_than_a_statement_holds_share_a_digest(engine: Engine) -> None:
    asking = Recipient(channel="log", digest="0 8 * * *", empty_digest=True)
    first = rule("Trademarks", asking)
    rules = [first, *(first.model_copy(update={"name": f"Name {number}"}) for number in range(70_000))]
    store(engine, [1, 2], [rules[0], rules[-1]])
    send(engine, TUESDAY + timedelta(days=1), rules, sender := Sender())
    ((message, _),) = sender.got
    assert len(listed(message)) == 4


def test_an_empty_digest_is_sent_only_where_it_is_asked_for(engine: Engine) -> None:
    asking = Recipient(channel="log", to="a", digest="0 8 * * *", empty_digest=True)
    rules = [rule("Trademarks", asking, DIGEST)]
    remember_rules(engine, {one.name: one.fingerprint for one in rules})
    tomorrow = datetime.now(SHANGHAI) + timedelta(days=1)
    sender = Sender()
    for _ in range(2):
        send(engine, tomorrow, rules, sender)
    ((message, to),) = sender.got
    assert (to, message.entries) == ("a", ())


def test_two_senders_at_once_write_an_empty_digest_once(engine: Engine) -> None:
    rules = [rule("Trademarks", Recipient(channel="log", digest="0 8 * * *", empty_digest=True))]
    remember_rules(engine, {one.name: one.fingerprint for one in rules})
    tomorrow = datetime.now(UTC) + timedelta(days=1)

    def write_too() -> None:
        with engine.begin() as connection:
            write_empty_digests(connection, rules, tomorrow)

    other = threading.Thread(target=write_too)
    with engine.begin() as connection:
        write_empty_digests(connection, rules, tomorrow)
        other.start()
        other.join(0.2)  # it reads what is committed, and waits for this transaction
        assert other.is_alive()
    other.join()
    assert [row.event for row in rows(engine)] == ["digest"]


def test_senders_at_once_put_each_recipients_alerts_into_one_digest(engine: Engine) -> None:
    people = [Recipient(channel="log", to=f"person {number}", digest="0 8 * * *") for number in range(12)]
    rules = [rule("Trademarks", *people)]
    store(engine, range(1, 9), rules)
    senders = [Sender() for _ in range(4)]
    later = TUESDAY + timedelta(days=1)
    with ThreadPoolExecutor(len(senders)) as pool:
        list(pool.map(lambda sender: send(engine, later, rules, sender), senders))
    got = [(to, len(listed(message))) for sender in senders for message, to in sender.got]
    assert sorted(got) == sorted((one.to, 8) for one in people)


def test_senders_at_once_count_a_storm_together(engine: Engine) -> None:
    people = [Recipient(channel="log", to=f"person {number}") for number in range(12)]
    rules = [rule("Trademarks", *people, storm=4)]
    store(engine, range(1, 9), rules)
    senders = [Sender() for _ in range(4)]
    with ThreadPoolExecutor(len(senders)) as pool:
        list(pool.map(lambda sender: send(engine, TUESDAY, rules, sender), senders))
    got = [(to, message.event) for sender in senders for message, to in sender.got]
    assert sorted(got) == sorted((one.to, "storm") for one in people)


def test_a_robot_gets_a_digest_in_parts_within_its_limit_with_every_link(engine: Engine) -> None:
    rules = [rule("Trademarks", DIGEST)]
    store(engine, range(1, 31), rules)
    with serve(lambda _path, _number: Said(body=b'{"errcode": 0}')) as server:
        options = {
            "kind": "wecom", "url": f"{server.url}/send?key=1", "language": "zh",
            "allowed_private": [server.place],
        }  # fmt: skip
        robot = build_channel("log", options)
        report = deliver(
            engine, {"log": robot}, rules=rules, clock=lambda: (TUESDAY + timedelta(days=1)).astimezone(UTC)
        )
        texts = [json.loads(request.body)["text"]["content"] for request in server.seen]
    assert len(report.sent) == 1
    assert len(texts) > 1
    assert all(len(text.encode()) <= 2048 for text in texts)
    whole = "\n".join(texts)
    assert all(f"/xiangqing/{number}.html" in whole for number in range(1, 31))


# --- Quiet hours ---


def test_quiet_hours_delay_an_alert_and_drop_none(engine: Engine) -> None:
    rules = [rule("Trademarks", Recipient(channel="log", quiet="22:00-08:00", workdays="china"))]
    night = datetime(2026, 9, 30, 23, 30, tzinfo=SHANGHAI)
    store(engine, [1, 2], rules, night)
    sender = Sender()
    assert send(engine, night, rules, sender) == Report()
    assert send(engine, datetime(2026, 10, 5, 12, 0, tzinfo=SHANGHAI), rules, sender) == Report()
    assert len(send(engine, datetime(2026, 10, 8, 8, 0, tzinfo=SHANGHAI), rules, sender).sent) == 2


# --- Storms ---


def test_many_alerts_at_once_are_one_message_with_their_number_and_list(engine: Engine) -> None:
    rules = [rule(storm=3)]
    store(engine, range(1, 11), rules)
    sender = Sender()
    send(engine, TUESDAY, rules, sender)
    ((message, _),) = sender.got
    assert (message.event, message.title) == ("storm", "Trademarks (10)")
    assert len(listed(message)) == 10
    assert {row.message_id for row in of_items(engine)} == {message.id}


@pytest.mark.parametrize(
    "changed",
    [rule("Renamed", DIGEST), rule("Trademarks", Recipient(channel="boss"))],
    ids=["renamed", "another recipient"],
)
def test_what_waits_for_whom_the_rules_no_longer_name_goes_in_one_message(
    engine: Engine, changed: Rule
) -> None:
    store(engine, range(1, 31), [rule("Trademarks", DIGEST)])
    send(engine, TUESDAY + timedelta(minutes=1), [changed], sender := Sender())
    ((message, _),) = sender.got
    assert (message.title, len(listed(message))) == ("Trademarks (30)", 30)
    assert {row.state for row in of_items(engine)} == {"sent"}


def test_as_many_as_are_allowed_go_one_by_one(engine: Engine) -> None:
    rules = [rule(storm=3)]
    store(engine, range(1, 4), rules)
    sender = Sender()
    send(engine, TUESDAY, rules, sender)
    assert [message.entries for message, _ in sender.got] == [None] * 3


def test_a_storm_that_goes_on_is_collected_until_the_interval_has_passed(engine: Engine) -> None:
    rules = [rule(storm=3)]
    sender = Sender()
    store(engine, range(1, 6), rules)
    send(engine, TUESDAY, rules, sender)
    for number in range(6, 10):
        minute = TUESDAY + timedelta(minutes=number - 5)
        store(engine, [number], rules, minute)
        assert send(engine, minute, rules, sender) == Report()
    send(engine, TUESDAY + timedelta(minutes=11), rules, sender)
    assert [len(listed(message)) for message, _ in sender.got] == [5, 4]


def test_what_a_storm_has_no_room_to_list_is_counted_and_its_rows_say_so(engine: Engine) -> None:
    rules = [rule()]
    store(engine, range(1, 201), rules)
    sender = Sender()
    send(engine, TUESDAY, rules, sender)
    ((message, _),) = sender.got
    unlisted = [row for row in of_items(engine) if "not listed" in row.detail]
    assert message.notes == {"unlisted": len(unlisted)}
    assert len(unlisted) + len(listed(message)) == 200


def watched(name: str, **keys: Any) -> Rule:
    row = {"name": f"Clients: {name}", "names": [name], "watchlist": "Clients"}
    return WatchedName.model_validate({"send": [{"channel": "log"}], **row, **keys})


def test_a_storm_over_the_names_of_a_watchlist_is_one_message(engine: Engine) -> None:
    names = ("第1号", "第2号", "第3号", "第4号")
    rules = [rule("Trademarks", words=["第5号"]), *(watched(name, storm=3) for name in names)]
    store(engine, range(1, 6), rules)
    sender = Sender()
    send(engine, TUESDAY, rules, sender)
    alone, (storm,) = (
        [message for message, _ in sender.got if (message.entries is None) is is_alone]
        for is_alone in (True, False)
    )
    assert [message.rule for message in alone] == ["Trademarks"]
    assert (storm.event, storm.rule, storm.title) == ("storm", "Clients", "Clients (4)")
    assert sorted(entry.rule for entry in storm.entries or ()) == [f"Clients: {name}" for name in names]
    store(engine, [11], [watched("第11号", storm=3)], TUESDAY)
    rules.append(watched("第11号", storm=3))
    assert send(engine, TUESDAY + timedelta(minutes=1), rules, sender) == Report()
    assert {row.state for row in rows(engine)} == {"sent", "due"}


# --- Escalation ---

SECOND = {"channel": "boss", "after": 30}


def test_what_nobody_acknowledges_goes_to_a_second_recipient_once(engine: Engine) -> None:
    rules = [rule(escalate=SECOND)]
    store(engine, [1], rules)
    sender, boss = Sender(), Sender()
    send(engine, TUESDAY, rules, sender, boss=boss)
    send(engine, TUESDAY + timedelta(minutes=29), rules, sender, boss=boss)
    assert not boss.got
    for minutes in (31, 62, 100):
        send(engine, TUESDAY + timedelta(minutes=minutes), rules, sender, boss=boss)
    ((message, _),) = boss.got
    assert message.facts[0].kind == "unacknowledged"
    assert sender.ids[0][:8] in message.facts[0].text
    assert len(sender.got) == 1


def test_what_is_acknowledged_is_not_escalated(engine: Engine) -> None:
    rules = [rule(escalate=SECOND)]
    store(engine, [1], rules)
    sender, boss = Sender(), Sender()
    send(engine, TUESDAY, rules, sender, boss=boss)
    assert acknowledge(engine, sender.ids[0][:8], TUESDAY.astimezone(UTC)) == 1
    send(engine, TUESDAY + timedelta(hours=1), rules, sender, boss=boss)
    assert not boss.got


def test_why_says_that_what_was_escalated_was_acknowledged_meanwhile(engine: Engine) -> None:
    rules = [rule(escalate={**SECOND, "quiet": "09:00-10:00"})]
    store(engine, [1], rules)
    sender, boss = Sender(), Sender()
    for minutes in (0, 31):
        send(engine, TUESDAY + timedelta(minutes=minutes), rules, sender, boss=boss)
    acknowledge(engine, sender.ids[0], TUESDAY.astimezone(UTC))
    found = explain_alerts(engine, make_record(1).notice.url, rules, lambda *_: True)
    (answer,) = (one["answer"] for one in found["answers"] if one["channel"] == "boss")
    assert answer.startswith("not told: acknowledged meanwhile (escalates ")


def test_acknowledging_a_digest_acknowledges_all_in_it(engine: Engine) -> None:
    rules = [rule("Trademarks", DIGEST, escalate=SECOND)]
    store(engine, [1, 2], rules)
    sender, boss = Sender(), Sender()
    later = TUESDAY + timedelta(days=1)
    send(engine, later, rules, sender, boss=boss)
    assert acknowledge(engine, sender.ids[0], later.astimezone(UTC)) == 2
    send(engine, later + timedelta(hours=1), rules, sender, boss=boss)
    assert not boss.got


def test_an_alert_that_can_not_be_sent_is_escalated_too(engine: Engine) -> None:
    rules = [rule(escalate=SECOND)]
    store(engine, [1], rules)
    boss = Sender()
    for minutes in (0, 31):
        now = TUESDAY + timedelta(minutes=minutes)
        send(engine, now, rules, Sender(lambda _message: BUSY), boss=boss)
    assert len(boss.got) == 1


def test_the_second_recipients_quiet_hours_delay_an_escalation(engine: Engine) -> None:
    rules = [rule(escalate={**SECOND, "quiet": "09:00-10:00"})]
    store(engine, [1], rules)
    sender, boss = Sender(), Sender()
    for minutes in (0, 31, 59):
        send(engine, TUESDAY + timedelta(minutes=minutes), rules, sender, boss=boss)
    assert not boss.got
    send(engine, TUESDAY + timedelta(minutes=60), rules, sender, boss=boss)
    assert len(boss.got) == 1


def test_a_rule_does_not_escalate_to_whom_it_tells_anyway() -> None:
    with pytest.raises(ValueError, match="must be another one"):
        rule(escalate={"channel": "log", "after": 5})


def test_the_monitors_own_reports_are_told_at_once() -> None:
    check_recipients([DIGEST], {"log": "console"}, "x")
    with pytest.raises(ConfigurationError, match="operators: digest: .* told at once"):
        check_told_at_once([DIGEST], "operators")


# --- Since when a rule is there ---


def edit(engine: Engine, rules: Sequence[Rule]) -> None:
    changed = make_record(
        1, body="涉及侵害商标权纠纷，赔偿数额改判为三百万元。", fetched_at=datetime(2026, 11, 23, tzinfo=UTC)
    )
    write_records(engine, [changed], Rules(rules))


@pytest.mark.parametrize(("earlier", "told"), [(False, 0), (True, 1)])
def test_an_item_from_before_a_rule_is_told_only_where_the_rule_asks_for_earlier_ones(
    engine: Engine, earlier: bool, told: int
) -> None:
    store(engine, [1], [])
    rules = [rule(events=["new", "edited"], earlier=earlier)]
    remember_rules(engine, {one.name: one.fingerprint for one in rules})
    edit(engine, rules)
    assert len(rows(engine)) == told


def test_an_item_from_after_a_rule_is_told_also_when_it_is_edited(engine: Engine) -> None:
    rules = [rule(events=["new", "edited"])]
    remember_rules(engine, {one.name: one.fingerprint for one in rules})
    store(engine, [1], rules)
    edit(engine, rules)
    assert [row.event for row in rows(engine)] == ["new", "version 2"]


def test_a_rule_keeps_its_start_when_it_is_changed(engine: Engine) -> None:
    remember_rules(engine, {"Trademarks": "a"})
    store(engine, [1], [])
    remember_rules(engine, {"Trademarks": "b"})
    rules = [rule(events=["edited"])]
    edit(engine, rules)
    assert len(rows(engine)) == 1


def test_why_says_that_an_item_is_older_than_the_rule(engine: Engine) -> None:
    store(engine, [1], [])
    rules = [rule()]
    remember_rules(engine, {one.name: one.fingerprint for one in rules})
    url = make_record(1).notice.url
    (answer,) = explain_alerts(engine, url, rules, lambda *_: True)["answers"]
    assert "before the rule was first configured" in answer["answer"]
