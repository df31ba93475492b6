"""How far a walk through a source's archive has come, so that one that was killed goes on where it stopped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, delete, exists, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from pipeline.store.session import StoreError, first_line
from pipeline.store.tables import Address, Filtered, Frontier, Listed
from pipeline.store.write import insert_ignoring

_CHUNK = 500  # SQLite takes 999 parameters a statement in its older builds


@dataclass(frozen=True, slots=True)
class Met:
    """An article that a list page shows. It is `waiting` when it has to be stored; `entry` is that line of the page as
    JSON where the article is to be fetched, None where the list brings it whole."""

    address: str
    url: str
    waiting: bool = False
    entry: Mapping[str, Any] | None = None
    baseline: bool = False


@dataclass(frozen=True, slots=True)
class Left:
    """An article that a walk has met and that was not fetched; `listed_at` is when its list page was (UTC)."""

    address: str
    entry: Mapping[str, Any]
    baseline: bool
    listed_at: datetime


@dataclass(frozen=True, slots=True)
class Stopped:
    """Where a walk stopped: the URLs of the list pages it has read, by number, and the articles left."""

    pages: Mapping[int, str]
    left: tuple[Left, ...]


def open_walk(engine: Engine, source_key: str, url: str, *, only_ip: bool) -> Stopped:
    """What an unfinished walk of this source has done and left; nothing of either where there is none.

    A walk whose first page is not `url` went through another list: it is forgotten. `only_ip`: articles that were
    filtered need not be fetched. Raises StoreError.
    """
    mine = Frontier.source_key == source_key
    settled = [
        exists().where(Address.address == Frontier.address),
        exists().where(
            Listed.source_key == source_key, Listed.address == Frontier.address, Listed.gone.is_not(None)
        ),
    ]
    if only_ip:
        settled.append(exists().where(Filtered.address == Frontier.address))
    waiting = (
        select(Frontier.address, Frontier.entry, Frontier.baseline, Frontier.listed_at, Frontier.number)
        .where(mine, Frontier.kind == "article", Frontier.state == "waiting", *(~known for known in settled))
        .order_by(Frontier.number, Frontier.address)
    )
    try:
        with engine.begin() as connection:
            read = select(Frontier.number, Frontier.url).where(mine, Frontier.kind == "list", Frontier.joined)
            pages = {row.number: row.url for row in connection.execute(read)}
            if pages.get(1) != url:
                connection.execute(delete(Frontier).where(mine))
                return Stopped({}, ())
            rows = connection.execute(waiting).all()
    except DBAPIError as error:
        raise _refused(source_key, error) from error
    # An article that its list brought whole comes again with that list only.
    whole = min((row.number for row in rows if row.entry is None), default=None)
    if whole is not None:
        pages = {number: page for number, page in pages.items() if number < whole}
    left = [Left(*row[:4]) for row in rows if row.entry is not None]
    return Stopped(pages, tuple(left))


def note_page(
    engine: Engine,
    source_key: str,
    number: int,
    url: str,
    articles: Iterable[Met],
    *,
    joined: bool,
    now: datetime,
) -> int:
    """Note that a list page was read and what it shows, all or nothing; say how much of it had been joined before.

    `joined`: the page is the first, or follows on one that is. Raises StoreError.
    """
    met: dict[str, Met] = {}
    for article in articles:
        met.setdefault(article.address, article)
    page = {"source_key": source_key, "number": number, "joined": joined, "listed_at": now}
    rows = [
        {
            **page,
            "kind": "article",
            "address": article.address,
            "url": article.url,
            "state": "waiting" if article.waiting else "seen",
            "baseline": article.baseline,
            "entry": dict(article.entry) if article.entry is not None else None,
        }
        for article in met.values()
    ]
    read = {
        "kind": "list",
        "address": str(number),
        "url": url,
        "state": "read",
        "baseline": False,
        "entry": None,
    }
    insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
    upsert = insert(Frontier).values({**page, **read})
    upsert = upsert.on_conflict_do_update(
        index_elements=[Frontier.source_key, Frontier.kind, Frontier.address],
        set_={"url": url, "listed_at": now},
    )
    try:
        with engine.begin() as connection:
            known = 0
            addresses = sorted(met)
            for start in range(0, len(addresses), _CHUNK):
                query = select(Frontier.address).where(
                    Frontier.source_key == source_key,
                    Frontier.kind == "article",
                    Frontier.joined,
                    Frontier.address.in_(addresses[start : start + _CHUNK]),
                )
                known += len(connection.execute(query).all())
            insert_ignoring(connection, Frontier, rows)
            connection.execute(upsert)
    except DBAPIError as error:
        raise _refused(source_key, error) from error
    return known


def join_head(engine: Engine, source_key: str) -> None:
    """Note that what was read from the head of the list has met what was read before. Raises StoreError."""
    head = (Frontier.source_key == source_key, Frontier.joined.is_(False))
    try:
        with engine.begin() as connection:
            connection.execute(update(Frontier).where(*head).values(joined=True))
    except DBAPIError as error:
        raise _refused(source_key, error) from error


def finish_walk(engine: Engine, source_key: str) -> None:
    """Forget a walk that has come to its end. Raises StoreError."""
    try:
        with engine.begin() as connection:
            connection.execute(delete(Frontier).where(Frontier.source_key == source_key))
    except DBAPIError as error:
        raise _refused(source_key, error) from error


def _refused(source_key: str, error: DBAPIError) -> StoreError:
    return StoreError(f"The walk through {source_key} could not be noted: {first_line(error)}.")
