"""Pages to be mutated, what their reader makes of them as they are, and whether it is still right afterwards."""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

from w3lib.encoding import html_to_unicode

from crawlers.errors import PageError
from crawlers.notice import ListPage, Notice, PrintedDate
from crawlers.page import Page
from crawlers.readers import read, reader_for
from crawlers.replay import find_recordings
from pipeline.dates import choose
from tests.markup_tokens import Token, elements, squeeze, text_of
from tests.markup_tokens import split as tokens_of

Verdict = Literal["right", "refused", "wrong"]
Format = Literal["html", "json", "jsonp", "xml"]

_STATED_DATE = re.compile(r"(?:成文日期|发布日期|发布时间|更新时间|打印时间|有效期至)：")
_ROW = re.compile(r"(?:索引号|主题分类|发文机关|所属机构|标题|发文字号|文号|主题词|公文时效)：.*", re.M)
_TAKING = frozenset(("hole", "block_removed", "title_emptied"))
NOT_MARKUP = frozenset(
    ("document",)
)  # its files are damaged in tests/readers/test_damaged_feeds_and_files.py


@dataclass(frozen=True, slots=True)
class Fields:
    """What was read: of an article its fields, of a list `entries` of URL, title, day and identity.

    `days` are all days of publication that an article's page states: they may differ, and the first counts.
    `body` has no white space, and lacks the lines that readers make of a table's dates; `rows`
    counts the characters of its other lines.
    """

    title: str = ""
    day: date | None = None
    days: frozenset[date] = frozenset()
    publisher: str | None = None
    identity: str | None = None
    body: str = ""
    rows: int = 0
    note: str | None = None
    entries: tuple[tuple[str, str, date | None, str | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """A page, what its reader reads in it, and another page of the same reader and kind, where there is one."""

    name: str
    reader: str
    page: Page
    fields: Fields
    other: Page | None = None

    @property
    def is_list(self) -> bool:
        """True for a list page, which has no title."""
        return not self.fields.title

    @property
    def source(self) -> str:
        """The page's text."""
        return html_to_unicode(
            self.page.headers.get("content-type"), self.page.body, default_encoding="utf-8"
        )[1]

    @property
    def format(self) -> Format:
        """HTML, JSON, JSON in a call, or XML: the records of Hanweb, feeds, sitemaps."""
        start = self.source.lstrip("\ufeff \r\n\t")[:200]
        if start.startswith(("{", "[")):
            return "json"
        if re.match(r"\w+\(", start):
            return "jsonp"
        return "xml" if re.match(r"<(?:\?xml|datastore|recordset)", start) else "html"


def read_fields(page: Page) -> Fields | None:
    """What the readers make of a page; None for an account's page. Raises PageError as they do."""
    read_as = read(page)
    if isinstance(read_as, ListPage):
        entries = (
            (entry.url, entry.title, _day(entry.date, page), entry.identity) for entry in read_as.entries
        )
        return Fields(entries=tuple(entries))
    if not isinstance(read_as, Notice):
        return None
    dating = choose(read_as.dates, read_as.fetched_at)
    best = dating.best
    return Fields(
        title=read_as.title,
        day=best.day if best else None,
        days=frozenset(
            value.day for _, value in dating.candidates if value.day and value.meaning == "published"
        ),
        publisher=read_as.publisher,
        identity=read_as.identity,
        body=squeeze("\n".join(line for line in read_as.body.split("\n") if not _STATED_DATE.match(line))),
        rows=sum(len(squeeze(row)) for row in _ROW.findall(read_as.body)),
        note=read_as.body_note,
    )


def _day(printed: PrintedDate | None, page: Page) -> date | None:
    best = choose((printed,), page.fetched_at).best if printed else None
    return best.day if best else None


def sample_subjects(samples: Path) -> list[Subject]:
    """Every article and list of the recorded web that a reader of markup takes."""
    pages = (
        (str(found.path.parent.relative_to(samples)), found.open_page()) for found in find_recordings(samples)
    )
    return _paired(_subjects(pages))


def captured_subjects(captures: Path, most_bytes: int) -> list[Subject]:
    """The real pages up to a size."""
    return _paired(_subjects(_captured(captures, most_bytes)))


def _captured(captures: Path, most_bytes: int) -> Iterator[tuple[str, Page]]:
    with (captures / "MANIFEST.csv").open(encoding="utf-8-sig", newline="") as lines:
        for row in csv.DictReader(lines):
            # A fragment has no end that could be missing.
            if "fragment" in row["file"] or row["file"].startswith("derived/"):
                continue
            if row["kind"] not in ("article", "list", "album_json"):
                continue
            body = (captures / row["file"]).read_bytes()
            body = gzip.decompress(body) if row["file"].endswith(".gz") else body
            if len(body) <= most_bytes:
                yield row["file"], Page(row["original_url"], body, datetime(2026, 11, 20, 4, tzinfo=UTC))


def _subjects(pages: Iterator[tuple[str, Page]]) -> Iterator[Subject]:
    for name, page in pages:
        try:
            reader, _ = reader_for(page)
            fields = read_fields(page) if reader not in NOT_MARKUP else None
        except PageError:
            continue
        if fields is not None and (fields.title or fields.entries):
            yield Subject(name, reader, page, fields)


def _paired(subjects: Iterator[Subject]) -> list[Subject]:
    found = list(subjects)
    return [
        replace(
            subject,
            other=next(
                (
                    other.page
                    for other in [*found[index + 1 :], *found[:index]]
                    if other.reader == subject.reader
                    and other.is_list == subject.is_list
                    and other.format == subject.format
                    and other.fields.title != subject.fields.title
                ),
                None,
            ),
        )
        for index, subject in enumerate(found)
    ]


def as_before(subject: Subject, source: str) -> Page:
    """The page with another source, in its own encoding."""
    encoding, _ = html_to_unicode(
        subject.page.headers.get("content-type"), subject.page.body, default_encoding="utf-8"
    )
    return replace(subject.page, body=source.encode(encoding, "xmlcharrefreplace"))


def find_body(subject: Subject, tokens: list[Token]) -> tuple[int, int] | None:
    """The start and end tag of the smallest block that holds the article's text; None for a list."""
    body = subject.fields.body
    best: tuple[int, int] | None = None
    for element in elements(tokens) if body else ():
        if element.tag not in ("div", "section", "td", "article"):
            continue
        if best is not None and element.closing - element.opening >= best[1] - best[0]:
            continue
        inside = text_of(tokens[element.opening : element.closing])
        if body[-15:] in inside and len(inside) >= 0.6 * len(body):
            best = (element.opening, element.closing)
    return best


def judge(subject: Subject, mutation: str, mutated: Page, *, harmless: bool) -> tuple[Verdict, str]:
    """The verdict on one mutated page, and why it is wrong where it is.

    After a harmless mutation every field must be as before, bodies compared without white space. After a harmful
    one, a field that is delivered must be as before, where the unknown may be unknown (day, publisher,
    identity) and the day may be another one that the page had stated. A body must be whole: it may lack no more text than a hole or a removed block took from the page,
    may hold no other text, and may be empty only with a note that says why. A list may be shorter by what was
    taken from it, but not for the page having been cut off; the day of an entry may be that of its address.
    """
    try:
        fields = read_fields(mutated)
    except PageError:
        return "refused", ""
    if fields is None:
        return "wrong", "read as an account"
    fault = _difference(subject, fields) if harmless else _fault(subject, mutation, mutated, fields)
    return ("wrong", fault) if fault else ("right", "")


def _difference(subject: Subject, fields: Fields) -> str:
    for name in ("title", "day", "publisher", "identity", "body", "note", "entries"):
        before, after = getattr(subject.fields, name), getattr(fields, name)
        if before != after:
            return f"{name}: {_shown(before, after)}"
    return ""


def _fault(subject: Subject, mutation: str, mutated: Page, fields: Fields) -> str:
    before = subject.fields
    if subject.is_list:
        return _fault_of_list(subject, mutation, fields)
    if fields.title != before.title:
        return f"title: {_shown(before.title, fields.title)}"
    # What contradicted a date may be what was taken.
    undisputed = before.day is None and mutation in _TAKING
    if fields.day not in (None, *before.days) and not undisputed:
        return f"day: {_shown(before.day, fields.day)}"
    for name in ("publisher", "identity"):
        after = getattr(fields, name)
        if after not in (None, getattr(before, name)):
            return f"{name}: {_shown(getattr(before, name), after)}"
    if fields.body == before.body:
        return ""
    if not fields.body:
        return "" if fields.note else "body: empty without a note"
    if not _is_subsequence(fields.body, before.body):
        return f"body: holds foreign text: {_shown(before.body, fields.body)}"
    lost = len(before.body) - len(fields.body)
    # A label or a value that was taken out of a document's table takes its row along.
    taken = _taken(subject, mutated) + before.rows if mutation in _TAKING else 0
    return f"body: lacks {lost} characters, {taken} were taken" if lost > taken else ""


def _fault_of_list(subject: Subject, mutation: str, fields: Fields) -> str:
    known = {}
    for url, title, day, identity in subject.fields.entries:
        known[url] = known[identity or url] = (title, day)
    for url, title, day, identity in fields.entries:
        before = known.get(url) or known.get(identity or url)
        if before is None:
            return f"entries: an unknown address {url!r}"
        # Of several links to one article the fullest title counts, until it is taken away.
        if title != before[0] and not (mutation in _TAKING and before[0].startswith(title)):
            return f"entries: {before[0]!r} became {title!r}"
        if day not in (None, before[1]) and (day is None or day.isoformat() not in url):
            return f"entries: {before!r} became {day!r}"
    if len(fields.entries) < len(subject.fields.entries) and mutation.startswith("truncated"):
        return f"entries: {len(fields.entries)} of {len(subject.fields.entries)}"
    return ""


def _taken(subject: Subject, mutated: Page) -> int:
    """How many characters of visible text the mutation took out of the page."""
    after = replace(subject, page=mutated).source
    return len(text_of(tokens_of(subject.source))) - len(text_of(tokens_of(after)))


def _is_subsequence(part: str, whole: str) -> bool:
    rest = iter(whole)
    return all(character in rest for character in part)


def _shown(before: object, after: object) -> str:
    """The two values from where they differ."""
    one, other = str(before), str(after)
    at = next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), 0)
    return f"{one[max(0, at - 10) : at + 50]!r} became {other[max(0, at - 10) : at + 50]!r}"
