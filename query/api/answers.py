"""The form of every answer. Texts are plain text as pages print it, never markup to be rendered."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """Part of an answer. What the store knows beyond the fields that are named here is passed on too."""

    model_config = ConfigDict(extra="allow")


Next = Annotated[
    str | None, Field(description="The cursor of the next page; null when this is the last one.")
]
PublishedOn = Annotated[date | None, Field(description="The day in China; null where no date could be read.")]
PublishedAt = Annotated[
    datetime | None, Field(description="The instant (UTC); null where only the day is printed, or nothing.")
]
Value = Annotated[
    dict[str, Any], Field(description="The normalised reading; null in it: the text doesn't decide.")
]


class AlsoReported(Answer):
    """Another report of the same story."""

    uid: str
    title: str
    url: str
    publisher: str
    source: str
    published_on: PublishedOn
    leads: Annotated[bool, Field(description="Whether it is the report closest to the source.")]
    why: Annotated[list[str], Field(description="Why it tells of the same event.")]


Places = list[tuple[int, int]]


class Highlights(Answer):
    """Where a found item says what was asked for: the first character of each place and the one behind its last
    (characters are Unicode code points)."""

    title: Places
    excerpt: Places


class Hit(Answer):
    """A found item."""

    uid: str
    title: str
    url: str
    publisher: str
    source: str
    published_on: PublishedOn
    published_at: PublishedAt
    first_seen_at: datetime
    version: Annotated[int, Field(description="1 until an edit was seen.")]
    excerpt: Annotated[
        str, Field(description="The sentence that says what was asked for, else the beginning of the text.")
    ]
    highlights: Highlights
    facts: Annotated[dict[str, list[str]], Field(description="The facts' own words, by kind.")]
    also_reported_by: list[AlsoReported]


class Hits(Answer):
    """A page of found items."""

    total: Annotated[
        int,
        Field(
            description="How many items the search finds in all, counted up to a thousand; in the order `story`, how "
            "many stories."
        ),
    ]
    more: Annotated[bool, Field(description="Whether there are more than `total`.")]
    items: list[Hit]
    next: Next


class FieldOrigin(Answer):
    """A field of an item and where it comes from."""

    field: str
    value: Any
    raw: str | None
    place: str | None
    method: str | None


class Published(Answer):
    """When an item was published, as it is printed."""

    on: PublishedOn
    at: PublishedAt
    precision: Annotated[str | None, Field(description="`day`, `minute` or `second`; null: unknown.")]
    raw: Annotated[str | None, Field(description="The printed text.")]
    place: str | None
    method: str | None
    inferred: Annotated[bool, Field(description="Whether a part of it is not printed.")]
    candidates_disagree: Annotated[bool, Field(description="Whether the page prints dates that differ.")]


class Fact(Answer):
    """A legal fact with the words that say so."""

    kind: str
    reading: Annotated[str, Field(description="The value as one line of text.")]
    raw: str
    value: Value
    field: Annotated[str, Field(description="`title` or `body`: where the words stand.")]
    start: Annotated[int, Field(description="The first character of the words in the field.")]
    end: Annotated[int, Field(description="The character behind them.")]
    method: Annotated[str, Field(description="The rule that decided; `correction`: a person.")]
    sentence: Annotated[str | None, Field(description="The sentence that holds the words.")]


class ListedFact(Fact):
    """A fact and its item."""

    item: Annotated[str, Field(description="The item's id.")]
    title: str
    url: str
    source: str
    published_on: PublishedOn


class Correction(Answer):
    """A correction that was made or undone."""

    correction: Annotated[int, Field(description="Its id, by which it is undone.")]


class Facts(Answer):
    """A page of facts, those of the newest item first."""

    facts: list[ListedFact]
    next: Next


class Version(Answer):
    """What an item said at one time."""

    number: int
    title: str
    body: str
    content_sha256: str
    snapshot_sha256: Annotated[str, Field(description="The bytes that it was read from.")]
    fetched_at: datetime
    reason: str
    changes: Annotated[list[dict[str, Any]], Field(description="What it says otherwise than the one before.")]


class ItemDelivery(Answer):
    """An alert about an item. Recipient and detail are null for who hasn't the scope admin."""

    id: str
    rule: str
    event: str
    channel: str
    recipient: str | None
    state: str
    created_at: datetime
    sent_at: datetime | None
    detail: str | None


class Evidence(BaseModel):
    """A page that was kept, by the hash of its bytes; the bytes themselves are not served."""

    sha256: str
    url: str
    kind: str
    status: int
    fetched_at: datetime
    detail: str | None


