"""Several alerts in one message: digests, and the guard against a storm of messages.

Such a message is a row of the outbox of its own, without an item; the alerts in it name it and are sent when it is. It
is put together in one transaction and kept as it was, so that a copy after a crash says the same under the same id.
Alerts that may have reached somebody already never go into one: they are repeated under their own id or not at all.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, insert, or_, select, update

from pipeline.alerts.compose import compose
from pipeline.alerts.escalation import time_escalation
from pipeline.alerts.parts import shorten
from pipeline.alerts.rule_starts import started_at
from pipeline.alerts.rules import Recipient, Rule
from pipeline.store.outbox_rows import BUNDLED, HELD, NEW, UNTRIED
from pipeline.store.tables import Delivery, Filtered
from pipeline.store.write import insert_ignoring

DIGEST, STORM = "digest", "storm"
"""The events of messages that carry several alerts."""
# Bytes of what a message lists: ten parts of 2,048 bytes hold it, which is what the tightest robot is sent at most.
ROOM = 14_000
_AT_ONCE = 500  # rows that a statement names
_FIXED = 80  # bytes of an entry beside its words


def release(connection: Connection, row: Any, rules: Mapping[str, Rule], now: datetime) -> str | None:
    """The id of the message that may be sent now for this row of the outbox: itself, or one with several alerts.

    None when it has to wait; then it is put off, with the reason, and so are those that wait for the same.
    """
    rule = rules.get(row.text["rules"][0] if row.event in (DIGEST, STORM) else row.rule)
    recipient = find_recipient(rule, row.channel, row.recipient) if rule else None
    if rule is None or recipient is None:
        if row.item_id is None or not rules:
            return str(row.id)
        # Who was taken out, or whose rule was, has no times any more; many alerts still go in one message.
        recipient = Recipient(channel=row.channel, to=row.recipient)
        rule = rule or Rule(name=row.rule, send=(recipient,))
    alone = row.item_id is None or not _is_fresh(connection, row.id)
    collected = bool(recipient.digest) and not alone
    ready = recipient.ready_at(row.created_at, now) if collected else recipient.may_go_at(now)
    if ready > now:
        same = (
            Delivery.id == row.id
            if alone
            else and_(
                *_addressed(row), Delivery.rule == rule.name, *_FRESH, Delivery.created_at >= row.created_at
            )
        )
        _put_off(connection, same, ready, recipient.explain(ready, collected=collected))
        return None
    if alone:
        chosen = str(row.id)
    elif collected:
        chosen = _write_digest(connection, row, recipient, rules, now)
    else:
        decided = _guard_against_storm(connection, row, rule, rules, now)
        if decided is None:
            return None
        chosen = decided
    time_escalation(connection, chosen, rules, now)
    return chosen


def find_recipient(rule: Rule, channel: str, to: str) -> Recipient | None:
    """How the configuration names this recipient of a rule; None when it no longer does."""
    known = (*rule.send, rule.escalate) if rule.escalate else rule.send
    return next((one for one in known if (one.channel, one.to) == (channel, to)), None)


def settle_bundled(connection: Connection, message_id: str, state: str, detail: str, now: datetime) -> None:
    """What became of a message became of the alerts in it."""
    values: dict[str, Any] = {"state": state}
    if state == "sent":
        values["sent_at"] = now
    elif state == "failed":
        values["detail"] = f"in message {message_id}: {detail}"
    else:
        return
    connection.execute(
        update(Delivery).where(Delivery.message_id == message_id, Delivery.state == BUNDLED).values(**values)
    )


def write_empty_digests(connection: Connection, rules: Iterable[Rule], now: datetime) -> None:
    """A message to each recipient that asks for one also when its digest has nothing to tell, and is due."""
    rules = tuple(rules)
    asking = {
        (one.channel, one.to): (rule, one)
        for rule in reversed(rules)
        for one in rule.send
        if one.empty_digest
    }
    for rule, recipient in asking.values():
        where = (Delivery.channel == recipient.channel, Delivery.recipient == recipient.to)
        names = _digested_with(recipient, rules)
        # Asked for first: a digest that another process has just written is seen by one question or the other.
        waiting = set(connection.scalars(select(Delivery.rule).where(*where, *_FRESH).distinct()))
        last = connection.scalar(
            select(func.max(Delivery.created_at)).where(*where, Delivery.event == DIGEST)
        ) or started_at(connection, rule.name)
        if last is None or not waiting.isdisjoint(names) or recipient.ready_at(last, now) > now:
            continue
        notes = _count_left_out(connection, recipient, [one for one in rules if one.name in names], last)
        # Two processes that find this at once write one row: its id follows from whom and from when.
        told = f"{recipient.channel}\n{recipient.to}\n{recipient.next_digest(last).isoformat()}"
        message_id = hashlib.sha256(told.encode()).hexdigest()[:32]
        insert_ignoring(
            connection, Delivery, [_message(message_id, DIGEST, recipient, list(names), [], 0, notes, now)]
        )


_FRESH: tuple[ColumnElement[bool], ...] = (*UNTRIED, Delivery.item_id.is_not(None))


def _is_fresh(connection: Connection, delivery_id: str) -> bool:
    return connection.scalar(select(Delivery.id).where(Delivery.id == delivery_id, *_FRESH)) is not None


def _addressed(row: Any) -> tuple[ColumnElement[bool], ...]:
    return Delivery.channel == row.channel, Delivery.recipient == row.recipient


def _put_off(connection: Connection, which: ColumnElement[bool], until: datetime, detail: str) -> None:
    connection.execute(update(Delivery).where(which).values(next_at=until, detail=detail))


# --- Digests ---


def _digested_with(recipient: Recipient, rules: Iterable[Rule]) -> dict[str, None]:
    """The rules, in their order, whose alerts to this recipient are collected for the same times.

    Watchlists may make more of them than a statement can name: what they are asked about is sorted out here.
    """
    wanted = _times_of(recipient)
    return {rule.name: None for rule in rules if any(_times_of(one) == wanted for one in rule.send)}


def _times_of(recipient: Recipient) -> tuple[object, ...]:
    return (
        recipient.channel, recipient.to, recipient.digest, recipient.quiet, recipient.workdays, recipient.zone,
    )  # fmt: skip


def _write_digest(
    connection: Connection, row: Any, recipient: Recipient, rules: Mapping[str, Rule], now: datetime
) -> str:
    """One message with all that waits for this recipient; what doesn't fit is due at once in another."""
    names = _digested_with(recipient, rules.values())
    fresh = connection.execute(
        select(Delivery.id, Delivery.rule, Delivery.created_at)
        .where(*_addressed(row), *_FRESH)
        .order_by(Delivery.rule, Delivery.created_at, Delivery.id)
        .with_for_update(skip_locked=True)
    )
    waiting = [one for one in fresh if one.rule in names]
    entries = _list_entries(connection, waiting, sentences=True)
    chosen = waiting[: len(entries)]
    last = connection.scalar(
        select(func.max(Delivery.created_at)).where(
            Delivery.channel == row.channel, Delivery.recipient == row.recipient,
            Delivery.event == DIGEST, Delivery.state != "failed",
        )
    ) or min(one.created_at for one in chosen)  # fmt: skip
    counted = [rule for rule in rules.values() if rule.name in names]
    notes = _count_left_out(connection, recipient, counted, last)
    told = list(dict.fromkeys(one.rule for one in chosen))
    message_id = uuid.uuid4().hex
    message = _message(message_id, DIGEST, recipient, told, entries, len(chosen), notes, now)
    connection.execute(insert(Delivery).values(message))
    _bundle(connection, [one.id for one in chosen], message_id, f"in message {message_id}")
    return message_id


