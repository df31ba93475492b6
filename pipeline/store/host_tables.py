"""The tables about hosts: what an operator has allowed, how each was last asked, and its robots.txt."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Double, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.columns import Base, BigId, Text


class HostPermission(Base):
    """The operator's word that a host may be crawled below a path although its robots.txt forbids it."""

    __tablename__ = "host_permission"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    host: Mapped[str] = mapped_column(String(255), index=True)
    path: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    allowed_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class Host(Base):
    """When a host may be asked again, by anyone of the installation: seconds since 1970 by the database's clock.

    `holder` is the process whose request is under way; its claim ends at `next_at`, should it die. `failures` counts
    requests in a row that failed, `reason` says what the last of them met.
    """

    __tablename__ = "host"
    host: Mapped[str] = mapped_column(String(255), primary_key=True)
    next_at: Mapped[float] = mapped_column(Double)
    holder: Mapped[str | None] = mapped_column(String(32))
    failures: Mapped[int] = mapped_column(Integer)
    reason: Mapped[str | None] = mapped_column(Text)


class Robots(Base):
    """A server's robots.txt as last fetched; `text` is empty where it has none (a 4xx)."""

    __tablename__ = "robots"
    origin: Mapped[str] = mapped_column(String(300), primary_key=True)
    status: Mapped[int] = mapped_column(Integer)
    text: Mapped[str] = mapped_column(Text)
    fetched_at: Mapped[datetime]
