"""How many messages a channel may send in a time, kept in the database for all processes of an installation together.

A channel has as many places as it takes messages in the time. A message takes a free place before it is sent; the place
is free again when the time has passed since the answer, so that the server never sees more, however long a message is
under way. A process that dies in between keeps its place a little longer. Times are those of the database's clock; when
that was set back, a place that seems taken for hours is free.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, case, func, or_, select, update
from sqlalchemy.exc import DBAPIError

from pipeline.store.alert_tables import ChannelPace
from pipeline.store.hosts import DatabaseNow
from pipeline.store.session import StoreError, first_line
from pipeline.store.write import insert_ignoring

# Seconds: longer than any interval with its waits for a server, and than any rest that a robot gets.
_LONGEST_TAKEN = 3 * 3600


@dataclass(frozen=True, slots=True)
class Pace:
    """At most `messages` in any `interval` seconds; `key` says for whom. A message takes at most `timeout` seconds for
    each of the few waits for the server."""

    key: str
    messages: int
    interval: float
    timeout: float


@dataclass(frozen=True, slots=True)
class Turn:
    """A message may be sent in `wait` seconds. It may be now when that is 0, and then `place` was taken for it."""

    wait: float
    place: int | None = None


def take_turn(engine: Engine, pace: Pace) -> Turn:
    """Take a place for one message, if one is free. Raises StoreError."""
    now = DatabaseNow()
    mine = (ChannelPace.channel == pace.key, ChannelPace.place < pace.messages)
    places = [{"channel": pace.key, "place": place, "free_at": 0.0} for place in range(pace.messages)]
    try:
        with engine.begin() as connection:
            known = connection.scalar(select(func.count()).select_from(ChannelPace).where(*mine))
            if known != pace.messages:
                insert_ignoring(connection, ChannelPace, places)
            place = connection.scalar(
                select(ChannelPace.place)
                .where(*mine, or_(ChannelPace.free_at <= now, ChannelPace.free_at > now + _LONGEST_TAKEN))
                .order_by(ChannelPace.place)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            if place is None:
                wait = connection.scalar(select(func.min(ChannelPace.free_at) - now).where(*mine))
                return Turn(max(wait or 0.0, 0.001))
            under_way = 4 * pace.timeout
            connection.execute(
                update(ChannelPace)
                .where(*mine, ChannelPace.place == place)
                .values(free_at=now + (pace.interval + under_way))
            )
            return Turn(0.0, place)
    except DBAPIError as error:
        raise StoreError(f"The pace of a channel could not be noted: {first_line(error)}.") from error


def end_turn(engine: Engine, pace: Pace, place: int, rest: float | None) -> None:
    """Note that the message has been answered. With `rest`, nothing is sent for so many seconds. Raises StoreError."""
    now = DatabaseNow()
    try:
        with engine.begin() as connection:
            mine = ChannelPace.channel == pace.key
            connection.execute(
                update(ChannelPace)
                .where(mine, ChannelPace.place == place)
                .values(free_at=now + pace.interval)
            )
            if rest:
                until = now + rest
                later = case((ChannelPace.free_at < until, until), else_=ChannelPace.free_at)
                connection.execute(update(ChannelPace).where(mine).values(free_at=later))
    except DBAPIError as error:
        raise StoreError(f"The pace of a channel could not be noted: {first_line(error)}.") from error