def _list_entries(connection: Connection, waiting: Iterable[Any], *, sentences: bool) -> list[dict[str, Any]]:
    """What a message says of each of these alerts: as many as there is room for, at least one."""
    entries: list[dict[str, Any]] = []
    used = 0
    for one in waiting:
        message = compose(connection, one.id)
        sentence = message.sentence.shortened() if sentences and message.sentence else None
        entry = {
            "id": message.id,
            "rule": message.rule,
            "event": message.event,
            "title": shorten(message.title, 120),
            "publisher": message.publisher[:60],
            "published": message.published,
            "precision": message.precision,
            "inferred": message.inferred,
            "url": message.url,
            "sentence": asdict(sentence) if sentence else None,
        }
        shown = (sentence.before, sentence.match, sentence.after) if sentence else ()
        said = (entry["title"], entry["publisher"], entry["url"], *shown)
        size = _FIXED + sum(len(str(text).encode()) for text in said)
        if entries and used + size > ROOM:
            break
        entries.append(entry)
        used += size
    return entries


def _count_left_out(
    connection: Connection, recipient: Recipient, rules: Sequence[Rule], since: datetime
) -> dict[str, int]:
    """How many reports were merged into stories that were told, and how many articles left out by their topic."""
    held = select(Delivery.rule, func.count().label("number")).where(
        Delivery.channel == recipient.channel, Delivery.recipient == recipient.to, Delivery.state == HELD,
        Delivery.event == NEW, Delivery.escalates.is_(None), Delivery.created_at > since,
    ).group_by(Delivery.rule)  # fmt: skip
    names = {rule.name for rule in rules}
    merged = sum(row.number for row in connection.execute(held) if row.rule in names)
    filtered = select(func.count()).select_from(Filtered).where(Filtered.first_seen_at > since)
    if all(rule.sources for rule in rules):
        keys = {key for rule in rules for key in rule.sources}
        filtered = filtered.where(Filtered.source_key.in_(keys))
    counts = {"merged": merged, "filtered": connection.scalar(filtered)}
    return {kind: number for kind, number in counts.items() if number}


