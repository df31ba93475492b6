"""The tables of stories: what items are found to be alike by, and what was made of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.columns import Base, BigId, Text


class Sketch(Base):
    """One of the hashes that stand for an item's body (`pipeline.dedupe.sketch`)."""

    __tablename__ = "sketch"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012
    hash: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"), primary_key=True, index=True)


class Boilerplate(Base):
    """A hash that so many items have that it says nothing: a formula, a form, a page's own words."""

    __tablename__ = "boilerplate"
    hash: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)


class StoryKeyRow(Base):
    """What an item tells of (`pipeline.dedupe.story_keys`): items with an equal key of one kind tell of one event."""

    __tablename__ = "story_key"
    __table_args__ = (Index("ix_story_key_key_kind", "key", "kind"),)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    key: Mapped[str] = mapped_column(String(700))
    number: Mapped[str | None] = mapped_column(String(700))


class StoryLink(Base):
    """What the texts of two items have to do with each other (`pipeline.dedupe.links`); `item_id` is the smaller id.

    `kind` is `same`, `carries` or `apart`; `carrier_id` is the item that carries the other one."""

    __tablename__ = "story_link"
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"), primary_key=True)
    other_id: Mapped[int] = mapped_column(ForeignKey("item.id"), primary_key=True, index=True)
    kind: Mapped[str] = mapped_column(String(10))
    coverage: Mapped[float]
    carrier_id: Mapped[int | None] = mapped_column(BigId)
    reason: Mapped[str] = mapped_column(Text)


class Story(Base):
    """One event, told by one item or several. `lead_id` is the report closest to the source, `lead_reason` why."""

    __tablename__ = "story"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    lead_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    lead_reason: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime]


class StoryMember(Base):
    """That an item is in a story, since when, and why: `reasons` is a list of objects with `kind`, `text` and `with`
    (uids of other members), empty while it is the only one."""

    __tablename__ = "story_member"
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"), primary_key=True)
    story_id: Mapped[int] = mapped_column(ForeignKey("story.id"), index=True)
    reasons: Mapped[list[Any]]
    since: Mapped[datetime]


class StoryDecision(Base):
    """A person's word on stories, over the machine's until it is undone. `action` is `split` (the item stands alone)
    or `merge` (the story of `item_id` and that of `other_id` are one)."""

    __tablename__ = "story_decision"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    action: Mapped[str] = mapped_column(String(10))
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"), index=True)
    other_id: Mapped[int | None] = mapped_column(ForeignKey("item.id"), index=True)
    author: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
