"""The tables behind the sending of alerts: each attempt, how many messages channels take, who wants no more, and since
when rules are configured."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Double, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.columns import BigId, Text
from pipeline.store.tables import Base


class Attempt(Base):
    """One attempt to send an alert, or one part of it. `outcome` is `sent`, `retry` (another one follows), `refused`
    (given up), `unknown` (the process died: the next one repeats it), or `resend`: no attempt, but a person's word that
    the alert is to be sent once more."""

    __tablename__ = "attempt"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    delivery_id: Mapped[str] = mapped_column(ForeignKey("delivery.id"), index=True)
    part: Mapped[int] = mapped_column(Integer)
    outcome: Mapped[str] = mapped_column(String(10))
    detail: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime]


class ChannelPace(Base):
    """A place for one message on a channel that takes so many in a time (`pipeline.store.pace`). `free_at` is when it
    may be used again, in seconds since 1970 by the clock of the database, which all its processes share."""

    __tablename__ = "channel_pace"
    channel: Mapped[str] = mapped_column(String(100), primary_key=True)
    place: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    free_at: Mapped[float] = mapped_column(Double)


class GoneRecipient(Base):
    """A recipient that has said that it wants no message ever again (HTTP 410), until a person enables it."""

    __tablename__ = "gone_recipient"
    channel: Mapped[str] = mapped_column(String(100), primary_key=True)
    recipient: Mapped[str] = mapped_column(String(400), primary_key=True)
    detail: Mapped[str] = mapped_column(Text)
    noted_at: Mapped[datetime]


class RuleStart(Base):
    """Since when a rule of this name is configured, and since when in its present form (`fingerprint`, SHA-256)."""

    __tablename__ = "rule_start"
    rule: Mapped[str] = mapped_column(String(200), primary_key=True)
    started_at: Mapped[datetime] = mapped_column(index=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    changed_at: Mapped[datetime]
