"""What one page said, as printed: nothing here is interpreted yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, Self

DateForm = Literal["printed", "unix", "unix-day", "twelve-hour", "contradicted"]
DateMeaning = Literal["published", "issued", "effective", "decided", "modified"]


@dataclass(frozen=True, slots=True)
class PrintedDate:
    """A date as a page printed it, and where it stood.

    `place` names the spot for a person: `labelled text`, `list entry`, `metadata PubDate`, `script ct`, `url`.
    `form` says how to read it where the text alone would mislead: `unix` (seconds since 1970 in a field
    known to hold them), `unix-day` (the same in a field that holds days in China), `twelve-hour` (a clock
    without AM or PM: only the day can be trusted), `contradicted` (another date of the page says otherwise, and
    nothing tells which is right: shown, never used).
    """

    raw: str
    place: str
    meaning: DateMeaning = "published"
    form: DateForm = "printed"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that a page offers: absolute URL and the name it is offered under.

    The rest is known of files that were asked for (`crawlers.attachments`): `size` in bytes, the plain `text`,
    the SHA-256 of the archived bytes in hex, and a `note` that says why there is no text.
    """

    url: str
    name: str
    size: int | None = None
    text: str | None = None
    sha256: str | None = None
    note: str | None = None

    def describe(self) -> dict[str, Any]:
        """As JSON, without what isn't known."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True)
class ListEntry:
    """One line of a list page: where it leads and what it says of the article.

    `identity` is set where the list states the site's own id (an album's msgid), else None.
    """

    url: str
    title: str
    date: PrintedDate | None
    position: int
    identity: str | None = None

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """The entry that was kept as `dataclasses.asdict` gives it."""
        return cls(**{**stored, "date": PrintedDate(**stored["date"]) if stored["date"] else None})


@dataclass(frozen=True, slots=True)
class ListPage:
    """A list as read: its entries from the top, the URL of the next page, and the stated total."""

    entries: tuple[ListEntry, ...]
    next_url: str | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """One article as its page printed it.

    `identity` is the site's own id as the page states it (`wechat:MzA…=/2247/1`), or None where only the
    URL tells. `dates` are in the reader's order of trust, most trusted first. `body` is plain text, one
    paragraph a line; `body_note` says why it is empty when it is (text in a PDF, text in an image).
    `item_type` is the site's own word for the shape of the page (WeChat: `0`, `8`, `10`).
    """

    reader: str
    url: str
    title: str
    publisher: str | None
    author: str | None
    dates: tuple[PrintedDate, ...]
    body: str
    links: tuple[str, ...]
    attachments: tuple[Attachment, ...]
    identity: str | None
    entry: ListEntry | None
    fetched_at: datetime
    sha256: str
    body_note: str | None = None
    images: tuple[str, ...] = ()
    account_id: str | None = None
    item_type: str | None = None

    @property
    def attachment_texts(self) -> tuple[str, ...]:
        """The texts of those attachments that could be read."""
        return tuple(attachment.text for attachment in self.attachments if attachment.text)


@dataclass(frozen=True, slots=True)
class Account:
    """What a page about a publishing account says (WeChat's "关于公众号"). It is no article and no list."""

    reader: str
    url: str
    name: str
    account_id: str
    description: str | None
