"""The tables. Times are UTC; `*_on` columns are calendar days as printed, not instants."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.columns import Base as Base
from pipeline.store.columns import BigId, ExactAmount, Text


class Run(Base):
    """One crawl of one source, from its start; `state` is `running` until it was judged.

    `list_read_at` is set when the source's lists were read to the depth asked for. `coverage` counts the fields of
    its items, `refusal` says what was looked for and found where a page was refused. `verdict` is what the run was
    taken for against the source's history (`pipeline.health`); null until then."""

    __tablename__ = "run"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    source_key: Mapped[str] = mapped_column(String(100), index=True)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    list_read_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(String(30))
    reason: Mapped[str | None] = mapped_column(Text)
    baseline: Mapped[bool] = mapped_column(Boolean)
    counts: Mapped[dict[str, Any]]
    coverage: Mapped[dict[str, Any] | None]
    refusal: Mapped[dict[str, Any] | None]
    verdict: Mapped[str | None] = mapped_column(String(30), index=True)


class Snapshot(Base):
    """A page as fetched: evidence. The bytes are in the archive under their SHA-256."""

    __tablename__ = "snapshot"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    url: Mapped[str] = mapped_column(Text)
    source_key: Mapped[str] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(20))
    status: Mapped[int] = mapped_column(Integer)
    headers: Mapped[dict[str, Any]]
    entry: Mapped[dict[str, Any] | None]
    detail: Mapped[str | None] = mapped_column(Text)
    fetched_at: Mapped[datetime]
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"))


class Listed(Base):
    """An entry that a list has shown, from the first time on.

    `baseline`: it was there when the source was first read. `told`: rules that name this source were asked about
    an article that another source had brought before. `gone`: its page said that it no longer exists; of a page
    that is merely missing only from the second look on, the first of which was at `gone_since`. `inserted`: it was
    put in later, beneath a newer entry that had been there before, which this names.
    """

    __tablename__ = "listed"
    __table_args__ = (
        Index(
            "ix_listed_inserted",
            "address",
            sqlite_where=text("inserted IS NOT NULL"),
            postgresql_where=text("inserted IS NOT NULL"),
        ),
    )
    source_key: Mapped[str] = mapped_column(String(100), primary_key=True)
    address: Mapped[str] = mapped_column(String(700), primary_key=True)
    url: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    baseline: Mapped[bool] = mapped_column(Boolean)
    gone: Mapped[str | None] = mapped_column(String(20))
    gone_since: Mapped[datetime | None]
    told: Mapped[bool] = mapped_column(Boolean)
    first_seen_at: Mapped[datetime]
    inserted: Mapped[str | None] = mapped_column(Text)


