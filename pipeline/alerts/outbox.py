"""The outbox: claims what is due, sends it, and writes down what came back.

Each row is claimed for a limited time just before it is sent. A process that dies in between leaves it claimed;
after that time it is due again, and the second copy carries the same id. A long text goes out in parts: which of them
were taken is noted after each, so that only the part that was under way can come twice.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, func, insert, select, update
from sqlalchemy.exc import DBAPIError

from pipeline.alerts.bundle import release, settle_bundled, write_empty_digests
from pipeline.alerts.channels import Channel, Message, Receipt
from pipeline.alerts.compose import compose
from pipeline.alerts.escalation import escalate
from pipeline.alerts.gone import find_gone, note_gone
from pipeline.alerts.message import flatten
from pipeline.alerts.operators import GivenUp, tell_given_up
from pipeline.alerts.rules import Recipient, Rule
from pipeline.store.alert_tables import Attempt
from pipeline.store.pace import Pace, end_turn, take_turn
from pipeline.store.session import StoreError, first_line
from pipeline.store.tables import Delivery

CLAIM = timedelta(minutes=10)
FIRST_RETRY = timedelta(seconds=60)
LONGEST_RETRY = timedelta(hours=6)
GIVE_UP = timedelta(days=3)
# A row that was tried days ago, and not since because nothing ran, isn't given up for one bad moment of a server.
FEWEST_ATTEMPTS = 5
# A channel's turn that comes so soon is waited for; for later ones the alert is put off.
SHORT_WAIT = 1.0
_CLAIM_LOCK = 7201528
log = logging.getLogger(__name__)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Sent:
    """One attempt: which delivery, to whom, about what, and the receipt."""

    message: Message
    channel: str
    recipient: str
    receipt: Receipt


@dataclass(slots=True)
class _Claimed:
    """A row that is ours to send until `until`, which also tells our claim from a later one."""

    message: Message
    channel: str
    recipient: str
    attempts: int
    parts_sent: int
    until: datetime
    gone: str | None
    clock: Callable[[], datetime]

    @property
    def ours(self) -> tuple[ColumnElement[bool], ...]:
        return (
            Delivery.id == self.message.id,
            Delivery.state == "sending",
            Delivery.next_at == self.until,
        )


@dataclass(slots=True)
class Report:
    """What a round of deliveries did. `waiting` rows will be tried again, `failed` ones won't."""

    sent: list[Sent] = field(default_factory=list)
    waiting: list[Sent] = field(default_factory=list)
    failed: list[Sent] = field(default_factory=list)

    def extend(self, other: Report) -> None:
        """Add what another round did."""
        self.sent += other.sent
        self.waiting += other.waiting
        self.failed += other.failed


def deliver(
    engine: Engine,
    channels: Mapping[str, Channel],
    *,
    rules: Iterable[Rule] = (),
    operators: Iterable[Recipient] = (),
    clock: Callable[[], datetime] = _now,
) -> Report:
    """Send every alert that is due now, oldest first, each row claimed before and settled after its sending.

    The times of the recipients of `rules` are kept by `clock` (UTC). What is given up is told to `operators` by another
    channel, in the transaction that notes it. Raises StoreError when the ledger can't be read or written; an alert that
    a channel refuses, or that it fails on, is no error here but a row with the reason.
    """
    report = Report()
    known = {rule.name: rule for rule in rules}
    operators = tuple(operators)
    # What becomes due while this round goes on is for the next one, so a row is tried once a round.
    started = clock()
    try:
        with engine.begin() as connection:
            escalate(connection, known, started)
            write_empty_digests(connection, known.values(), started)
        while claimed := _claim(engine, started, known, clock):
            state, receipt = _send(engine, channels.get(claimed.channel), claimed, operators)
            {"sent": report.sent, "due": report.waiting, "failed": report.failed}[state].append(
                Sent(claimed.message, claimed.channel, claimed.recipient, receipt)
            )
    except DBAPIError as error:
        raise StoreError(f"The alerts could not be read or settled: {first_line(error)}.") from error
    return report


