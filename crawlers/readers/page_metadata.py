"""What a page of a news medium says about itself in its head and beside its headline, cross-checked.

A headline counts when a second witness on the page confirms it, a date when no other one on the page contradicts
it. Nothing is searched for in running text, in lists of related articles or in the footer.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from lxml import html

from crawlers.notice import DateMeaning, ListEntry, PrintedDate
from crawlers.readers.body import read_body
from crawlers.readers.markup import behind_headline, date_shaped, first, folded, labelled_date, one_line

_ARTICLE_TYPES = re.compile(r"(?:Article|BlogPosting|Report)$")
_PUBLISHED = (
    "article:published_time",
    "og:published_time",
    "datepublished",
    "pubdate",
    "publishdate",
    "publish_date",
    "publish-date",
    "publicationdate",
    "publication_date",
    "parsely-pub-date",
    "dc.date.issued",
    "dcterms.issued",
    "dcterms.created",
)
_MODIFIED = ("article:modified_time", "og:updated_time", "datemodified", "dcterms.modified")
# Characters behind the headline within which its date line stands: fewer than any article has, so that what
# stands behind the article (a footer's date) is never reached.
_NEAR = 200
_PUBLISHED_WORDS = (
    "发布时间|发布日期|发表时间|发布于|时间|日期|(?:Published|Posted)(?: on)?|Publication date|Date"
)
# A label stands alone: 生效日期 and 开庭时间 end like one.
_PUBLISHED_LABEL = re.compile(rf"(?<!\w)(?:{_PUBLISHED_WORDS})\s*[:：]?\s*$", re.I)
_MODIFIED_LABEL = re.compile(
    r"(?<!\w)(?:更新时间|更新于|更新|修改时间|(?:Last )?Updated(?: on)?|Modified)\s*[:：]?\s*$", re.I
)
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_MONTH = r"(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_ENGLISH_DATE = re.compile(
    rf"(?:{_MONTH}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>(?:19|20)\d{{2}})\b"
    rf"|\b(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?\s+{_MONTH.replace('month', 'month2')},?\s+(?P<year2>(?:19|20)\d{{2}})\b)",
    re.I,
)
_NUMERIC_DATE = re.compile(
    r"(?<!\d)((?:19|20)\d{2})(?:\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})|(\d{2})(\d{2}))(?!\d)"
)
_ANY_DATE = re.compile(rf"(?P<numeric>(?<!\d)(?:19|20)\d{{2}}\s*[-/.年])|{_ENGLISH_DATE.pattern}", re.I)
# Where no h1 is the headline, an element that is called a title may be (`div.article-title`, `p.tit`).
_TITLED_TAGS = ("div", "p", "span", "strong")
_TITLE_CLASS = re.compile(r"(?:^|[\s_-])(?:tit|title|headline)(?:$|[\s_-])", re.I)
_MOST_CHILDREN = 3  # an element of more is a block that has a title, not one that is one
_LEAST_TITLE = 6  # characters that tell headlines apart
_ZONES = timedelta(days=1)  # 23:30 in London is the next day in Beijing


@dataclass(frozen=True, slots=True)
class Described:
    """What the page says: "" where it says nothing that was confirmed."""

    title: str
    dates: tuple[PrintedDate, ...]
    site: str
    author: str


def describe(
    root: html.HtmlElement, entry: ListEntry | None, in_url: str | None, names: Sequence[str]
) -> Described:
    """Read what the page says of itself.

    `in_url` is the day that the URL states; `names` are the site's names, which no headline is.
    """
    metas = _metas(root)
    articles = list(_linked_data(root))
    site = _site_name(root, names)
    headings = [heading for heading in root.iter("h1") if one_line(heading)]
    titles = [
        *(one_line(heading) for heading in headings),
        _without_name(metas.get("og:title", ""), names),
        *(_string(article, "headline") for article in articles),
        _without_name(_title_element(root), names),
        entry.title if entry else "",
    ]
    others = [node for node in root.iter("h2", "h3", *_TITLED_TAGS) if _is_heading(node)]
    title = _confirmed(titles, [one_line(node) for node in others], names)
    heading = first(node for node in (*headings, *others) if _agree(one_line(node), title))
    if heading is not None:
        title = min(title, one_line(heading), key=len)
    articles = [one for one in articles if _agree(_string(one, "headline") or title, title)]
    published = [
        *_stated(metas, articles, _PUBLISHED, "datePublished"),
        *(_beside(heading) if heading is not None else ()),
        *([PrintedDate(in_url, "url")] if in_url else ()),
    ]
    modified = [replaced for replaced in published if replaced.meaning == "modified"]
    modified += [
        PrintedDate(date.raw, date.place, "modified")
        for date in _stated(metas, articles, _MODIFIED, "dateModified")
    ]
    published = [date for date in published if date.meaning == "published"]
    return Described(title, (*_undisputed(published, entry), *modified), site, metas.get("author", ""))


def _title_element(root: html.HtmlElement) -> str:
    node = first(root.iter("title"))
    return "" if node is None else folded(node.text)


def _site_name(root: html.HtmlElement, names: Sequence[str]) -> str:
    """What og:site_name calls the site, where that is one of its names."""
    known = {_key(name) for name in names}
    stated = (
        folded(node.get("content")) for node in root.iter("meta") if node.get("property") == "og:site_name"
    )
    return next((name for name in stated if _key(name) in known), "")


def other_headlines(root: html.HtmlElement, title: str, names: Sequence[str]) -> list[str]:
    """Headlines in large type (h1) that are neither this one nor a name of the site: another article's."""
    known = {_key(name) for name in names}
    texts = (one_line(heading) for heading in root.iter("h1"))
    return [text for text in texts if _key(text) and _key(text) not in known and not _agree(text, title)]


