"""Items as citations (BibTeX, RIS) and as a list to read (Markdown).

A page's words are text in all of them: no command of TeX, no second tag, no markup and no link of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO
from urllib.parse import quote, urlsplit

from query.export.columns import COLUMNS, JOINT, Stored

_TEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
}
_MARKUP = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~&$:@=])")
_URL_SAFE = "/:?&=%;,+@!~*'-._"
_CHINESE = re.compile("[\u4e00-\u9fff]")
_KEYWORDS = ("case_numbers", "document_numbers", "ip_types")
_MARKDOWN_FACTS = (
    ("Case", "case_numbers"),
    ("Document", "document_numbers"),
    ("Court", "courts"),
    ("Parties", "parties"),
    ("Right", "ip_types"),
    ("Outcome", "outcomes"),
    ("Sums", "amounts"),
    ("Law", "statutes"),
)


def write_bibtex(file: BinaryIO, items: Iterable[Stored]) -> int:
    """One `@online` entry an item, in UTF-8 (biber, or a BibTeX that reads it); the key is the item's id."""
    return _write(file, (_bibtex(stored) for stored in items))


def write_ris(file: BinaryIO, items: Iterable[Stored]) -> int:
    """One record of the type ELEC an item, in UTF-8."""
    return _write(file, (_ris(stored) for stored in items))


def write_markdown(file: BinaryIO, items: Iterable[Stored]) -> int:
    """One paragraph an item: the title with its link, publisher and date, what was recognised, where it is from."""
    return _write(file, (_markdown(stored) for stored in items))


def _write(file: BinaryIO, entries: Iterator[str]) -> int:
    count = 0
    for entry in entries:
        file.write(entry.encode("utf-8"))
        count += 1
    return count


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _of(stored: Stored, name: str) -> str:
    cell = COLUMNS["items"][name].read(stored)
    return _one_line(JOINT.join(cell) if isinstance(cell, list) else "" if cell is None else str(cell))


def _keywords(stored: Stored) -> list[str]:
    return [_one_line(value) for name in _KEYWORDS for value in COLUMNS["items"][name].read(stored)]  # type: ignore[union-attr]


def _link(url: str) -> str:
    """A URL with nothing in it that a format could take for its own; empty unless it is http(s)."""
    return quote(_one_line(url), safe=_URL_SAFE + "#") if urlsplit(url).scheme in ("http", "https") else ""


def _tex(text: str) -> str:
    return "".join(_TEX.get(character, character) for character in _one_line(text))


def _bibtex(stored: Stored) -> str:
    item = stored.item
    fields = {
        # Double braces: a publisher is no person, and a title keeps its capitals.
        "title": f"{{{_tex(item.title)}}}",
        "author": f"{{{_tex(item.publisher or item.publisher_zh)}}}",
        "date": item.published_on.isoformat() if item.published_on else "",
        "url": _link(item.url).replace("%", r"\%").replace("#", r"\#"),
        "urldate": f"{item.last_seen_at:%Y-%m-%d}",
        "langid": _language(item.title, chinese="chinese", other="english"),
        "keywords": ", ".join(_tex(word.replace(",", " ")) for word in _keywords(stored)),
        "note": f"SHA-256 of the page: {stored.snapshot_sha256}",
    }
    lines = [f"  {name} = {{{value}}},\n" for name, value in fields.items() if value]
    return f"@online{{{item.uid},\n{''.join(lines)}}}\n\n"


def _ris(stored: Stored) -> str:
    item = stored.item
    tags = [
        ("TY", "ELEC"),
        ("ID", item.uid),
        ("TI", _one_line(item.title)),
        ("AU", _one_line(item.publisher or item.publisher_zh)),
        ("PB", _one_line(item.publisher_zh)),
        *(
            [("PY", f"{item.published_on:%Y}"), ("DA", f"{item.published_on:%Y/%m/%d}")]
            if item.published_on
            else []
        ),
        ("UR", _link(item.url)),
        ("Y2", f"{item.last_seen_at:%Y/%m/%d}"),
        ("LA", _language(item.title, chinese="zh", other="en")),
        *(("KW", word) for word in _keywords(stored)),
        ("N1", f"SHA-256 of the page: {stored.snapshot_sha256}"),
    ]
    return "".join(f"{tag}  - {value}\r\n" for tag, value in tags if value) + "ER  - \r\n\r\n"


def _language(title: str, *, chinese: str, other: str) -> str:
    return chinese if _CHINESE.search(title) else other


def _markdown(stored: Stored) -> str:
    item = stored.item
    title, link = _escape(item.title) or "(no title)", _link(item.url).replace("(", "%28").replace(")", "%29")
    head = f"### [{title}](<{link}>)" if link else f"### {title}"
    published = _of(stored, "published") or "date unknown"
    facts = [
        f"- {label}: {_escape(shown)}\n" for label, name in _MARKDOWN_FACTS if (shown := _of(stored, name))
    ]
    return (
        f"{head}\n\n{_escape(item.publisher or item.publisher_zh)}, {published}\n\n{''.join(facts)}"
        f"- Source: {_escape(item.source_key)}, page {stored.snapshot_sha256}, item {item.uid}\n\n"
    )


def _escape(text: str) -> str:
    return _MARKUP.sub(r"\\\1", _one_line(text))
