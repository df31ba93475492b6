"""How far a walk through a source's archive has come, so that one that was killed goes on where it stopped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, delete, exists, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from pipeline.store.session import StoreError, first_line
from pipeline.store.tables import Address, Filtered, Frontier, Listed
from pipeline.store.write import insert_ignoring

_CHUNK = 500  # SQLite takes 999 parameters a statement in its older builds


@dataclass(frozen=True, slots=True)
class Met:
    """An article that a list page shows. `entry` is that line of the page as JSON where it is to be fetched."""

    address: str
    url: str
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
        select(Frontier.address, Frontier.entry, Frontier.baseline, Frontier.listed_at)
        .where(mine, Frontier.kind == "article", Frontier.state == "waiting", *(~known for known in settled))
        .order_by(Frontier.number, Frontier.address)
    )
    try:
        with engine.begin() as connection:
            rows = connection.execute(
                select(Frontier.number, Frontier.url).where(mine, Frontier.kind == "list")
            )
            pages = {row.number: row.url for row in rows}
            if pages.get(1) != url:
                connection.execute(delete(Frontier).where(mine))
                return Stopped({}, ())
            return Stopped(pages, tuple(Left(*row) for row in connection.execute(waiting)))
    except DBAPIError as error:
        raise _refused(source_key, error) from error


def note_page(
    engine: Engine, source_key: str, number: int, url: str, articles: Iterable[Met], now: datetime
) -> int:
    """Note that a list page was read and what it shows, all or nothing; say how many of it the walk had met before.

    Raises StoreError.
    """
    met = {article.address: article for article in articles}
    rows = [
        {
            "source_key": source_key,
            "kind": "article",
            "address": article.address,
            "number": number,
            "url": article.url,
            "state": "seen" if article.entry is None else "waiting",
            "baseline": article.baseline,
            "entry": dict(article.entry) if article.entry is not None else None,
            "listed_at": now,
        }
        for article in met.values()
    ]
    page = {
        "source_key": source_key,
        "kind": "list",
        "address": str(number),
        "number": number,
        "url": url,
        "state": "read",
        "baseline": False,
        "entry": None,
        "listed_at": now,
    }
    insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
    upsert = insert(Frontier).values(page)
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
                    Frontier.address.in_(addresses[start : start + _CHUNK]),
                )
                known += len(connection.execute(query).all())
            insert_ignoring(connection, Frontier, rows)
            connection.execute(upsert)
    except DBAPIError as error:
        raise _refused(source_key, error) from error
    return known


def finish_walk(engine: Engine, source_key: str) -> None:
    """Forget a walk that has come to its end. Raises StoreError."""
    try:
        with engine.begin() as connection:
            connection.execute(delete(Frontier).where(Frontier.source_key == source_key))
    except DBAPIError as error:
        raise _refused(source_key, error) from error


def _refused(source_key: str, error: DBAPIError) -> StoreError:
    return StoreError(f"The walk through {source_key} could not be noted: {first_line(error)}.")
