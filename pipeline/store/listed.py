"""What lists have shown: which of their articles are known, and which were there when a source was first read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, Engine, exists, insert, select, update
from sqlalchemy.exc import DBAPIError

from pipeline.store.session import StoreError, first_line
from pipeline.store.tables import Address, Filtered, Item, Listed, Run, Snapshot
from pipeline.store.withdrawals import APART
from pipeline.store.write import insert_ignoring

# SQLite takes 999 parameters a statement in its older builds.
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry of a list as it is to be remembered: the key of its article, its URL, its title, and the day that the
    list prints."""

    address: str
    url: str
    title: str
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a listed article: stored or filtered already, said to be gone, in the baseline.

    `untold`: another source brought it, and rules that name this one were not asked yet. `fresh`: this list has shown
    it for the first time just now. `inserted`: it does so in a place that it had already shown without it."""

    stored: bool
    filtered: bool
    gone: bool
    baseline: bool
    untold: bool = False
    fresh: bool = False
    inserted: bool = False


def remember_list(
    engine: Engine,
    source_key: str,
    entries: Iterable[Shown],
    *,
    baseline: bool,
    now: datetime,
    evidence: Mapping[str, object] | None,
) -> Mapping[str, Standing]:
    """Note the entries of a list page, in its order, and say by address how each stands. Raises StoreError.

    `evidence` is the page's row in the table `snapshot`, written with them; None where it stands there. An entry keeps
    the standing of its first time: what was baseline stays baseline, whenever it is fetched.
    """
    page = list(entries)
    rows: dict[str, dict[str, Any]] = {
        entry.address: {
            "source_key": source_key,
            "address": entry.address,
            "url": entry.url,
            "title": entry.title,
            "baseline": baseline,
            "gone": None,
            "gone_since": None,
            "told": False,
            "first_seen_at": now,
            "inserted": None,
        }
        for entry in page
    }
    standings: dict[str, Standing] = {}
    addresses = list(rows)
    try:
        with engine.begin() as connection:
            if evidence is not None:
                connection.execute(insert(Snapshot).values(evidence))
            shown_before = _shown_before(connection, source_key, addresses)
            inserted = {} if baseline else _find_inserted(page, shown_before)
            for address, place in inserted.items():
                rows[address]["inserted"] = place
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
                        fresh=row.address not in shown_before,
                        inserted=row.address in inserted,
                    )
    except DBAPIError as error:
        raise StoreError(f"The list of {source_key} could not be noted: {first_line(error)}.") from error
    return standings


def _find_inserted(page: Sequence[Shown], shown_before: set[str]) -> dict[str, str]:
    """The entries that were put in between others that were there before, beneath a newer one, with which that is.

    What is new at the end of a page may have moved up from the next one, and what is new beneath an older entry, or
    one of the same day, may stand there by the list's order: neither counts. A list that isn't ordered by date, the
    newest first but for pinned entries on top, shows nothing of the kind.
    """
    days = [entry.day for entry in page if entry.address in shown_before and entry.day is not None]
    if sum(one < next_one for one, next_one in pairwise(days)) > 1:
        return {}
    last = max((place for place, entry in enumerate(page) if entry.address in shown_before), default=0)
    found: dict[str, str] = {}
    newer: Shown | None = None
    for entry in page[:last]:
        if entry.address in shown_before:
            newer = entry if entry.day is not None else newer
        elif entry.day is not None and newer is not None and newer.day is not None and entry.day < newer.day:
            found[entry.address] = f"beneath {newer.title}, {newer.day.isoformat()}"
    return found


def _shown_before(connection: Connection, source_key: str, addresses: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(addresses), _CHUNK):
        query = select(Listed.address).where(
            Listed.source_key == source_key, Listed.address.in_(addresses[start : start + _CHUNK])
        )
        found.update(connection.scalars(query))
    return found


def mark_gone(engine: Engine, source_key: str, address: str, kind: str, now: datetime) -> None:
    """Note that the page of an article that was never read is gone, so that it isn't fetched for ever.

    A tombstone that says why is believed at once. A page that is merely missing may not be there yet, and is asked
    for with every crawl until it is missing six hours after the first look.
    """
    entry = [Listed.source_key == source_key, Listed.address == address]
    with engine.begin() as connection:
        if kind == "unavailable":
            connection.execute(
                update(Listed).where(*entry, Listed.gone_since.is_(None)).values(gone_since=now)
            )
            entry.append(Listed.gone_since <= now - APART)
        connection.execute(update(Listed).where(*entry).values(gone=kind))


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


def was_baseline(connection: Connection, item_id: int) -> bool:
    """True for an item that every list which names it already showed when it was first read."""
    own = select(Address.address).where(Address.item_id == item_id)
    listed = connection.scalars(select(Listed.baseline).where(Listed.address.in_(own))).all()
    return bool(listed) and all(listed)
