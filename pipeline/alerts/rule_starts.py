"""Since when each rule is configured: what was stored before that is not told by it, unless it asks.

A rule is known by its name: one that is renamed starts anew.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, func, select, update

from pipeline.store.alert_tables import RuleStart
from pipeline.store.sketches import chunks
from pipeline.store.tables import Delivery, Item, Run
from pipeline.store.write import insert_ignoring


@dataclass(frozen=True, slots=True)
class Start:
    """When a rule was first configured, and when in its present form (UTC)."""

    started_at: datetime
    changed_at: datetime


def remember_rules(engine: Engine, fingerprints: Mapping[str, str]) -> None:
    """Note the rules that are configured now, by name, with a fingerprint of their present form.

    Call it before anything is stored under them. A rule of a store from before this was noted has begun when the
    first item was stored that it told of, at the latest.
    """
    now = datetime.now(UTC)
    with engine.begin() as connection:
        known = {
            row.rule: row.fingerprint
            for row in connection.execute(select(RuleStart.rule, RuleStart.fingerprint))
        }
        fresh: list[dict[str, object]] = []
        for rule, fingerprint in fingerprints.items():
            if rule not in known:
                first = connection.scalar(
                    select(func.min(Run.started_at))
                    .join(Item, Item.run_id == Run.id)
                    .join(Delivery, Delivery.item_id == Item.id)
                    .where(Delivery.rule == rule)
                )
                fresh.append(
                    {
                        "rule": rule,
                        "started_at": first or now,
                        "fingerprint": fingerprint,
                        "changed_at": now,
                    }
                )
            elif known[rule] != fingerprint:
                connection.execute(
                    update(RuleStart)
                    .where(RuleStart.rule == rule)
                    .values(fingerprint=fingerprint, changed_at=now)
                )
        insert_ignoring(connection, RuleStart, fresh)


def read_starts(connection: Connection, rules: Collection[str] | None = None) -> dict[str, Start]:
    """The starts of these rules, or of all, as far as they are known."""
    query = select(RuleStart.rule, RuleStart.started_at, RuleStart.changed_at)
    if rules is not None:
        query = query.where(RuleStart.rule.in_(rules))
    return {row.rule: Start(row.started_at, row.changed_at) for row in connection.execute(query)}


def read_storing(connection: Connection, item_ids: Collection[int]) -> dict[int, datetime]:
    """When the runs began that first stored these items (UTC): what pages say of time has no part in it."""
    stored: dict[int, datetime] = {}
    for chunk in chunks(item_ids):
        query = select(Item.id, Run.started_at).join(Run, Run.id == Item.run_id).where(Item.id.in_(chunk))
        stored.update((row.id, row.started_at) for row in connection.execute(query))
    return stored


def started_at(connection: Connection, rule: str) -> datetime | None:
    """When a rule was first configured (UTC); None where that isn't known."""
    return connection.scalar(select(RuleStart.started_at).where(RuleStart.rule == rule))
