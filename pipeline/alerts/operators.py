"""Alerts about the monitor itself, to those who run it: no item stands behind them.

The id is made from what is told and to whom, so each is told once, however often it is noticed.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, select

from pipeline.alerts.message import flatten
from pipeline.alerts.rules import OPERATORS, Recipient
from pipeline.store.tables import Delivery
from pipeline.store.write import insert_ignoring

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GivenUp:
    """An alert that will not be sent, and why."""

    id: str
    rule: str
    title: str
    channel: str
    recipient: str
    detail: str


def tell_operators(
    engine: Engine, recipients: Iterable[Recipient], event: str, title: str, summary: str, *, about: str = ""
) -> None:
    """Put an alert into the outbox for each recipient. `event` (at most 40 characters) tells it from others, together
    with `about` where events of one name are of several sources or days."""
    with engine.begin() as connection:
        put_alert(connection, recipients, event, title, summary, about=about)


def tell_given_up(connection: Connection, operators: Iterable[Recipient], given_up: GivenUp) -> None:
    """Tell the operators of an alert that was given up, once, by another channel than the one that failed.

    A report of the monitor itself that was given up is told to nobody else: where all channels fail, that would never
    end. It is logged, as is an alert when there is no operator to tell.
    """
    others = [operator for operator in operators if operator.channel != given_up.channel]
    if given_up.rule == OPERATORS or not others:
        log.warning("alert %s was given up and nobody is told of it: %s", given_up.id, given_up.detail)
        return
    # A webhook's URL may be a secret, and the operators need only know where to look.
    to = f" to {given_up.recipient}" if given_up.recipient and "://" not in given_up.recipient else ""
    put_alert(
        connection,
        others,
        f"given up {given_up.id[:30]}",
        f"An alert was given up: {flatten(given_up.title)}",
        f"Rule {given_up.rule!r}, channel {given_up.channel!r}{to}: {given_up.detail}. When that is mended: "
        f"iprwatch alerts resend {given_up.id}",
    )


def told_states(engine: Engine, event: str) -> list[str]:
    """The states of the alerts about this event, one for each recipient who was told; none where nobody was."""
    # Named as the unique key of the table begins, for it is the index.
    mine = (Delivery.rule == OPERATORS, Delivery.item_id.is_(None), Delivery.event == event)
    with engine.connect().execution_options(read_only=True) as connection:
        return list(connection.scalars(select(Delivery.state).where(*mine)))


def put_alert(
    connection: Connection,
    recipients: Iterable[Recipient],
    event: str,
    title: str,
    summary: str,
    *,
    lines: Iterable[str] = (),
    about: str = "",
) -> None:
    """The same inside a transaction. `lines` are shown below the summary, one a line."""
    now = datetime.now(UTC)
    told = f"{event}\n{about}" if about else event
    text = {"title": title, "summary": summary, "lines": list(lines)}
    rows = [
        {
            "id": hashlib.sha256(f"{told}\n{recipient.channel}\n{recipient.to}".encode()).hexdigest()[:32],
            "rule": OPERATORS,
            "item_id": None,
            "text": text,
            "event": event,
            "channel": recipient.channel,
            "recipient": recipient.to,
            "state": "due",
            "attempts": 0,
            "created_at": now,
            "next_at": now,
            "sent_at": None,
            "detail": None,
        }
        for recipient in recipients
    ]
    insert_ignoring(connection, Delivery, rows)
