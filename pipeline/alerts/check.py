"""The check of the ledger: what was stored and matched is held against what was delivered, over all items.

Every item, rule and recipient that should have an alert has one, and every alert was sent, waits with a reason, was
held back, or was given up. Rules are tried on the stored rows, not on what a process remembers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, and_, func, or_, select
from sqlalchemy.orm import aliased

from pipeline.alerts.rule_starts import Start, read_starts
from pipeline.alerts.rules import Rule
from pipeline.store.alert_tables import Attempt
from pipeline.store.listed import was_baseline
from pipeline.store.outbox_rows import BUNDLED, NEW, Match
from pipeline.store.tables import Delivery, Item, Run

PATIENCE = timedelta(minutes=15)
"""An alert that has been due for longer is overdue: nothing sends, or nothing comes to it."""
Find = Callable[[Connection, int], Iterable[Match]]
"""Whom today's rules would tell of a stored item as new."""


@dataclass(frozen=True, slots=True)
class Missing:
    """An alert that should be in the ledger and isn't."""

    uid: str
    title: str
    rule: str
    channel: str
    recipient: str


@dataclass(slots=True)
class Check:
    """What the check found. `states` counts the alerts by state; `overdue`, `astray` and `unproved` are ids of alerts:
    due for too long; bundled in a message that is settled; sent without an attempt that was taken. `unknown` counts
    matches that can't be judged, since the item was edited after its alerts were written."""

    items: int = 0
    matches: int = 0
    unknown: int = 0
    missing: list[Missing] = field(default_factory=list)
    states: dict[str, int] = field(default_factory=dict)
    overdue: list[str] = field(default_factory=list)
    astray: list[str] = field(default_factory=list)
    unproved: list[str] = field(default_factory=list)

    @property
    def is_well(self) -> bool:
        """True when every alert that should be there is, and each is accounted for."""
        return not (self.missing or self.overdue or self.astray or self.unproved)

    def as_line(self) -> str:
        """All of it in one line, for the daily summary."""
        shown = {
            "sent": self.states.get("sent", 0),
            "waiting": sum(self.states.get(state, 0) for state in ("due", "sending", BUNDLED)),
            "held back": self.states.get("held", 0),
            "given up": self.states.get("failed", 0),
        }
        faults = {
            "missing": len(self.missing),
            "overdue": len(self.overdue),
            "astray": len(self.astray),
            "without proof": len(self.unproved),
        }
        found = ", ".join(f"{number} {word}" for word, number in faults.items() if number)
        return (
            f"Alerts: {found or 'all accounted for'}; {self.items} items tried, {self.matches} matches; "
            + ", ".join(f"{number} {word}" for word, number in shown.items())
        )


def check_alerts(
    engine: Engine, rules: Iterable[Rule], find: Find, now: datetime, *, since: datetime | None = None
) -> Check:
    """Check all items and alerts, or those stored since then. Times are zone-aware.

    A rule is only held to what was stored since it has its present form.
    """
    known = {rule.name: rule for rule in rules}
    with engine.connect().execution_options(read_only=True) as connection:
        check = Check()
        starts = read_starts(connection)
        _check_items(connection, check, {name: starts[name] for name in known if name in starts}, find, since)
        _check_ledger(connection, check, now, since)
    return check


def _check_items(
    connection: Connection,
    check: Check,
    starts: Mapping[str, Start],
    find: Find,
    since: datetime | None,
) -> None:
    if not starts:
        return
    # A rule that is told of anything was there before the run that stored it.
    earliest = min(start.changed_at for start in starts.values())
    query = (
        select(Item.id, Item.uid, Item.title, Item.version_number, Run.started_at)
        .join(Run, Run.id == Item.run_id)
        .where(Run.started_at >= max(earliest, since) if since else Run.started_at >= earliest)
        .order_by(Item.id)
    )
    for item in connection.execute(query).all():
        check.items += 1
        found = [
            one
            for one in find(connection, item.id)
            if one.rule in starts and starts[one.rule].changed_at <= item.started_at
        ]
        check.matches += len(found)
        if not found:
            continue
        told = {
            (row.rule, row.channel, row.recipient)
            for row in connection.execute(
                select(Delivery.rule, Delivery.channel, Delivery.recipient).where(
                    Delivery.item_id == item.id, Delivery.event == NEW
                )
            )
        }
        lacking = [one for one in found if (one.rule, one.channel, one.recipient) not in told]
        if not lacking or was_baseline(connection, item.id):
            continue
        if item.version_number > 1:
            check.unknown += len(lacking)
            continue
        check.missing += [
            Missing(item.uid, item.title, one.rule, one.channel, one.recipient) for one in lacking
        ]


def _check_ledger(connection: Connection, check: Check, now: datetime, since: datetime | None) -> None:
    young = () if since is None else (Delivery.created_at >= since,)
    counts = select(Delivery.state, func.count().label("number")).where(*young).group_by(Delivery.state)
    check.states = {row.state: row.number for row in connection.execute(counts)}
    overdue = and_(Delivery.state.in_(("due", "sending")), Delivery.next_at < now - PATIENCE)
    check.overdue = list(connection.scalars(select(Delivery.id).where(overdue).order_by(Delivery.next_at)))
    message = aliased(Delivery)
    check.astray = list(
        connection.scalars(
            select(Delivery.id)
            .join(message, message.id == Delivery.message_id, isouter=True)
            .where(
                Delivery.state == BUNDLED,
                or_(message.id.is_(None), message.state.in_(("sent", "failed", "held"))),
                *young,
            )
        )
    )
    # Alerts that were sent before attempts were kept have none.
    first = connection.scalar(select(func.min(Attempt.made_at)))
    if first is None:
        return
    proved = or_(Attempt.delivery_id == Delivery.id, Attempt.delivery_id == Delivery.message_id)
    check.unproved = list(
        connection.scalars(
            select(Delivery.id).where(
                Delivery.state == "sent",
                Delivery.sent_at > first,
                ~select(Attempt.id).where(proved, Attempt.outcome == "sent").exists(),
                *young,
            )
        )
    )
