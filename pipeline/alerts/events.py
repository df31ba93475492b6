"""What an alert is about: the kinds of events that rules ask for, and what each has to say."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from pipeline.alerts.message import Told
from pipeline.dates import SHANGHAI
from pipeline.dedupe import Text
from pipeline.dedupe.changes import find_changes, summarise_changes
from pipeline.store.tables import Address, Item, Listed, Version, Withdrawal
from pipeline.store.withdrawals import KINDS

EVENTS = ("new", "edited", "joined", "withdrawn")
"""The kinds of events. In the outbox stand `new`, `version N`, `joined`, `withdrawn`, `withdrawn N`."""

_NUMBER = re.compile(r" (\d+)$")


def kind_of(event: str) -> str:
    """The kind of an event of the outbox."""
    word = event.partition(" ")[0]
    return "edited" if word == "version" else word


def tell_event(connection: Connection, item_id: int, event: str) -> Told | None:
    """What happened: what changed in a version, when and how an item was withdrawn, or where in a list a
    new one was put in later. None where there is nothing to say."""
    number = int(found[1]) if (found := _NUMBER.search(event)) else 1
    if kind_of(event) == "edited":
        return _tell_edit(connection, item_id, number)
    if kind_of(event) == "new":
        return _tell_insertion(connection, item_id)
    return _tell_withdrawal(connection, item_id, number) if kind_of(event) == "withdrawn" else None


def _tell_insertion(connection: Connection, item_id: int) -> Told | None:
    place = connection.scalar(
        select(Listed.inserted)
        .join(Address, Address.address == Listed.address)
        .where(Address.item_id == item_id, Listed.inserted.is_not(None))
        .order_by(Listed.source_key)
        .limit(1)
    )
    return Told("inserted", place) if place else None


def _tell_edit(connection: Connection, item_id: int, number: int) -> Told | None:
    query = (
        select(Version.title, Version.body)
        .where(Version.item_id == item_id, Version.number.in_((number - 1, number)))
        .order_by(Version.number)
    )
    texts = [Text(row.title, row.body, None) for row in connection.execute(query)]
    return Told("changed", summarise_changes(find_changes(*texts))) if len(texts) == 2 else None


def _tell_withdrawal(connection: Connection, item_id: int, number: int) -> Told | None:
    rows = connection.execute(
        select(
            Withdrawal.kind, Withdrawal.seen_until, Withdrawal.gone_at, Item.first_seen_at, Item.published_at
        )
        .join(Item, Item.id == Withdrawal.item_id)
        .where(Withdrawal.item_id == item_id, Withdrawal.confirmed_at.is_not(None))
        .order_by(Withdrawal.id)
    ).all()
    return Told("withdrawal", describe_withdrawal(rows[number - 1])) if number <= len(rows) else None


def describe_withdrawal(row: Any) -> str:
    """A withdrawal in words. `row` has its kind and times, and when its item was published and first seen.

    The hours count from publication, where a time was printed, else from the first sight of the article.
    """
    start = row.published_at if row.published_at and row.published_at <= row.gone_at else row.first_seen_at
    hours = max(1, round((row.gone_at - start).total_seconds() / 3600))
    return (
        f"after {hours} {'hour' if hours == 1 else 'hours'}: {KINDS.get(row.kind, row.kind)}; "
        f"there until {_shown(row.seen_until)}, gone at {_shown(row.gone_at)}"
    )


def _shown(moment: datetime) -> str:
    return f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