class Reason(Answer):
    """Why a report is in a story."""

    kind: str
    text: str


class Report(Answer):
    """A report of a story."""

    uid: str
    title: str
    url: str
    publisher: str
    source: str
    published_on: PublishedOn
    leads: bool
    since: datetime
    reasons: list[Reason]


class Story(Answer):
    """One event, told by one item or several, the report closest to the source first."""

    story: Annotated[
        int, Field(description="Its number, which may change: name a story by one of its items.")
    ]
    title: str
    lead: Annotated[str, Field(description="The id of the leading report.")]
    lead_reason: str
    reports: list[Report]


class StoryInFull(Story):
    """A story with what is near it and not in it."""

    carried_by: Annotated[list[dict[str, Any]], Field(description="Longer texts that hold a report.")]
    apart: Annotated[list[dict[str, Any]], Field(description="Items that read alike and are kept apart.")]
    decisions: Annotated[list[dict[str, Any]], Field(description="People's words on its items.")]


class Stories(Answer):
    """A page of stories, the one that began last first."""

    stories: list[Story]
    next: Next


class Item(Answer):
    """Everything known of an item."""

    uid: str
    title: str
    url: str
    source: str
    fields: list[FieldOrigin]
    published: Published
    candidates: Annotated[
        list[dict[str, Any]], Field(description="Every date of publication that is printed.")
    ]
    facts: list[Fact]
    versions: list[Version]
    addresses: list[str]
    deliveries: list[ItemDelivery]
    snapshots: list[Evidence]
    story: StoryInFull
    corrections: list[dict[str, Any]]


class FacetValue(Answer):
    """How many items have a value."""

    value: str
    count: int


class Facet(Answer):
    """The commonest values, months from the newest; an item may have several of one facet."""

    values: list[FacetValue]
    without: Annotated[int, Field(description="Counted items that have none.")]
    left_out: Annotated[int, Field(description="How many rarer values there are.")]


class Facets(Answer):
    """Counts of a search. Where `complete` is false they are exact for the `counted` newest items only."""

    counted: int
    complete: bool
    facets: dict[str, Facet]


class Run(Answer):
    """One crawl of one source."""

    id: int
    source: str
    state: str
    reason: str | None
    baseline: bool
    counts: dict[str, Any]
    started_at: datetime
    finished_at: datetime | None
    list_read_at: datetime | None


class Runs(Answer):
    """A page of runs, newest first."""

    runs: list[Run]
    next: Next


class Source(Answer):
    """A list that is watched, and its last run."""

    key: str
    name_zh: str
    name_en: str
    publisher_zh: str
    publisher_en: str
    url: str
    topics: list[str]
    crontab: str
    reader: str
    proven: bool
    last_run: Run | None


class Sources(Answer):
    """All lists that are watched."""

    sources: list[Source]


class Delivery(Answer):
    """An alert to one recipient."""

    id: str
    created_at: datetime
    state: str
    rule: str
    event: str
    title: str | None
    uid: Annotated[
        str | None, Field(description="The item's id; null for an alert about the monitor itself.")
    ]
    channel: str
    recipient: str
    attempts: int
    next_at: datetime
    sent_at: datetime | None
    detail: str | None
    message_id: Annotated[
        str | None,
        Field(description="The message with several alerts in which this one went; null where alone."),
    ]
    escalates: Annotated[str | None, Field(description="The alert that nobody had acknowledged in time.")]
    acknowledged_at: datetime | None


class Deliveries(Answer):
    """A page of alerts, newest first."""

    deliveries: list[Delivery]
    next: Next


class SavedSearch(Answer):
    """A search that somebody keeps by a name. Filters called `saved` take the name."""

    name: str
    expression: Annotated[str, Field(description="What it asks for, in the query language: a `q`.")]
    saved_at: datetime


class SavedSearches(Answer):
    """All saved searches, by name."""

    searches: list[SavedSearch]


class Formats(Answer):
    """The addresses of a feed, by format."""

    atom: str
    rss: str
    json_feed: Annotated[str, Field(alias="json")]


class SavedFeed(Formats):
    """The feeds of a saved search."""

    saved: Annotated[str, Field(description="Its name.")]


class RuleFeed(Formats):
    """The feeds of a rule."""

    rule: Annotated[str, Field(description="Its name.")]


class Feeds(Answer):
    """What can be subscribed to. A search is one by its filters: those of /api/v1/items."""

    search: Annotated[dict[str, str], Field(description="The address of the feed of a search, by format.")]
    saved: list[SavedFeed]
    rules: list[RuleFeed]
