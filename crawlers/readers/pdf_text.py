"""The text of a PDF file, one paragraph a line.

Lines are those of the page: one that reaches the right margin goes on in the next, one that ends before it ends
a paragraph. Page numbers are left out.
"""

from __future__ import annotations

import re

from crawlers.pdf_process import read_pdf_pages
from crawlers.readers.body import tidy

_MOST_PAGES = 600
_MOST_CHARACTERS = 3_000_000
_LEAST_CHARACTERS = 20  # of a whole file; a scan may carry a stamp's number as text
_PAGE_NUMBER = re.compile(
    r"(?:第\s*)?[-–—]*\s*\d{1,4}\s*(?:页|[-–—]*)\s*(?:[/／,，]?\s*共?\s*\d{1,4}\s*页?)?"
)
_ENDS_PARAGRAPH = tuple("。！？：；!?:;")
_FULL_LINE = 0.85  # of the longest line of the page
_LEAST_FULL_LINE = 16  # characters' widths; a page of short lines is a form or a title page
_WIDE = re.compile("[\u2e80-\uffff]")


def read_pdf_text(body: bytes) -> str | None:
    """The text of a PDF, or None where it can't be had.

    None for a broken or encrypted file, for a scan (no text in it), for one of more than 600 pages or 3 million
    characters, of which a part would pass for the whole, and for one that takes PDFium too much time or memory.
    """
    pages = read_pdf_pages(body, _MOST_PAGES, _MOST_CHARACTERS)
    if pages is None:
        return None
    text = tidy("\n".join(_paragraphs([_lines(page) for page in pages])))
    return text if len(text) >= _LEAST_CHARACTERS else None


def _lines(text: str) -> list[str]:
    lines = [line.strip() for line in re.split(r"[\r\n\x0b\x0c\u2028]+", text) if line.strip()]
    if lines and _PAGE_NUMBER.fullmatch(lines[-1]):
        lines.pop()
    if lines and _PAGE_NUMBER.fullmatch(lines[0]):
        del lines[0]
    return lines


def _paragraphs(pages: list[list[str]]) -> list[str]:
    paragraphs: list[str] = []
    goes_on = False
    for lines in pages:
        full = max(_LEAST_FULL_LINE, _FULL_LINE * max(map(_width, lines), default=0))
        for line in lines:
            if goes_on:
                paragraphs[-1] = _joined(paragraphs[-1], line)
            else:
                paragraphs.append(line)
            goes_on = _width(line) >= full and not line.endswith(_ENDS_PARAGRAPH)
    return paragraphs


def _width(line: str) -> int:
    return len(line) + len(_WIDE.findall(line))


def _joined(first: str, second: str) -> str:
    """Words of alphabets need the space that the line's end stood for, characters don't."""
    if _WIDE.match(first[-1]) or _WIDE.match(second[0]):
        return first + second
    return f"{first} {second}"
