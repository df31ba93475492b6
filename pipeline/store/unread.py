"""Articles that a source has shown and that could not be read: since when, how often they were tried, and which of them
a person has set aside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, delete, exists, or_, select, update

from errors import ConfigurationError
from pipeline.dates import SHANGHAI
from pipeline.normalize import identify_url
from pipeline.store.health_tables import UnreadArticle
from pipeline.store.tables import Address, Filtered, Listed
from pipeline.store.write import insert_ignoring

TRIES = 5
"""Crawls in which an article could not be read before it stands on its own."""


@dataclass(frozen=True, slots=True)
class Failed:
    """An article that a crawl could not read: how that ended and why. `entry` is the line of the list that leads to it,
    as JSON; None where the list brings it whole, so that it can't be asked for by itself."""

    address: str
    url: str
    title: str
    ending: str
    why: str
    baseline: bool
    entry: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Unread:
    """An article that was never read. `since` and `tried_at` (UTC) are the first and the last of its `tries`;
    `others_read`: another article of its source was read since."""

    source_key: str
    address: str
    url: str
    title: str
    ending: str
    why: str
    baseline: bool
    entry: Mapping[str, Any] | None
    since: datetime
    tried_at: datetime
    tries: int
    others_read: bool
    set_aside_at: datetime | None
    set_aside_reason: str | None

    @property
    def is_set_aside(self) -> bool:
        """True when a person has decided that it need not be read."""
        return self.set_aside_at is not None

    @property
    def stands_alone(self) -> bool:
        """True when the article is at fault and not its source: it was tried often, and others could be read."""
        return self.tries >= TRIES and self.others_read


def say_unread(articles: Sequence[Unread]) -> str:
    """How many articles can't be read and since when, with the address of the one that was tried first."""
    first = min(articles, key=lambda article: article.since)
    day = first.since.astimezone(SHANGHAI).date()
    if len(articles) == 1:
        return f"One article can't be read since {day}: {first.url}"
    return f"{len(articles)} articles can't be read, the first since {day}: {first.url}"


def read_unread(engine: Engine, source_key: str | None = None) -> list[Unread]:
    """The articles that were never read, of a source or of all, those tried least recently first."""
    with engine.connect().execution_options(read_only=True) as connection:
        return select_unread(connection, source_key)


def select_unread(connection: Connection, source_key: str | None = None) -> list[Unread]:
    """The same within a transaction."""
    query = select(*(getattr(UnreadArticle, column.name) for column in fields(Unread)))
    if source_key is not None:
        query = query.where(UnreadArticle.source_key == source_key)
    query = query.order_by(UnreadArticle.source_key, UnreadArticle.tried_at, UnreadArticle.address)
    return [Unread(*row) for row in connection.execute(query)]


def note_unread(
    connection: Connection, source_key: str, failed: Iterable[Failed], *, others_read: bool, now: datetime
) -> None:
    """Note what a crawl of a source could not read, and forget what has been read by now, left out or found gone."""
    mine = UnreadArticle.source_key == source_key
    for article in sorted(failed, key=lambda article: article.address):
        latest = {"ending": article.ending, "why": article.why, "tried_at": now}
        row = {
            "source_key": source_key, "address": article.address, "url": article.url, "title": article.title,
            "baseline": article.baseline, "entry": article.entry, "since": now, "tries": 0, "others_read": False,
            "set_aside_at": None, "set_aside_reason": None,
        }  # fmt: skip
        insert_ignoring(connection, UnreadArticle, [row | latest])
        connection.execute(
            update(UnreadArticle)
            .where(mine, UnreadArticle.address == article.address)
            .values(tries=UnreadArticle.tries + 1, **latest)
        )
    if others_read:
        connection.execute(update(UnreadArticle).where(mine).values(others_read=True))
    address = UnreadArticle.address
    listed = exists().where(
        Listed.source_key == source_key, Listed.address == address, Listed.gone.is_not(None)
    )
    settled = or_(
        exists().where(Address.address == address), exists().where(Filtered.address == address), listed
    )
    connection.execute(
        delete(UnreadArticle).where(mine, settled).execution_options(synchronize_session=False)
    )


def set_aside(engine: Engine, url: str, reason: str, now: datetime) -> list[Unread]:
    """Take articles off those that are to be read, by URL, for a reason that is kept; returns them.

    Raises ConfigurationError when no such article could not be read, or without a reason."""
    if not reason.strip():
        raise ConfigurationError("--reason: say why, whoever reads the summary will ask.")
    return _decide(engine, url, "is waiting to be read", set_aside_at=now, set_aside_reason=reason.strip())


def take_back(engine: Engine, url: str) -> list[Unread]:
    """End what `set_aside` did: the next crawl asks for the article again. Raises ConfigurationError."""
    return _decide(engine, url, "is set aside", set_aside_at=None, set_aside_reason=None)


def _decide(engine: Engine, url: str, state: str, **values: Any) -> list[Unread]:
    aside = UnreadArticle.set_aside_at.is_(None)
    wanted: ColumnElement[bool] = aside if values["set_aside_at"] is not None else ~aside
    named = or_(UnreadArticle.url == url, UnreadArticle.address == identify_url(url))
    with engine.begin() as connection:
        statement = update(UnreadArticle).where(named, wanted).values(values)
        keys = statement.returning(UnreadArticle.source_key, UnreadArticle.address)
        changed = {(row.source_key, row.address) for row in connection.execute(keys)}
        if not changed:
            raise ConfigurationError(f"No article {url} {state}; `iprwatch sources unread` lists them.")
        return [
            article
            for article in select_unread(connection)
            if (article.source_key, article.address) in changed
        ]
