"""Alerts about the monitor itself, to those who run it: no item stands behind them.

The id is made from what is told and to whom, so each is told once, however often it is noticed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine

from pipeline.alerts.rules import Recipient
from pipeline.store.tables import Delivery
from pipeline.store.write import insert_ignoring

RULE = "operators"


def tell_operators(
    engine: Engine, recipients: Iterable[Recipient], event: str, title: str, summary: str
) -> None:
    """Put an alert into the outbox for each recipient. `event` (at most 40 characters) tells it from others."""
    with engine.begin() as connection:
        put_alert(connection, recipients, event, title, summary)


def put_alert(
    connection: Connection,
    recipients: Iterable[Recipient],
    event: str,
    title: str,
    summary: str,
    lines: Iterable[str] = (),
) -> None:
    """The same inside a transaction. `lines` are shown below the summary, one a line."""
    now = datetime.now(UTC)
    rows = [
        {
            "id": hashlib.sha256(f"{event}\n{recipient.channel}\n{recipient.to}".encode()).hexdigest()[:32],
            "rule": RULE,
            "item_id": None,
            "text": {"title": title, "summary": summary, "lines": list(lines)},
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
