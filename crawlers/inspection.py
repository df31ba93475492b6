"""What the readers and the pipeline make of one page, as plain data: how a crawl is debugged, by its own code."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crawlers.errors import PageError
from crawlers.notice import ListPage, Notice
from crawlers.page import Page
from crawlers.readers import read
from errors import IprwatchError
from pipeline import interpret
from pipeline.dates import parse_date, parse_twelve_hour, parse_unix, parse_unix_day
from pipeline.legal import Fact
from pipeline.record import Context, Record
from pipeline.store.dating import describe_date

_LARGEST = 50_000_000  # bytes of a saved page; browsers save images and styles with it
_CONTEXT = Context(
    source_key="inspect",
    publisher_zh="",
    publisher_en="",
    topics=(),
    run_id=0,
    baseline=True,
    status=200,
    headers={},
)


class InspectionError(IprwatchError):
    """A file can't be inspected, or a folder has no usable index. Names the file."""


def open_saved_page(path: Path, url: str, fetched_at: datetime | None = None) -> Page:
    """A saved page (`.gz` is unpacked). Without a time, the file's own stands for when it was fetched.

    Raises InspectionError.
    """
    try:
        # No more is unpacked than a page may have: a small file may hold gigabytes.
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            body = file.read(_LARGEST + 1)
        if len(body) > _LARGEST:
            raise InspectionError(f"{path}: larger than {_LARGEST // 1_000_000} MB, that is no saved page.")
        time = fetched_at or datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except (OSError, EOFError, zlib.error) as error:
        raise InspectionError(f"{path}: can't be read ({_cause(error)}).") from None
    return Page(url=url, body=body, fetched_at=time)


def _cause(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def describe_page(page: Page, *, fetch_time_known: bool = True) -> dict[str, Any]:
    """The page as JSON: `kind`, then what was read, or why nothing was.

    When it is not known when the page was fetched, dates that depend on it (昨天) are not resolved.
    """
    try:
        result = read(page)
    except PageError as error:
        return {"kind": error.kind, "url": page.url, "reason": str(error)}
    if isinstance(result, ListPage):
        return {"kind": "list", "url": page.url, **_describe_list(result, page)}
    if isinstance(result, tuple):
        first, *others = result
        return {"kind": "account", **asdict(first), "others": [asdict(account) for account in others]}
    return {"kind": "article", **_describe_article(result, fetch_time_known)}


def _describe_list(listing: ListPage, page: Page) -> dict[str, Any]:
    entries = []
    for entry in listing.entries:
        shown = asdict(entry)
        if entry.date is not None:
            dating = interpret_date(entry.date.raw, entry.date.form, page.fetched_at)
            meaning = dating["meaning"] or entry.date.meaning
            shown["date"] = {"place": entry.date.place, **dating, "meaning": meaning}
        entries.append(shown)
    return {"entries": entries, "next_url": listing.next_url, "total": listing.total}


def interpret_date(raw: str, form: str, base: datetime) -> dict[str, Any]:
    """One printed date as JSON, read by the form that its field is known to have."""
    if form == "unix":
        return describe_date(parse_unix(raw))
    if form == "unix-day":
        return describe_date(parse_unix_day(raw))
    return describe_date(parse_twelve_hour(raw) if form == "twelve-hour" else parse_date(raw, base=base))


def _describe_article(notice: Notice, fetch_time_known: bool) -> dict[str, Any]:
    record = interpret(notice, _CONTEXT)
    return {
        "url": notice.url,
        "reader": notice.reader,
        "identity": record.identity,
        "title": record.title,
        "publisher": record.publisher or None,
        "author": notice.author,
        "account_id": notice.account_id,
        "item_type": notice.item_type,
        "published": _describe_published(record, fetch_time_known),
        "body": record.body,
        "body_note": notice.body_note,
        "links": list(notice.links),
        "attachments": [attachment.describe() for attachment in notice.attachments],
        "images": list(notice.images),
        "facts": [describe_fact(fact, "title") for fact in record.title_facts]
        + [describe_fact(fact, "body") for fact in record.facts],
        "sha256": notice.sha256,
    }


def _describe_published(record: Record, fetch_time_known: bool) -> dict[str, Any]:
    dating = record.dating
    assert dating is not None
    shown: dict[str, Any] = (
        describe_date(dating.best)
        if dating.best
        else {"value": None, "raw": None, "precision": None, "method": None}
    )
    if not fetch_time_known and (shown["method"] == "relative" or shown.get("inferred")):
        shown |= {"value": None, "precision": None, "reason": "relative to an unknown time of fetching"}
    return {
        **shown,
        "place": dating.place,
        "disagreement": dating.disagreement,
        "candidates": [{"place": place, **describe_date(value)} for place, value in dating.candidates],
    }


def describe_fact(fact: Fact, field: str | None = None) -> dict[str, Any]:
    """A fact as JSON; `field` says in which text its span counts."""
    shown = asdict(fact)
    return {"field": field, **shown} if field else shown


@dataclass(frozen=True, slots=True)
class Judged:
    """A file of a folder against what its index says: `verdict` is `right`, `wrong` or `refused`."""

    file: str
    expected_kind: str
    kind: str
    verdict: str
    title: str | None
    publisher: str | None
    published: str | None
    remark: str


_REFUSALS = ("deleted", "violation", "unavailable", "expired", "blocked")
_EXPECTED = {
    "article": ("article",),
    "list": ("list", "account"),
    "album_json": ("list",),
    "deleted": ("deleted",),
    "blocked": _REFUSALS,
    "feed": ("list",),
    "backend_json": ("list", "account"),
}
_COLUMNS = frozenset(("file", "kind", "original_url", "title", "published"))


def judge_folder(folder: Path) -> Iterator[Judged]:
    """Read every file that `MANIFEST.csv` names (file, kind, original_url, title, published) and compare.

    A field that the index leaves empty is not judged; a kind that no reader takes is `refused` when it was
    refused, and `wrong` when something was made of it, as is a file that can't be read. Raises InspectionError
    when there is no usable index.
    """
    index = folder / "MANIFEST.csv"
    try:
        with index.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream, restval=""))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InspectionError(f"{index}: can't be read ({_cause(error)}).") from None
    missing = _COLUMNS - set(rows[0] if rows else ())
    if missing:
        raise InspectionError(f"{index}: lacks the columns {', '.join(sorted(missing))}.")
    for row in rows:
        yield _judge(folder, row)


