"""Messages per minute: kept by all processes together; who must wait stays due, and is not counted as failed."""

from __future__ import annotations

import json
import multiprocessing
import time
from typing import Any

import pytest
from loopback import Said, serve
from sqlalchemy import Engine, select, update

from pipeline.alerts.channels import build_channel
from pipeline.alerts.message import Message, Receipt
from pipeline.alerts.outbox import deliver
from pipeline.store.alert_tables import Attempt, ChannelPace
from pipeline.store.pace import Pace, end_turn, take_turn
from pipeline.store.session import open_engine
from pipeline.store.tables import Delivery
from tests.alerts.test_outbox import Sender, due, row, rows, states, wait

DELIVERIES = select(Delivery.state)
SLOW = Pace("team", messages=3, interval=3600, timeout=1)


def free_all(engine: Engine) -> None:
    """Let the interval pass."""
    with engine.begin() as connection:
        connection.execute(update(ChannelPace).values(free_at=0.0))


def test_so_many_messages_are_let_through_and_no_more(engine: Engine) -> None:
    turns = [take_turn(engine, SLOW) for _ in range(4)]
    assert [turn.place for turn in turns] == [0, 1, 2, None]
    assert [turn.wait for turn in turns[:3]] == [0, 0, 0]
    assert 3600 < turns[3].wait <= 3604


def test_a_place_is_free_again_when_the_interval_has_passed_since_the_answer(engine: Engine) -> None:
    quick = Pace("team", messages=1, interval=60, timeout=100)
    turn = take_turn(engine, quick)
    assert turn.place is not None
    assert take_turn(engine, quick).wait > 100
    end_turn(engine, quick, turn.place, None)
    assert 0 < take_turn(engine, quick).wait <= 60


def test_a_robot_that_asks_for_rest_gets_it_from_all(engine: Engine) -> None:
    turn = take_turn(engine, SLOW)
    assert turn.place is not None
    end_turn(engine, SLOW, turn.place, 7200)
    assert 3600 < take_turn(engine, SLOW).wait <= 7200


def test_a_clock_that_was_set_back_silences_no_channel(engine: Engine) -> None:
    for _ in range(3):
        take_turn(engine, SLOW)
    with engine.begin() as connection:
        connection.execute(update(ChannelPace).values(free_at=ChannelPace.free_at + 86400))
    turns = [take_turn(engine, SLOW) for _ in range(4)]
    assert [turn.place for turn in turns] == [0, 1, 2, None]


def test_channels_do_not_wait_for_each_other(engine: Engine) -> None:
    for _ in range(3):
        take_turn(engine, SLOW)
    assert take_turn(engine, Pace("other", 3, 3600, 1)).wait == 0


def test_what_must_wait_stays_due_and_no_attempt_is_counted(engine: Engine) -> None:
    due(engine, 8, to=[("log", "")])
    paced = Sender(pace=SLOW)
    report = deliver(engine, {"log": paced})
    assert (len(report.sent), report.failed) == (3, [])
    assert "takes 3 messages in 3600 s" in report.waiting[0].receipt.detail
    assert sorted(states(engine)) == ["due"] * 5 + ["sent"] * 3
    assert {delivery.attempts for delivery in rows(engine) if delivery.state == "due"} == {0}
    for _ in range(2):
        free_all(engine)
        wait(engine, (rows(engine)[-1].next_at - rows(engine)[0].created_at) * 2)
        deliver(engine, {"log": paced})
    assert states(engine) == ["sent"] * 8
    assert len(paced.ids) == len(set(paced.ids)) == 8


def test_those_that_wait_hold_up_no_other_channel(engine: Engine) -> None:
    due(engine, 5, to=[("log", ""), ("free", "")])
    free = Sender(name="free")
    deliver(engine, {"log": Sender(pace=SLOW), "free": free})
    assert len(free.ids) == 5


# --- Parts ---


