"""A person's word on stories: an item taken out of its story, two stories joined, and either undone.

What a person decided stands over the machine whatever comes later, until a person undoes it. An item that was taken
out of its story joins another one only by a person's word. Nothing is ever deleted.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, or_, select, update

from errors import IprwatchError
from pipeline.store.lookup import find_item
from pipeline.store.stories import divide, wait_for_turn
from pipeline.store.story_tables import StoryDecision, StoryMember


class StoryError(IprwatchError):
    """A decision on stories that can't be meant. Raised by the functions of this module; then nothing is written."""


def split_story(engine: Engine, given: str, *, author: str, reason: str) -> int:
    """Take an item (by its id or URL) out of its story; it stands alone from now on. Returns the decision's id.

    Decisions that joined it to others before are undone. Raises NoSuchItem, and StoryError without a reason or when
    the item stands alone already.
    """
    with engine.begin() as connection:
        wait_for_turn(connection)
        item_id = find_item(connection, given)
        if _count_members(connection, item_id) < 2:
            raise StoryError(f"{given} is the only report of its story; there is nothing to split.")
        touched = _undo_standing(connection, item_id)
        made = _decide(connection, "split", item_id, None, author, reason)
        divide(connection, {item_id} | touched)
    return made


def merge_stories(engine: Engine, given: str, other: str, *, author: str, reason: str) -> int:
    """Make one story of the stories of two items, with all that they hold. Returns the decision's id.

    Raises NoSuchItem, and StoryError without a reason or when they are one story already.
    """
    with engine.begin() as connection:
        wait_for_turn(connection)
        item_ids = find_item(connection, given), find_item(connection, other)
        if len(_stories(connection, item_ids)) < 2:
            raise StoryError(f"{given} and {other} are in one story already.")
        made = _decide(connection, "merge", *item_ids, author, reason)
        divide(connection, item_ids)
    return made


def undo_decision(engine: Engine, decision_id: int) -> None:
    """Undo a decision: the items go where the machine and the other decisions put them.

    Raises StoryError when there is none of this id, or when it is undone already.
    """
    with engine.begin() as connection:
        wait_for_turn(connection)
        row: Any = connection.execute(
            select(StoryDecision.item_id, StoryDecision.other_id, StoryDecision.undone_at).where(
                StoryDecision.id == decision_id
            )
        ).one_or_none()
        if row is None:
            raise StoryError(
                f"There is no decision {decision_id}; `iprwatch stories show` names those of a story."
            )
        if row.undone_at is not None:
            raise StoryError(f"The decision {decision_id} is undone already.")
        connection.execute(
            update(StoryDecision).where(StoryDecision.id == decision_id).values(undone_at=datetime.now(UTC))
        )
        divide(connection, {row.item_id, row.other_id} - {None})


def _decide(
    connection: Connection, action: str, item_id: int, other_id: int | None, author: str, reason: str
) -> int:
    if not reason.strip():
        raise StoryError("A decision needs a reason: it is recorded and shown.")
    made = connection.scalar(
        insert(StoryDecision)
        .values(
            action=action,
            item_id=item_id,
            other_id=other_id,
            author=author.strip(),
            reason=reason.strip(),
            made_at=datetime.now(UTC),
            undone_at=None,
        )
        .returning(StoryDecision.id)
    )
    assert isinstance(made, int)
    return made


def _undo_standing(connection: Connection, item_id: int) -> set[int]:
    """Undo the decisions that stand on an item; returns the items that they were about."""
    of_item = or_(StoryDecision.item_id == item_id, StoryDecision.other_id == item_id)
    standing = (StoryDecision.undone_at.is_(None), of_item)
    rows = connection.execute(select(StoryDecision.item_id, StoryDecision.other_id).where(*standing)).all()
    connection.execute(update(StoryDecision).where(*standing).values(undone_at=datetime.now(UTC)))
    return {touched for row in rows for touched in row if touched is not None}


def _stories(connection: Connection, item_ids: tuple[int, ...]) -> set[int]:
    return set(connection.scalars(select(StoryMember.story_id).where(StoryMember.item_id.in_(item_ids))))


def _count_members(connection: Connection, item_id: int) -> int:
    (story_id,) = _stories(connection, (item_id,))
    query = select(func.count()).select_from(StoryMember).where(StoryMember.story_id == story_id)
    return connection.scalar(query) or 0