def _judge(folder: Path, row: dict[str, str]) -> Judged:
    try:
        page = open_saved_page(folder / row["file"], row["original_url"])
    except InspectionError as error:
        return Judged(row["file"], row["kind"], "unreadable", "wrong", None, None, None, str(error))
    shown = describe_page(page, fetch_time_known=False)
    kind = str(shown["kind"])
    published = shown.get("published") or {}
    faults: list[str] = []
    if kind == "article":
        # Posts without a headline have their whole text as og:title, line ends written as \\n.
        title = row["title"].split("\\n")[0]
        found = _squeeze(str(shown["title"]))
        # An index that took the page's <title> has the site's name behind the headline.
        if title and found != _squeeze(title) and not _squeeze(title).startswith(f"{found}_"):
            faults.append(f"title should be {title!r}")
        if not _dates_agree(row["published"], published.get("value")):
            faults.append(f"date should be {row['published']!r}")
    if kind not in _EXPECTED.get(row["kind"], ()) and (kind != "changed" or row["kind"] in _EXPECTED):
        faults.insert(0, f"should be {row['kind']}")
    refused = kind == "changed"
    return Judged(
        file=row["file"],
        expected_kind=row["kind"],
        kind=kind,
        verdict="refused" if refused else "wrong" if faults else "right",
        title=shown.get("title") or shown.get("name"),
        publisher=shown.get("publisher"),
        published=published.get("value"),
        remark="; ".join(faults)
        if faults and not refused
        else str(shown.get("reason") or published.get("reason") or _count_entries(shown)),
    )


def _count_entries(shown: dict[str, Any]) -> str:
    """Of a list, how much was read: with none of it in the index, that is what a person can check."""
    if not (entries := shown.get("entries")):
        return "" if entries is None else "no entries"
    first = entries[0]
    day = (first["date"] or {}).get("value") or "no date"
    return f"{len(entries)} {'entry' if len(entries) == 1 else 'entries'}, the first: {day} {first['title']}"


def _squeeze(text: str) -> str:
    return "".join(text.split())


def _dates_agree(stated: str, value: str | None) -> bool:
    """The index states `2025-11-04 15:59`, sometimes less; as much as it states must be the same."""
    reference = parse_date(stated)
    if reference.value is None:
        return True
    return value is not None and value.startswith(
        reference.value.isoformat()[: 10 if reference.precision == "day" else 16]
    )