def _metas(root: html.HtmlElement) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in root.iter("meta"):
        content = folded(node.get("content"))
        for key in ("property", "name", "itemprop"):
            name = folded(node.get(key)).lower()
            if name and content:
                found.setdefault(name, content)
    return found


def _linked_data(root: html.HtmlElement) -> Iterator[dict[str, Any]]:
    """The articles among the JSON-LD objects of the page (schema.org Article and its kinds)."""
    for script in root.iter("script"):
        if (script.get("type") or "").strip().lower() != "application/ld+json":
            continue
        try:
            stated = json.loads(script.text or "")
        except (ValueError, RecursionError):
            continue  # one of several witnesses; the others are asked
        for value in stated if isinstance(stated, list) else [stated]:
            graph = value.get("@graph") if isinstance(value, dict) else None
            for thing in graph if isinstance(graph, list) else [value]:
                kinds = thing.get("@type") if isinstance(thing, dict) else None
                if any(
                    _ARTICLE_TYPES.search(str(kind))
                    for kind in (kinds if isinstance(kinds, list) else [kinds])
                ):
                    yield thing


def _string(fields: dict[str, Any], key: str) -> str:
    value = fields.get(key)
    return folded(read_body(value, "").text) if isinstance(value, str) else ""


def _without_name(title: str, names: Sequence[str]) -> str:
    """A headline without the name of the site behind it (`… - China Daily`, `…_IPRdaily`)."""
    parts = re.match(r"(.+\S)\s*[-_|–—·]\s*(.+)$", title)
    return parts[1] if parts and any(_key(name) == _key(parts[2]) for name in names) else title


def _is_heading(node: html.HtmlElement) -> bool:
    if node.tag in ("h2", "h3"):
        return True
    return bool(_TITLE_CLASS.search(node.get("class") or "")) and len(node) <= _MOST_CHILDREN


def _confirmed(titles: list[str], headings: list[str], names: Sequence[str]) -> str:
    """The first headline that another one, or a heading on the page, confirms; a site's name is none."""
    usable = [title for title in titles if _key(title) and all(_key(title) != _key(name) for name in names)]
    for at, title in enumerate(usable):
        if any(_agree(title, other) for other in (*usable[:at], *usable[at + 1 :], *headings)):
            return title
    return ""


def _agree(one: str, other: str) -> bool:
    """Whether both are one headline: the same, or one of them with something short behind it."""
    short, long = sorted((_key(one), _key(other)), key=len)
    if short == long:
        return bool(short)
    return len(short) >= _LEAST_TITLE and long.startswith(short) and len(short) * 2 >= len(long)