def is_anything_due(engine: Engine, now: datetime) -> bool:
    """True when a row of the outbox is due at this time, or its claim has ended."""
    query = select(Delivery.id).where(Delivery.state.in_(("due", "sending")), Delivery.next_at <= now)
    with engine.connect().execution_options(read_only=True) as connection:
        return connection.scalar(query.limit(1)) is not None


def _send(
    engine: Engine, channel: Channel | None, claimed: _Claimed, operators: tuple[Recipient, ...]
) -> tuple[str, Receipt]:
    """Send what is left of an alert, part by part; the state of the row after it, and the last receipt."""
    if claimed.gone is not None:
        receipt = Receipt(False, False, f"not sent: the recipient wants no more messages ({claimed.gone})")
        return _settle(engine, claimed, receipt, operators), receipt
    if channel is None:
        receipt = Receipt(ok=False, retry=True, detail=f"no channel is called {claimed.channel!r}")
        return _settle(engine, claimed, receipt, operators), receipt
    while True:
        pace, place = channel.pace, None
        if pace is not None:
            while (turn := take_turn(engine, pace)).wait and turn.wait <= SHORT_WAIT:
                time.sleep(turn.wait)
            if turn.wait:
                return "due", _put_off(engine, claimed, pace, turn.wait)
            place = turn.place
        receipt = _send_part(channel, claimed)
        if pace is not None and place is not None:
            end_turn(engine, pace, place, receipt.rest)
        if receipt.ok and claimed.parts_sent + 1 < receipt.parts:
            if _note_part(engine, claimed, receipt):
                continue
            return "due", receipt
        return _settle(engine, claimed, receipt, operators), receipt


def _send_part(channel: Channel, claimed: _Claimed) -> Receipt:
    message = replace(claimed.message, part=claimed.parts_sent + 1)
    try:
        return channel.send(message, claimed.recipient)
    except Exception as error:  # a defect of one channel must not hold up all other alerts
        log.error("alert %s: channel %r failed", message.id, claimed.channel, exc_info=True)
        return Receipt(ok=False, retry=True, detail=f"the channel failed: {type(error).__name__}: {error}")


def _claim(
    engine: Engine, due_by: datetime, rules: Mapping[str, Rule], clock: Callable[[], datetime]
) -> _Claimed | None:
    """The next message that is due and may be sent now; what is due and has to wait is put off on the way."""
    while True:
        until = clock() + CLAIM
        with engine.begin() as connection:
            _wait_for_turn(connection)
            row = connection.execute(
                select(Delivery)
                .where(Delivery.state.in_(("due", "sending")), Delivery.next_at <= due_by)
                .order_by(Delivery.next_at, Delivery.created_at, Delivery.id)
                .limit(1)
                .with_for_update(skip_locked=True)
            ).first()
            if row is None:
                return None
            if row.state == "sending":
                _note_unknown(connection, row, due_by)
            chosen = release(connection, row, rules, due_by)
            if chosen is None:
                continue
            if chosen != row.id:
                row = connection.execute(select(Delivery).where(Delivery.id == chosen)).one()
            connection.execute(
                update(Delivery).where(Delivery.id == chosen).values(state="sending", next_at=until)
            )
            message = compose(connection, chosen)
            gone = find_gone(connection, row.channel, row.recipient)
        return _Claimed(message, row.channel, row.recipient, row.attempts, row.parts_sent, until, gone, clock)


def _wait_for_turn(connection: Connection) -> None:
    """Let one process claim at a time, as SQLite does by itself: of two that put a digest together, each would lack the
    row that the other began with; of two that count what was sent, neither would see a storm."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_CLAIM_LOCK)))


def _note_unknown(connection: Connection, row: Any, now: datetime) -> None:
    """Note that a claim ended without an outcome: the message may have been taken; it is only repeated as it was."""
    detail = "the process ended before it could note what came back"
    connection.execute(
        insert(Attempt).values(
            delivery_id=row.id, part=row.parts_sent + 1, outcome="unknown", detail=detail, made_at=now
        )
    )


def _put_off(engine: Engine, claimed: _Claimed, pace: Pace, wait: float) -> Receipt:
    """Let the alert wait for its channel's turn, and with it all that are due there: no attempt was made."""
    until = claimed.clock() + timedelta(seconds=wait)
    detail = f"waits: the channel takes {pace.messages} messages in {pace.interval:g} s"
    with engine.begin() as connection:
        connection.execute(
            update(Delivery).where(*claimed.ours).values(state="due", next_at=until, detail=detail)
        )
        connection.execute(
            update(Delivery)
            .where(
                Delivery.channel == claimed.channel, Delivery.state == "due", Delivery.next_at < until
            )
            .values(next_at=until)
        )  # fmt: skip
    return Receipt(ok=False, retry=True, detail=detail, retry_after=wait)