# --- Storms ---


def _guard_against_storm(
    connection: Connection, row: Any, rule: Rule, rules: Mapping[str, Rule], now: datetime
) -> str | None:
    """The alert itself while few go to its recipient; else one message with all that are due, once in an interval."""
    if not rule.storm:
        return str(row.id)
    to = (Delivery.channel == row.channel, Delivery.recipient == row.recipient)
    mine = (*to, _is_of(rule))
    interval = timedelta(minutes=rule.storm_minutes)
    told = or_(
        and_(Delivery.state == "sent", Delivery.sent_at > now - interval),
        Delivery.state.in_(("sending", BUNDLED)),
    )
    count = rule.storm - _count(connection, rule.storm, *mine, Delivery.item_id.is_not(None), told)
    due = (*mine, *_FRESH, Delivery.next_at <= now)
    if _count(connection, count + 1, *due) <= count:
        return str(row.id)
    storms = (*to, Delivery.rule == rule.group, Delivery.event == STORM)
    last = connection.scalar(select(func.max(Delivery.created_at)).where(*storms))
    if last is not None and last + interval > now:
        detail = (
            f"waits: more than {rule.storm} alerts of the rule in {rule.storm_minutes} minutes, collected"
        )
        _put_off(connection, and_(*due), last + interval, detail)
        return None
    waiting = connection.execute(
        select(Delivery.id, Delivery.rule)
        .where(*due)
        .order_by(Delivery.created_at, Delivery.id)
        .with_for_update(skip_locked=True)
    ).all()
    entries = _list_entries(connection, waiting, sentences=False)
    unlisted = len(waiting) - len(entries)
    recipient = Recipient(channel=row.channel, to=row.recipient)
    notes = {"unlisted": unlisted} if unlisted else {}
    message_id = uuid.uuid4().hex
    number = len(waiting)
    message = _message(
        message_id, STORM, recipient, [rule.name], entries, number, notes, now, called=rule.group
    )
    connection.execute(insert(Delivery).values(message))
    ids = [one.id for one in waiting]
    _bundle(connection, ids[: len(entries)], message_id, f"in message {message_id}")
    _bundle(connection, ids[len(entries) :], message_id, f"counted, not listed, in message {message_id}")
    return message_id


def _is_of(rule: Rule) -> ColumnElement[bool]:
    """The alerts that are counted with those of this rule: all of a watchlist, whose names begin with the list's."""
    if rule.group == rule.name:
        return Delivery.rule == rule.name
    start = f"{rule.group}: "
    return func.substr(Delivery.rule, 1, len(start)) == start


def _count(connection: Connection, most: int, *which: ColumnElement[bool]) -> int:
    """How many rows there are, as far as that matters."""
    if most <= 0:
        return 0
    some = select(Delivery.id).where(*which).limit(most).subquery()
    return connection.scalar(select(func.count()).select_from(some)) or 0


# --- Rows ---


def _message(
    message_id: str,
    event: str,
    recipient: Recipient,
    names: Sequence[str],
    entries: list[dict[str, Any]],
    number: int,
    notes: dict[str, int],
    now: datetime,
    *,
    called: str = "",
) -> dict[str, Any]:
    """The row of a message about these rules, whose title calls them so."""
    called = called or ", ".join(names)
    text = {
        "title": f"{called} ({number})"[:300],
        "summary": "",
        "rules": list(names),
        "number": number,
        "entries": json.loads(json.dumps(entries)),
        "notes": notes,
    }
    return {
        "id": message_id, "rule": called if len(names) == 1 else event, "item_id": None, "story_id": None, "text": text,
        "event": event, "channel": recipient.channel, "recipient": recipient.to, "state": "due", "attempts": 0,
        "parts_sent": 0, "created_at": now, "next_at": now, "sent_at": None, "detail": None,
    }  # fmt: skip


def _bundle(connection: Connection, ids: Sequence[str], message_id: str, detail: str) -> None:
    for start in range(0, len(ids), _AT_ONCE):
        connection.execute(
            update(Delivery)
            .where(Delivery.id.in_(ids[start : start + _AT_ONCE]))
            .values(state=BUNDLED, message_id=message_id, detail=detail)
        )