def _key(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKC", text).casefold() if char.isalnum())


def _stated(
    metas: dict[str, str], articles: list[dict[str, Any]], names: Sequence[str], of_article: str
) -> list[PrintedDate]:
    dates = [
        PrintedDate(raw, f"JSON-LD {of_article}") for item in articles if (raw := _string(item, of_article))
    ]
    return dates + [PrintedDate(metas[name], f"metadata {name}") for name in names if name in metas]


def _beside(heading: html.HtmlElement) -> Iterator[PrintedDate]:
    """The labelled dates in the few lines behind the headline, and the first `<time>` there."""
    line = folded(heading.tail)
    marked = False
    for node in _following(heading):
        if len(line) > _NEAR:
            break
        for time in node.iter("time"):
            before = len(line) + sum(len(folded(piece)) for piece in _texts_before(node, time))
            if not marked and time.get("datetime") and before <= _NEAR:
                marked = True
                changed = re.search(r"updat|modif", time.get("class") or "", re.I)
                meaning: DateMeaning = "modified" if changed else "published"
                yield PrintedDate(folded(time.get("datetime")), "time beside the title", meaning)
        line += f" {_spaced_text(node)} {folded(node.tail)}"
    yield from _labelled_dates(line[:_NEAR])


def _following(heading: html.HtmlElement) -> Iterator[html.HtmlElement]:
    """The elements behind the heading: its siblings, then those of each element around it."""
    node = heading
    while node is not None:
        yield from (sibling for sibling in node.itersiblings() if isinstance(sibling.tag, str))
        node = node.getparent()


def _spaced_text(node: html.HtmlElement) -> str:
    """The text of an element with a space between its pieces: fields often touch but for their styling."""
    pieces = node.xpath(".//text()[not(parent::script or parent::style or parent::noscript)]")
    return " ".join(filter(None, map(folded, pieces)))


def _texts_before(node: html.HtmlElement, inner: html.HtmlElement) -> Iterator[str]:
    for descendant in node.iter():
        if descendant is inner:
            return
        yield descendant.text or ""


def is_date_line(line: str) -> bool:
    """Whether a line is one with source and date, and no sentence: it has a labelled date and is short.

    Its fields may touch: `来源：某网发布时间：2026-11-13`.
    """
    return len(line) < _NEAR // 2 and (
        any(_labelled_dates(line)) or labelled_date(line, "发布时间", "发布日期") is not None
    )


def _labelled_dates(line: str) -> Iterator[PrintedDate]:
    """Dates with one of our labels right before them."""
    for found in _ANY_DATE.finditer(line):
        raw = date_shaped(line[found.start() :]) if found["numeric"] else found[0]
        if raw and _PUBLISHED_LABEL.search(line, 0, found.start()):
            yield PrintedDate(raw, "labelled text")
        elif raw and _MODIFIED_LABEL.search(line, 0, found.start()):
            yield PrintedDate(raw, "labelled text", "modified")


def _undisputed(published: list[PrintedDate], entry: ListEntry | None) -> tuple[PrintedDate, ...]:
    """The dates of publication, the list entry's first; those that can't be believed are marked `contradicted`.

    The list decides. Without it, dates that lie more than a day apart contradict each other, and none counts:
    no date is better than a wrong one.
    """
    listed = entry.date if entry and entry.date and entry.date.meaning == "published" else None
    if listed:
        day = day_of(listed.raw)
        wrong = [date for date in published if day is not None and _apart(day, day_of(date.raw))]
    else:
        days = [day for date in published if (day := day_of(date.raw))]
        wrong = published if days and _apart(min(days), max(days)) else []
    believed = [date for date in published if date not in wrong]
    contradicted = [replace(date, form="contradicted") for date in wrong]
    return (*([listed] if listed else []), *believed, *contradicted)


def _apart(one: date, other: date | None) -> bool:
    return other is not None and abs(one - other) > _ZONES


def printed_beside(
    head: str, title: str, find: Callable[[str], str | None], others: Iterable[PrintedDate]
) -> str | None:
    """The date that `find` finds behind the headline, in the text above a body.

    One above the headline may be a menu's or another article's, and counts where another date is of the same day,
    or where there is none.
    """
    own = behind_headline(head, title)
    if own is not None and (raw := find(own)):
        return raw
    raw = find(head)
    if own is None:
        return raw
    days = {day_of(date.raw) for date in others} - {None}
    return raw if raw and (not days or day_of(raw) in days) else None


def day_of(raw: str) -> date | None:
    """The day that a printed date names, for comparing two; None for other forms. No value is taken from it."""
    found = _NUMERIC_DATE.search(raw)
    if found:
        parts = int(found[1]), int(found[2] or found[4]), int(found[3] or found[5])
    else:
        english = _ENGLISH_DATE.search(raw)
        if english is None:
            return None
        month = (english["month"] or english["month2"]).lower()
        parts = (
            int(english["year"] or english["year2"]),
            _MONTHS.index(month[:3]) + 1,
            int(english["day"] or english["day2"]),
        )
    try:
        return date(*parts)
    except ValueError:
        return None
