"""The tables of health: what each source was like on each day, how it stands, what of it can't be read, and what the
operator knows of it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, Date, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.columns import BigId, Text
from pipeline.store.tables import Base


class Mute(Base):
    """The operator's word that a source that is not well is known, up to and including a day in China."""

    __tablename__ = "mute"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    source_key: Mapped[str] = mapped_column(String(100), index=True)
    until_on: Mapped[date]
    reason: Mapped[str] = mapped_column(Text)
    muted_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class DayVerdict(Base):
    """What a source was like on a day in China: the verdict of its last run, or `new` where any run brought news.

    `moved`: its list showed something new on that day. `evidence` is what the verdict rests on."""

    __tablename__ = "verdict"
    source_key: Mapped[str] = mapped_column(String(100), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    verdict: Mapped[str] = mapped_column(String(30))
    kind: Mapped[str | None] = mapped_column(Text)
    why: Mapped[str] = mapped_column(Text)
    heard: Mapped[bool] = mapped_column(Boolean)
    moved: Mapped[bool] = mapped_column(Boolean)
    runs: Mapped[int] = mapped_column(Integer)
    new: Mapped[int] = mapped_column(Integer)
    edited: Mapped[int] = mapped_column(Integer)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"))
    evidence: Mapped[dict[str, Any]]
    judged_at: Mapped[datetime]


class SourceHealth(Base):
    """How a source stands now: its last verdict and since when, and the trouble that people were told of.

    `bad_runs` are the runs in a row that were not well. `troubles` numbers the times that a source turned bad, so that
    each is told once; `told` is set while people know of the present one and wait for its end. `same_runs` are the runs
    in a row that had this verdict and kind, without those that could not tell. Lists and fields are
    compared with those of the runs from `compared_from` on, with all where it is null."""

    __tablename__ = "source_health"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    source_key: Mapped[str] = mapped_column(String(100), unique=True)
    verdict: Mapped[str] = mapped_column(String(30))
    kind: Mapped[str | None] = mapped_column(Text)
    since_on: Mapped[date]
    bad_runs: Mapped[int] = mapped_column(Integer)
    troubles: Mapped[int] = mapped_column(Integer)
    told: Mapped[bool] = mapped_column(Boolean)
    same_runs: Mapped[int] = mapped_column(Integer)
    compared_from: Mapped[int | None] = mapped_column(BigInteger)


class UnreadArticle(Base):
    """An article that a source has shown and that could not be read; the row goes when it is read, left out or gone.

    `tries` are the crawls that asked for it, the first at `since`, the last at `tried_at`, with its `ending` and `why`.
    `others_read`: another article of the source was read since. `entry` is the line of the list page that leads to it,
    null where the list brings it whole. With `set_aside_at` a person has decided that it need not be read."""

    __tablename__ = "unread_article"
    source_key: Mapped[str] = mapped_column(String(100), primary_key=True)
    address: Mapped[str] = mapped_column(String(700), primary_key=True)
    url: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    ending: Mapped[str] = mapped_column(String(20))
    why: Mapped[str] = mapped_column(Text)
    baseline: Mapped[bool] = mapped_column(Boolean)
    entry: Mapped[dict[str, Any] | None]
    since: Mapped[datetime]
    tried_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(Integer)
    others_read: Mapped[bool] = mapped_column(Boolean)
    set_aside_at: Mapped[datetime | None]
    set_aside_reason: Mapped[str | None] = mapped_column(Text)
