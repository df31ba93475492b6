"""Who is to hear that an article was withdrawn: those whose rules match it, and those who were told of it before."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, select

from crawlers.stored import read_stored
from pipeline.alerts.rules import Rules
from pipeline.record import Record
from pipeline.store.outbox_rows import Match, Occurrence, find_deliveries
from pipeline.store.tables import Delivery


def withdrawal_rows(rules: Rules, item_id: int, connection: Connection, event: str) -> list[dict[str, Any]]:
    """The outbox rows for the event of a withdrawal.

    Those told before count even where their rule matches no longer, or names another source that listed the article;
    but their rule must still be there and ask for withdrawals.
    """
    told = connection.execute(
        select(Delivery.rule, Delivery.channel, Delivery.recipient)
        .where(Delivery.item_id == item_id, Delivery.rule.in_(rules.names_for(event)))
        .order_by(Delivery.created_at, Delivery.id)
    ).all()

    def match(record: Record, event: str) -> Iterable[Match]:
        before = (Match(row.rule, row.channel, row.recipient) for row in told)
        return dict.fromkeys((*rules(record, event), *before))

    withdrawn = Occurrence(read_stored(connection, item_id), item_id, event)
    (rows,) = find_deliveries(connection, [withdrawn], match)
    return rows