class MissingNumber(Base):
    """A number of a numbered series (公告第N号) that a source passed over; from `arrived_at` on no longer missing."""

    __tablename__ = "missing_number"
    source_key: Mapped[str] = mapped_column(String(100), primary_key=True)
    series: Mapped[str] = mapped_column(String(300), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    noted_at: Mapped[datetime]
    arrived_at: Mapped[datetime | None]


class Item(Base):
    """A notice as last read. `sort_key` orders by published time, else by the time first seen: microseconds
    since 1970 in UTC, whole seconds. `same_as` is the id of the item that stands for this one, where a page showed only
    later that both are one article."""

    __tablename__ = "item"
    __table_args__ = (
        Index("ix_item_sort_key", "sort_key"),
        Index("ix_item_source_key_sort_key", "source_key", "sort_key"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    identity: Mapped[str] = mapped_column(String(700), unique=True)
    source_key: Mapped[str] = mapped_column(String(100))
    reader: Mapped[str] = mapped_column(String(40))
    url: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    publisher: Mapped[str] = mapped_column(Text)
    publisher_zh: Mapped[str] = mapped_column(Text)
    publisher_en: Mapped[str] = mapped_column(Text)
    author: Mapped[str | None] = mapped_column(Text)
    topics: Mapped[list[Any]]
    published_on: Mapped[date | None] = mapped_column(Date, index=True)
    published_at: Mapped[datetime | None]
    published_precision: Mapped[str | None] = mapped_column(String(10))
    published_raw: Mapped[str | None] = mapped_column(Text)
    published_method: Mapped[str | None] = mapped_column(String(30))
    published_place: Mapped[str | None] = mapped_column(String(60))
    published_inferred: Mapped[bool] = mapped_column(Boolean)
    dates: Mapped[list[Any]]
    dates_disagree: Mapped[bool] = mapped_column(Boolean)
    body: Mapped[str] = mapped_column(Text)
    body_note: Mapped[str | None] = mapped_column(Text)
    attachments: Mapped[list[Any]]
    links: Mapped[list[Any]]
    images: Mapped[list[Any]]
    content_sha256: Mapped[str] = mapped_column(String(64))
    version_number: Mapped[int] = mapped_column(Integer)
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"), index=True)
    sort_key: Mapped[int] = mapped_column(BigInteger)
    same_as: Mapped[int | None] = mapped_column(BigId)


class Address(Base):
    """A key under which an item is met: its identity, and one for every URL that led to it."""

    __tablename__ = "address"
    address: Mapped[str] = mapped_column(String(700), primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"), index=True)


class Version(Base):
    """What an item said at one time. Number 1 is the first copy and is never overwritten."""

    __tablename__ = "version"
    __table_args__ = (UniqueConstraint("item_id", "number"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    number: Mapped[int] = mapped_column(Integer)
    title: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    content_sha256: Mapped[str] = mapped_column(String(64))
    snapshot_sha256: Mapped[str] = mapped_column(String(64))
    fetched_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(Text)


class Recheck(Base):
    """When an item's page is to be asked for again (`due_at`; null: no more), with which validators, and what came of
    it last. The row is written with the item."""

    __tablename__ = "recheck"
    __table_args__ = (Index("ix_recheck_source_key_due_at", "source_key", "due_at"),)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"), primary_key=True)
    source_key: Mapped[str] = mapped_column(String(100))
    due_at: Mapped[datetime | None]
    etag: Mapped[str | None] = mapped_column(Text)
    last_modified: Mapped[str | None] = mapped_column(Text)
    checked_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(20))
    detail: Mapped[str | None] = mapped_column(Text)


class Withdrawal(Base):
    """A time during which an item's page was gone, with the proofs. Believed from `confirmed_at` on: then it was seen
    gone a second time, at least six hours after the first, and a control page of the same host was read well. It ends
    with `returned_at`; an item has at most one that has not ended.

    `judgement` is null unless it is one of many pages of its source that were gone at once: then it is `open` until a
    person says that it is `real`, or `dismissed` as a change of the site."""

    __tablename__ = "withdrawal"
    __table_args__ = (
        Index(
            "ix_withdrawal_open",
            "item_id",
            unique=True,
            sqlite_where=text("returned_at IS NULL"),
            postgresql_where=text("returned_at IS NULL"),
        ),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    detail: Mapped[str] = mapped_column(Text)
    seen_until: Mapped[datetime]
    gone_at: Mapped[datetime]
    snapshot_sha256: Mapped[str] = mapped_column(String(64))
    confirmed_at: Mapped[datetime | None]
    confirmed_sha256: Mapped[str | None] = mapped_column(String(64))
    control_url: Mapped[str] = mapped_column(Text)
    returned_at: Mapped[datetime | None]
    judgement: Mapped[str | None] = mapped_column(String(10))
    judged_at: Mapped[datetime | None]
    judged_by: Mapped[str | None] = mapped_column(Text)
    judged_reason: Mapped[str | None] = mapped_column(Text)


class FactRow(Base):
    """A legal fact of an item's current version; the span counts characters of `field` (title or body).

    The table holds what people see: a fact with the method `correction` is a person's word (`Correction`), and
    its span is empty where the text doesn't hold its words. `key`, `court` and `amount` are what facts are found
    by (`pipeline.legal.fact_key`).
    """

    __tablename__ = "fact"
    __table_args__ = (
        Index("ix_fact_kind_raw", "kind", "item_id"),
        Index("ix_fact_kind_key_amount", "kind", "key", "amount"),
        Index("ix_fact_court", "court"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"), index=True)
    field: Mapped[str] = mapped_column(String(10))
    kind: Mapped[str] = mapped_column(String(30))
    raw: Mapped[str] = mapped_column(Text)
    value: Mapped[dict[str, Any]]
    start: Mapped[int] = mapped_column(Integer)
    end: Mapped[int] = mapped_column(Integer)
    method: Mapped[str] = mapped_column(String(60))
    key: Mapped[str | None] = mapped_column(String(300))
    court: Mapped[str | None] = mapped_column(String(300))
    amount: Mapped[Decimal | None] = mapped_column(ExactAmount)


class Delivery(Base):
    """One alert to one recipient on one channel, from match to receipt. `state` is `due`, `sending`, `sent`, `failed`,
    `held` or `bundled`; the id is the idempotency id that every copy carries. An alert about the monitor itself has no
    item but a `text` (title and summary). `story_id` is that of the story which the row told as `new`: one for each
    rule and recipient. Null for other events, for what is held back because another report was told, and for the second
    of two rows whose stories became one after both were told. `parts_sent` counts the parts of a long text that were
    taken.

    Several alerts may go in one message: that is a row of its own, without an item, and theirs name it as `message_id`
    and are `bundled` until it was sent. `escalates` is the alert that was not acknowledged in time, `escalate_at` when
    this one is to be escalated."""

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("rule", "item_id", "event", "channel", "recipient"),
        Index("uq_delivery_story_id", "story_id", "rule", "event", "channel", "recipient", unique=True),
        Index("ix_delivery_state_next_at", "state", "next_at"),
        Index("ix_delivery_told", "channel", "recipient", "state", "sent_at"),
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    rule: Mapped[str] = mapped_column(String(200))
    item_id: Mapped[int | None] = mapped_column(ForeignKey("item.id"), index=True)
    story_id: Mapped[int | None] = mapped_column(BigId)
    text: Mapped[dict[str, Any] | None]
    event: Mapped[str] = mapped_column(String(40))
    channel: Mapped[str] = mapped_column(String(100))
    recipient: Mapped[str] = mapped_column(String(400))
    state: Mapped[str] = mapped_column(String(10))
    attempts: Mapped[int] = mapped_column(Integer)
    parts_sent: Mapped[int] = mapped_column(Integer, server_default="0")
    created_at: Mapped[datetime]
    next_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    detail: Mapped[str | None] = mapped_column(Text)
    message_id: Mapped[str | None] = mapped_column(String(32), index=True)
    escalates: Mapped[str | None] = mapped_column(String(32))
    escalate_at: Mapped[datetime | None] = mapped_column(index=True)
    acknowledged_at: Mapped[datetime | None]


class SearchDocument(Base):
    """The tokens of an item's title, publisher, body and attachments in order (`pipeline.store.tokens`), then those of
    what it is filtered by (`pipeline.store.marks`), separated by single spaces: what the search index of either
    database is built on. `place` is where it stands in the order of dates (`pipeline.store.documents`)."""

    __tablename__ = "search_document"
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"), primary_key=True)
    place: Mapped[int] = mapped_column(BigInteger, unique=True)
    sequence: Mapped[str] = mapped_column(Text)


class Filtered(Base):
    """An article of a source that is filtered by topic and that does not concern intellectual property: kept
    short, so that a wrong lexicon is seen."""

    __tablename__ = "filtered"
    address: Mapped[str] = mapped_column(String(700), primary_key=True)
    source_key: Mapped[str] = mapped_column(String(100), index=True)
    url: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    published_on: Mapped[date | None] = mapped_column(Date)
    reason: Mapped[str] = mapped_column(Text)
    snapshot_sha256: Mapped[str] = mapped_column(String(64))
    first_seen_at: Mapped[datetime]
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"))


class Frontier(Base):
    """What an unfinished walk through a source's archive has met: list pages and articles.

    `kind` is `list` (a page that was read; `address` is its number) or `article`. `state` of an article is `waiting`
    when it has to be stored, and `seen` when it need not be. `entry` is the line of the list page that leads to a
    waiting article, null where the list brings it whole; `listed_at` is when that page was fetched. What was read
    anew from the head of the list is not `joined` until it has met what was read before.
    """

    __tablename__ = "frontier"
    source_key: Mapped[str] = mapped_column(String(100), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    address: Mapped[str] = mapped_column(String(700), primary_key=True)
    number: Mapped[int] = mapped_column(Integer)
    url: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10))
    joined: Mapped[bool] = mapped_column(Boolean)
    baseline: Mapped[bool] = mapped_column(Boolean)
    entry: Mapped[dict[str, Any] | None]
    listed_at: Mapped[datetime]


class InboxLink(Base):
    """An article that a person asked to be read. `state` is `waiting`, `stored`, `gone` or `failed`."""

    __tablename__ = "inbox_link"
    address: Mapped[str] = mapped_column(String(700), primary_key=True)
    url: Mapped[str] = mapped_column(Text)
    origin: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10), index=True)
    detail: Mapped[str | None] = mapped_column(Text)
    added_at: Mapped[datetime]


class WechatSessionState(Base):
    """A session in the WeChat backend that the server refused; it is known by its fingerprint only."""

    __tablename__ = "wechat_session_state"
    fingerprint: Mapped[str] = mapped_column(String(16), primary_key=True)
    died_at: Mapped[datetime]


class Probe(Base):
    """What a live look at a source found."""

    __tablename__ = "probe"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    source_key: Mapped[str] = mapped_column(String(100), index=True)
    verdict: Mapped[str] = mapped_column(String(30))
    detail: Mapped[str] = mapped_column(Text)
    seconds: Mapped[float]
    probed_at: Mapped[datetime]


class Correction(Base):
    """A person's word on an item, over the machine's until it is undone. `target` is `published` or `fact`, `action`
    `set`, `add` or `remove`.

    `kind` and `raw` say which facts are meant: all that read so, but where `field` and `start` name one place or
    `was` (a squashed main value) names one reading. `value` is the person's, `displaced` the machine's facts or
    date that it stands over, as they last were. `raw` of a published date is what the person wrote.
    """

    __tablename__ = "correction"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"), index=True)
    target: Mapped[str] = mapped_column(String(10))
    action: Mapped[str] = mapped_column(String(10))
    kind: Mapped[str | None] = mapped_column(String(30))
    field: Mapped[str | None] = mapped_column(String(10))
    start: Mapped[int | None] = mapped_column(Integer)
    end: Mapped[int | None] = mapped_column(Integer)
    was: Mapped[str | None] = mapped_column(String(300))
    raw: Mapped[str] = mapped_column(Text)
    value: Mapped[dict[str, Any]]
    displaced: Mapped[list[Any]]
    author: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]


class LeaseRow(Base):
    """Which process may crawl a host (`pipeline.store.lease`). `epoch` grows with every holder; `expires_at` is by
    the database's clock."""

    __tablename__ = "lease"
    host: Mapped[str] = mapped_column(String(255), primary_key=True)
    epoch: Mapped[int] = mapped_column(BigInteger)
    holder: Mapped[str] = mapped_column(String(300))
    expires_at: Mapped[datetime]


class SourceSetRow(Base):
    """The keys of all sources that were configured at a start, where they differ from those of the last one."""

    __tablename__ = "source_set"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    source_keys: Mapped[list[Any]]
    noted_at: Mapped[datetime]
