"""Why somebody was told of an item, or was not: as far as the ledger and today's rules can say it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Connection, Engine, select

from pipeline.alerts.rule_starts import read_starts, read_storing
from pipeline.alerts.rules import Rule
from pipeline.normalize import identify_url
from pipeline.store.listed import was_baseline
from pipeline.store.lookup import NoSuchItem, find_item
from pipeline.store.outbox_rows import HELD
from pipeline.store.tables import Delivery, Filtered, Item

# What each state of the ledger means for the person who was to be told.
_TOLD = {
    "sent": "told",
    "due": "not yet told: waits to be sent",
    "sending": "not yet told: being sent",
    "held": "not told: another report of the same story was told",
    "failed": "not told: given up",
    "bundled": "not yet told: goes in a message with others",
}
Matches = Callable[[Connection, int, Rule, str], bool | None]
"""Whether a rule matches a stored item today on an event; None where that can't be said."""


def explain_alerts(engine: Engine, given: str, rules: Iterable[Rule], matches: Matches) -> dict[str, Any]:
    """The item with this id or URL, and for each rule and recipient what became of it, as JSON can hold it.

    `answers` has a row for each alert of the ledger, also of rules that are no longer configured, and one for each
    recipient of a configured rule that has no alert of the item as new, with the reason. What is not stored is said
    to be unknown. Raises NoSuchItem.
    """
    with engine.connect().execution_options(read_only=True) as connection:
        try:
            item_id = find_item(connection, given)
        except NoSuchItem:
            if (left_out := _find_filtered(connection, given)) is None:
                raise
            return left_out
        item = connection.execute(
            select(Item.uid, Item.title, Item.url, Item.source_key, Item.first_seen_at).where(
                Item.id == item_id
            )
        ).one()
        rows = connection.execute(
            select(Delivery).where(Delivery.item_id == item_id).order_by(Delivery.created_at, Delivery.id)
        ).all()
        baseline = was_baseline(connection, item_id)
        answers = [_answer(row) for row in rows]
        told_as_new = {(row.rule, row.channel, row.recipient) for row in rows if row.event == "new"}
        for rule in rules:
            reason = None
            for recipient in rule.send:
                if (rule.name, recipient.channel, recipient.to) in told_as_new:
                    continue
                if reason is None:
                    reason = _reason(connection, item_id, rule, matches, baseline=baseline)
                answers.append(
                    {
                        "rule": rule.name, "event": "new", "channel": recipient.channel, "recipient": recipient.to,
                        "answer": f"not told: {reason}", "at": None, "alert": None, "message": None,
                    }
                )  # fmt: skip
    return {
        "uid": item.uid,
        "title": item.title,
        "url": item.url,
        "source": item.source_key,
        "first_seen_at": item.first_seen_at.isoformat(timespec="seconds"),
        "baseline": baseline,
        "answers": answers,
    }


def _answer(row: Any) -> dict[str, Any]:
    answer = _TOLD[row.state]
    if row.detail and row.state == HELD:
        # The reason is another one than a report that was told.
        answer = f"not told: {row.detail}"
    elif row.detail and row.state != "sent":
        answer += f" ({row.detail})"
    elif row.message_id:
        answer += f" (in message {row.message_id[:8]})"
    if row.escalates:
        answer += f" (escalates {row.escalates[:8]})"
    if row.acknowledged_at:
        answer += f", acknowledged {row.acknowledged_at.isoformat(timespec='seconds')}"
    return {
        "rule": row.rule,
        "event": row.event,
        "channel": row.channel,
        "recipient": row.recipient,
        "answer": answer,
        "at": row.sent_at.isoformat(timespec="seconds") if row.sent_at else None,
        "alert": row.id,
        "message": row.message_id,
    }


def _reason(connection: Connection, item_id: int, rule: Rule, matches: Matches, *, baseline: bool) -> str:
    """Why a rule has no alert of the item as new."""
    if "new" not in rule.events:
        return f"the rule asks for {', '.join(rule.events)} only"
    matched = matches(connection, item_id, rule, "new")
    if matched is None:
        return "unknown: the stored page can't be read again, so the rule can't be tried"
    if not matched:
        return "the rule does not match it"
    if baseline:
        return (
            "its source showed it when it was first read (baseline), and such items are told only when asked"
        )
    start = read_starts(connection, [rule.name]).get(rule.name)
    if start and not rule.earlier and read_storing(connection, [item_id])[item_id] < start.started_at:
        return (
            "it was stored before the rule was first configured "
            f"({start.started_at.isoformat(timespec='seconds')}), and such items are told only when asked (earlier)"
        )
    return (
        "the rule matches it today, but did not when it was stored: the rule, its recipient or the item is newer "
        "than that, or the reading of its page was mended since"
    )


def _find_filtered(connection: Connection, given: str) -> dict[str, Any] | None:
    """What was left out because it does not concern intellectual property, by its URL."""
    if "://" not in given:
        return None
    row = connection.execute(select(Filtered).where(Filtered.address == identify_url(given))).first()
    if row is None:
        return None
    return {
        "uid": None,
        "title": row.title,
        "url": row.url,
        "source": row.source_key,
        "first_seen_at": row.first_seen_at.isoformat(timespec="seconds"),
        "baseline": False,
        "answers": [
            {
                "rule": "", "event": "new", "channel": "", "recipient": "", "at": None, "alert": None, "message": None,
                "answer": f"nobody was told: it was left out as not concerning intellectual property ({row.reason})",
            }
        ],
    }  # fmt: skip