def test_the_parts_of_a_text_are_sent_in_order_and_noted(engine: Engine) -> None:
    due(engine)
    sender = Sender(lambda _message: Receipt(True, False, "taken", parts=3))
    deliver(engine, {"log": sender})
    assert [message.part for message, _ in sender.got] == [1, 2, 3]
    assert (row(engine).state, row(engine).parts_sent, row(engine).attempts) == ("sent", 3, 1)
    with engine.connect() as connection:
        noted = connection.execute(select(Attempt.part, Attempt.outcome).order_by(Attempt.id)).all()
    assert [tuple(part) for part in noted] == [(1, "sent"), (2, "sent"), (3, "sent")]


def test_a_part_that_was_taken_is_not_sent_again(engine: Engine) -> None:
    due(engine)
    answers = iter([True, False, True, True])

    def say(_message: Message) -> Receipt:
        ok = next(answers)
        return Receipt(ok, not ok, "taken" if ok else "busy", parts=3)

    sender = Sender(say)
    deliver(engine, {"log": sender})
    assert (row(engine).state, row(engine).parts_sent) == ("due", 1)
    wait(engine, row(engine).next_at - row(engine).created_at)
    deliver(engine, {"log": sender})
    assert [message.part for message, _ in sender.got] == [1, 2, 2, 3]
    assert row(engine).state == "sent"


def test_a_text_in_parts_waits_between_them_where_it_must(engine: Engine) -> None:
    due(engine)
    sender = Sender(lambda _message: Receipt(True, False, "taken", parts=5), pace=SLOW)
    deliver(engine, {"log": sender})
    assert (row(engine).state, row(engine).parts_sent, row(engine).attempts) == ("due", 3, 0)
    free_all(engine)
    wait(engine, row(engine).next_at - row(engine).created_at)
    deliver(engine, {"log": sender})
    assert [message.part for message, _ in sender.got] == [1, 2, 3, 4, 5]
    assert row(engine).state == "sent"


# --- Several processes ---

INTERVAL = 0.5
MESSAGES = 20


def work(database_url: str, options: dict[str, Any]) -> None:
    """A process that sends until nothing is left."""
    engine = open_engine(database_url, create=False)
    channel = build_channel("log", options)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        deliver(engine, {"log": channel})
        with engine.connect().execution_options(read_only=True) as connection:
            if not any(delivery.state != "sent" for delivery in connection.execute(DELIVERIES)):
                break
    engine.dispose()


def test_three_processes_never_exceed_the_limit_and_lose_none(engine: Engine, database_url: str) -> None:
    """20 messages in half a second stand for 20 a minute; the server's clock is the judge."""
    ids = due(engine, to=[("log", f"desk {number}") for number in range(100)])
    with serve(lambda _path, _n: Said(200, b'{"errcode": 0}')) as server:
        options = {
            "kind": "wecom",
            "url": f"{server.url}/send?key=1",
            "allowed_private": [server.place],
            "messages": MESSAGES,
            "interval": INTERVAL,
        }
        # One import for all processes, here and in the tests that follow.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__])
        processes = [context.Process(target=work, args=(database_url, options)) for _ in range(3)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        seen = list(server.seen)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert states(engine) == ["sent"] * 100
    told = [json.loads(request.body)["text"]["content"].split("\nid ")[1].strip() for request in seen]
    assert sorted(told) == sorted(ids)
    moments = [request.at for request in seen]
    assert len(moments) == 100
    for earlier, later in zip(moments, moments[MESSAGES:], strict=False):
        assert later - earlier >= INTERVAL


@pytest.mark.parametrize("count", [1, 5])
def test_a_lower_limit_holds_at_once(engine: Engine, count: int) -> None:
    for _ in range(3):
        take_turn(engine, SLOW)
    turn = take_turn(engine, Pace("team", count, 3600, 1))
    assert (turn.wait == 0) == (count > 3)