def _note_part(engine: Engine, claimed: _Claimed, receipt: Receipt) -> bool:
    """Write down that a part was taken and claim the row anew for the next one; False when another has it now."""
    until = claimed.clock() + CLAIM
    part = claimed.parts_sent + 1
    with engine.begin() as connection:
        _note_attempt(connection, claimed, "sent", receipt)
        held = connection.execute(
            update(Delivery).where(*claimed.ours).values(parts_sent=part, next_at=until)
        )
    claimed.parts_sent, claimed.until = part, until
    return held.rowcount == 1


def _settle(engine: Engine, claimed: _Claimed, receipt: Receipt, operators: tuple[Recipient, ...]) -> str:
    now = claimed.clock()
    attempts = claimed.attempts + 1
    detail = flatten(receipt.detail)
    values: dict[str, object] = {"attempts": attempts, "detail": detail}
    if receipt.ok:
        # Whoever took the row over when our claim had ended can't undo that it was sent.
        ours: tuple[ColumnElement[bool], ...] = (Delivery.id == claimed.message.id,)
        state = "sent"
        values |= {"sent_at": now, "parts_sent": receipt.parts}
    else:
        ours = claimed.ours
        young = now - _first_attempt(engine, claimed, now) < GIVE_UP
        state = "due" if receipt.retry and (young or attempts < FEWEST_ATTEMPTS) else "failed"
        if state == "due":
            values["next_at"] = now + _pause(attempts, receipt.retry_after)
    outcome = {"sent": "sent", "due": "retry", "failed": "refused"}[state]
    with engine.begin() as connection:
        settled = connection.execute(update(Delivery).where(*ours).values(state=state, **values))
        _note_attempt(connection, claimed, outcome, receipt)
        if claimed.message.entries is not None and settled.rowcount == 1:
            settle_bundled(connection, claimed.message.id, state, detail, now)
        if receipt.gone:
            note_gone(connection, claimed.channel, claimed.recipient, detail)
        if state == "failed" and settled.rowcount == 1:
            message = claimed.message
            given_up = GivenUp(
                message.id, message.rule, message.title, claimed.channel, claimed.recipient, detail
            )
            tell_given_up(connection, operators, given_up)
    return state


def _note_attempt(connection: Connection, claimed: _Claimed, outcome: str, receipt: Receipt) -> None:
    connection.execute(
        insert(Attempt).values(
            delivery_id=claimed.message.id,
            part=claimed.parts_sent + 1,
            outcome=outcome,
            detail=flatten(receipt.detail),
            made_at=claimed.clock(),
        )
    )


def _first_attempt(engine: Engine, claimed: _Claimed, now: datetime) -> datetime:
    """When an alert was first tried. One that waited for its hours or a holiday was not tried meanwhile."""
    if claimed.attempts == 0:
        return now
    query = select(func.min(Attempt.made_at)).where(
        Attempt.delivery_id == claimed.message.id, Attempt.outcome != "resend"
    )
    with engine.connect().execution_options(read_only=True) as connection:
        return connection.scalar(query) or claimed.message.created_at


def _pause(attempts: int, retry_after: float | None) -> timedelta:
    pause: timedelta = min(FIRST_RETRY * 2 ** min(attempts - 1, 12), LONGEST_RETRY)
    spread = random.uniform(0.8, 1.2)  # noqa: S311 - spreads retries, guards nothing
    return max(pause * spread, min(timedelta(seconds=retry_after or 0), GIVE_UP))
