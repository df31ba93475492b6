"""The outbox on both databases: every alert is sent, once; and what fails holds up nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select, text, update

from pipeline.alerts.channels import Channel, Message, Receipt
from pipeline.alerts.outbox import (
    CLAIM,
    FEWEST_ATTEMPTS,
    FIRST_RETRY,
    GIVE_UP,
    LONGEST_RETRY,
    Report,
    deliver,
)
from pipeline.record import Record
from pipeline.store.alert_tables import Attempt
from pipeline.store.pace import Pace
from pipeline.store.session import StoreError
from pipeline.store.tables import Delivery, Run
from pipeline.store.write import Match, write_records
from tests.notices import make_record

TAKEN = Receipt(ok=True, retry=False, detail="taken")
BUSY = Receipt(ok=False, retry=True, detail="busy")
REFUSED = Receipt(ok=False, retry=False, detail="no such person")


@dataclass
class Sender:
    """A channel that says what it is told to say, and remembers what it was given."""

    say: Callable[[Message], Receipt] = lambda _message: TAKEN
    name: str = "log"
    kind: str = "test"
    pace: Pace | None = None
    got: list[tuple[Message, str]] = field(default_factory=list)

    def send(self, message: Message, recipient: str) -> Receipt:
        self.got.append((message, recipient))
        return self.say(message)

    @property
    def ids(self) -> list[str]:
        return [message.id for message, _ in self.got]


class Killed(BaseException):
    """Stands for kill -9: nothing in the process answers it."""


def due(engine: Engine, count: int = 1, *, to: Iterable[tuple[str, str]] = (("log", ""),)) -> list[str]:
    """Store so many items, each with an alert to each recipient; the ids of the rows."""
    with engine.begin() as connection:
        connection.execute(
            insert(Run).values(
                id=1, source_key="court_spc_interpretations", started_at=datetime.now(UTC), finished_at=None,
                list_read_at=None, state="running", reason=None, baseline=False, counts={},
            )
        )  # fmt: skip
    recipients = tuple(to)

    def match(_record: Record, _event: str) -> Iterable[Match]:
        return [Match("Trademarks", channel, recipient) for channel, recipient in recipients]

    write_records(engine, [make_record(number) for number in range(1, count + 1)], match)
    return [row.id for row in rows(engine)]


def rows(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(select(Delivery).order_by(Delivery.created_at, Delivery.id)))


def row(engine: Engine) -> Any:
    (only,) = rows(engine)
    return only


def wait(engine: Engine, time: timedelta) -> None:
    """Let time pass: every moment in the ledger is so much longer ago."""
    with engine.begin() as connection:
        for delivery in connection.execute(select(Delivery)).all():
            connection.execute(
                update(Delivery)
                .where(Delivery.id == delivery.id)
                .values(next_at=delivery.next_at - time, created_at=delivery.created_at - time)
            )
        for attempt in connection.execute(select(Attempt)).all():
            connection.execute(
                update(Attempt).where(Attempt.id == attempt.id).values(made_at=attempt.made_at - time)
            )


def states(engine: Engine) -> list[str]:
    return [delivery.state for delivery in rows(engine)]


def test_what_is_due_is_sent_once(engine: Engine) -> None:
    ids = due(engine, 3)
    sender = Sender()
    report = deliver(engine, {"log": sender})
    assert (len(report.sent), report.waiting, report.failed) == (3, [], [])
    assert deliver(engine, {"log": sender}) == Report()
    assert sorted(sender.ids) == sorted(ids)
    assert states(engine) == ["sent"] * 3
    assert all(delivery.sent_at and delivery.detail == "taken" for delivery in rows(engine))


def test_a_message_tells_what_was_stored(engine: Engine) -> None:
    (delivery_id,) = due(engine)
    sender = Sender()
    deliver(engine, {"log": sender})
    ((message, _),) = sender.got
    assert (message.id, message.rule, message.event) == (delivery_id, "Trademarks", "new")
    assert message.title == "关于商标案件的通知（第1号）"
    assert message.url == "https://www.court.gov.cn/fabu/xiangqing/1.html"
    assert (message.publisher, message.published, message.precision) == (
        "最高人民法院",
        "2026-11-19 10:00",
        "second",
    )
    assert message.snapshot
    assert any("1万元" in told.text for told in message.facts)


def test_an_alert_of_an_edit_says_what_was_changed(engine: Engine) -> None:
    due(engine)
    first = make_record(1)
    edited = make_record(1, body=first.body.replace("赔偿1万元", "赔偿9万元"))
    write_records(engine, [edited], lambda _record, _event: [Match("Trademarks", "log", "")])
    sender = Sender()
    deliver(engine, {"log": sender})
    told = {message.event: message.facts for message, _ in sender.got}
    assert "changed" not in {fact.kind for fact in told["new"]}
    changed = told["version 2"][0]
    assert (changed.kind, changed.text[:1]) == ("changed", "“")
    assert "9万元" in changed.text


def test_every_recipient_has_a_fate_of_its_own(engine: Engine) -> None:
    due(engine, to=[("mail", "anna"), ("mail", "bo"), ("log", "")])
    mail = Sender(lambda _message: REFUSED if mail.got[-1][1] == "anna" else TAKEN, name="mail")
    deliver(engine, {"mail": mail, "log": Sender()})
    assert {(delivery.recipient, delivery.state) for delivery in rows(engine)} == {
        ("anna", "failed"),
        ("bo", "sent"),
        ("", "sent"),
    }


def test_a_channel_that_is_busy_is_asked_again_after_growing_pauses(engine: Engine) -> None:
    due(engine)
    busy: dict[str, Channel] = {"log": Sender(lambda _message: BUSY)}
    for attempt in range(1, 13):
        before = datetime.now(UTC)
        assert len(deliver(engine, busy).waiting) == 1
        after = datetime.now(UTC)
        expected = min(FIRST_RETRY * 2 ** (attempt - 1), LONGEST_RETRY)
        assert before + expected * 0.8 <= row(engine).next_at <= after + expected * 1.2
        assert (row(engine).attempts, row(engine).detail) == (attempt, "busy")
        assert deliver(engine, busy) == Report()
        wait(engine, expected * 1.2)


def test_a_channel_that_stays_busy_is_given_up_after_the_limit(engine: Engine) -> None:
    due(engine)
    busy = Sender(lambda _message: BUSY)
    rounds = 0
    while row(engine).state == "due":
        deliver(engine, {"log": busy})
        wait(engine, LONGEST_RETRY * 1.2)
        rounds += 1
        assert rounds < 100
    assert row(engine).state == "failed"
    assert GIVE_UP / (LONGEST_RETRY * 1.2) <= rounds <= GIVE_UP / (LONGEST_RETRY * 1.2) + 1
    assert deliver(engine, {"log": busy}) == Report()


def test_an_alert_that_waited_while_nothing_ran_is_not_given_up_at_once(engine: Engine) -> None:
    due(engine)
    wait(engine, GIVE_UP * 2)
    answers = [BUSY] * (FEWEST_ATTEMPTS - 1) + [TAKEN]
    sender = Sender(lambda _message: answers.pop(0))
    while answers:
        deliver(engine, {"log": sender})
        wait(engine, LONGEST_RETRY * 1.2)
    assert row(engine).state == "sent"


def test_the_time_before_the_first_try_does_not_count(engine: Engine) -> None:
    due(engine)
    wait(engine, GIVE_UP * 3)  # a holiday's quiet
    busy = Sender(lambda _message: BUSY)
    for _ in range(FEWEST_ATTEMPTS * 2):
        deliver(engine, {"log": busy})
        wait(engine, LONGEST_RETRY * 1.2)
    assert (row(engine).state, row(engine).attempts) == ("due", FEWEST_ATTEMPTS * 2)


def test_what_a_channel_will_never_take_is_given_up_at_once(engine: Engine) -> None:
    due(engine)
    report = deliver(engine, {"log": Sender(lambda _message: REFUSED)})
    assert [failed.receipt.detail for failed in report.failed] == ["no such person"]
    assert (row(engine).state, row(engine).sent_at) == ("failed", None)


def test_a_server_that_names_a_time_is_not_asked_before(engine: Engine) -> None:
    due(engine)
    later = Receipt(ok=False, retry=True, detail="later", retry_after=7200)
    before = datetime.now(UTC)
    deliver(engine, {"log": Sender(lambda _message: later)})
    assert row(engine).next_at >= before + timedelta(hours=2)


def test_a_server_cannot_put_an_alert_off_for_ever(engine: Engine) -> None:
    due(engine)
    much_later = Receipt(ok=False, retry=True, detail="next year", retry_after=366 * 86400)
    deliver(engine, {"log": Sender(lambda _message: much_later)})
    assert row(engine).next_at <= datetime.now(UTC) + GIVE_UP


def test_a_row_of_a_process_that_died_is_sent_after_its_claim_with_the_same_id(engine: Engine) -> None:
    (delivery_id,) = due(engine)

    def die(_message: Message) -> Receipt:
        raise Killed

    with pytest.raises(Killed):
        deliver(engine, {"log": Sender(die)})
    sender = Sender()
    assert deliver(engine, {"log": sender}) == Report()
    assert row(engine).state == "sending"
    wait(engine, CLAIM)
    deliver(engine, {"log": sender})
    assert sender.ids == [delivery_id]
    assert row(engine).state == "sent"


def test_a_process_that_died_holds_up_only_the_row_that_it_was_sending(engine: Engine) -> None:
    ids = due(engine, 5)

    def die(_message: Message) -> Receipt:
        raise Killed

    dead = Sender(die)
    with pytest.raises(Killed):
        deliver(engine, {"log": dead})
    sender = Sender()
    deliver(engine, {"log": sender})
    assert sorted(sender.ids + dead.ids) == sorted(ids)


def test_several_senders_at_once_send_no_row_twice(engine: Engine) -> None:
    ids = due(engine, 40)
    sender = Sender()
    ready = threading.Barrier(4)

    def work(_: int) -> Report:
        ready.wait()
        return deliver(engine, {"log": sender})

    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(work, range(4)))
    assert sorted(sender.ids) == sorted(ids)
    assert sum(len(report.sent) for report in reports) == 40


def test_a_slow_channel_keeps_no_claim_on_rows_that_it_is_not_sending(engine: Engine) -> None:
    """A round that takes longer than a claim must not have its later rows sent by another process as well."""
    due(engine, 3)
    other = Sender()

    def be_slow(_message: Message) -> Receipt:
        deliver(engine, {"log": other})
        wait(engine, CLAIM)
        return TAKEN

    slow = Sender(be_slow)
    deliver(engine, {"log": slow})
    assert len(slow.ids + other.ids) == len({*slow.ids, *other.ids}) == 3


def test_a_failure_that_comes_after_the_claim_does_not_undo_what_another_has_sent(engine: Engine) -> None:
    due(engine)

    def outlive_the_claim(_message: Message) -> Receipt:
        wait(engine, CLAIM)
        deliver(engine, {"log": Sender()})
        return BUSY

    deliver(engine, {"log": Sender(outlive_the_claim)})
    assert row(engine).state == "sent"


def test_a_success_that_comes_after_the_claim_counts(engine: Engine) -> None:
    due(engine)

    def outlive_the_claim(_message: Message) -> Receipt:
        wait(engine, CLAIM)
        deliver(engine, {"log": Sender(lambda _message: BUSY)})
        return TAKEN

    deliver(engine, {"log": Sender(outlive_the_claim)})
    wait(engine, GIVE_UP)
    assert row(engine).state == "sent"
    assert deliver(engine, {"log": Sender()}) == Report()


def test_a_channel_with_a_defect_holds_up_no_other_row(engine: Engine) -> None:
    due(engine, 2, to=[("broken", "x"), ("log", "")])

    def fail(_message: Message) -> Receipt:
        raise LookupError("no\nsuch key")

    sender = Sender()
    report = deliver(engine, {"broken": Sender(fail), "log": sender})
    assert (len(report.sent), len(report.waiting)) == (2, 2)
    broken = [delivery for delivery in rows(engine) if delivery.channel == "broken"]
    assert {(delivery.state, delivery.detail) for delivery in broken} == {
        ("due", "the channel failed: LookupError: no such key")
    }
    wait(engine, FIRST_RETRY * 1.2)
    mended = Sender()
    deliver(engine, {"broken": mended, "log": sender})
    assert (len(mended.got), len(sender.got)) == (2, 2)


def test_a_row_whose_channel_is_not_configured_waits_for_it(engine: Engine) -> None:
    due(engine, to=[("mail", "anna"), ("log", "")])
    report = deliver(engine, {"log": Sender()})
    assert [waiting.receipt.detail for waiting in report.waiting] == ["no channel is called 'mail'"]
    assert len(report.sent) == 1
    wait(engine, FIRST_RETRY * 1.2)
    mail = Sender()
    deliver(engine, {"mail": mail})
    assert len(mail.got) == 1


def test_what_a_server_says_cannot_break_the_ledger(engine: Engine) -> None:
    due(engine)
    said = Receipt(ok=True, retry=False, detail="took\x00it\nforged line \ud800")
    deliver(engine, {"log": Sender(lambda _message: said)})
    assert row(engine).state == "sent"
    assert row(engine).detail == "took it forged line \N{REPLACEMENT CHARACTER}"


def test_a_ledger_that_cannot_be_read_is_a_store_error(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE delivery RENAME TO lost"))
    with pytest.raises(StoreError, match="could not be read or settled"):
        deliver(engine, {})
