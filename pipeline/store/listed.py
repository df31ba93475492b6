"""What lists have shown: which of their articles are known, and which were there when a source was first read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, exists, select, update
from sqlalchemy.exc import DBAPIError

from pipeline.store.session import StoreError, first_line
from pipeline.store.tables import Address, Filtered, Item, Listed, Run
from pipeline.store.write import insert_ignoring

# SQLite takes 999 parameters a statement in its older builds.
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry of a list as it is to be remembered: the key of its article, its URL and its title."""

    address: str
    url: str
    title: str


@dataclass(frozen=True, slots=True)
class Standing:
    """`untold`: another source brought it, and rules that name this one were not asked yet. `fresh`: the list shows it
    for the first time.

    What else is known of a listed article: stored or filtered already, said to be gone, in the baseline."""

    stored: bool
    filtered: bool
    gone: bool
    baseline: bool
    untold: bool = False
    fresh: bool = False


def remember_list(
    engine: Engine, source_key: str, entries: Iterable[Shown], *, baseline: bool, now: datetime
) -> Mapping[str, Standing]:
    """Note the entries of a list page and say by address how each stands. Raises StoreError.

    An entry keeps the standing of its first time: what was baseline stays baseline, whenever it is fetched.
    """
    rows = {
        entry.address: {
            "source_key": source_key,
            "address": entry.address,
            "url": entry.url,
            "title": entry.title,
            "baseline": baseline,
            "gone": None,
            "told": False,
            "first_seen_at": now,
        }
        for entry in entries
    }
    standings: dict[str, Standing] = {}
    addresses = list(rows)
    try:
        with engine.begin() as connection:
            known = _known(connection, source_key, addresses)
            # In one order everywhere: two processes that note the same entries wait, they don't deadlock.
            insert_ignoring(connection, Listed, [rows[address] for address in sorted(rows)])
            for start in range(0, len(addresses), _CHUNK):
                chunk = addresses[start : start + _CHUNK]
                owner = (
                    select(Item.source_key)
                    .join(Address, Address.item_id == Item.id)
                    .where(Address.address == Listed.address)
                    .scalar_subquery()
                )
                query = select(
                    Listed.address,
                    Listed.told,
                    owner.label("owner"),
                    Listed.gone,
                    Listed.baseline,
                    exists().where(Address.address == Listed.address).label("stored"),
                    exists().where(Filtered.address == Listed.address).label("filtered"),
                ).where(Listed.source_key == source_key, Listed.address.in_(chunk))
                for row in connection.execute(query):
                    standings[row.address] = Standing(
                        stored=bool(row.stored),
                        filtered=bool(row.filtered),
                        gone=row.gone is not None,
                        baseline=row.baseline,
                        untold=not (row.baseline or row.told) and row.owner not in (None, source_key),
                        fresh=row.address not in known,
                    )
    except DBAPIError as error:
        raise StoreError(f"The list of {source_key} could not be noted: {first_line(error)}.") from error
    return standings


def _known(connection: Connection, source_key: str, addresses: list[str]) -> set[str]:
    known: set[str] = set()
    for start in range(0, len(addresses), _CHUNK):
        chunk = addresses[start : start + _CHUNK]
        query = select(Listed.address).where(Listed.source_key == source_key, Listed.address.in_(chunk))
        known.update(connection.scalars(query))
    return known


def mark_gone(engine: Engine, source_key: str, address: str, kind: str) -> None:
    """Note that an article's page is a tombstone of this kind, so that it isn't fetched for ever."""
    with engine.begin() as connection:
        connection.execute(
            update(Listed).where(Listed.source_key == source_key, Listed.address == address).values(gone=kind)
        )


def first_read(engine: Engine, source_key: str) -> datetime | None:
    """When a finished crawl first read a list of this source (UTC); None before: until then all is baseline."""
    with engine.connect().execution_options(read_only=True) as connection:
        moment: datetime | None = connection.scalar(
            select(Run.list_read_at)
            .where(Run.source_key == source_key, Run.list_read_at.is_not(None))
            .order_by(Run.id)
            .limit(1)
        )
    return moment
