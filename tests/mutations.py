"""Mutations of recorded pages: what may befall a page between two visits, as pure functions of page and seed.

HARMLESS ones leave what a person sees as it is, so a reader should read the page as before. HARMFUL ones take
something away, exchange it or put something else in its place: what a reader still delivers must be right.

A mutation gives None for a page that it doesn't apply to (no list in an article, no markup in JSON).

What no reader can know is not asked for: a hole takes whole tokens (tags, comments, texts), since a headline
that lacks a few characters is a headline; in lists it takes whole elements, since half of one row and half of the
next make a row.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from w3lib.encoding import html_to_unicode

from crawlers.page import Page
from pipeline.dates import parse_date
from tests.markup_tokens import (
    BLOCKS,
    Element,
    Token,
    elements,
    join,
    rewrite_tag,
    split,
    squeeze,
    text_of,
)

BEIJING = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Subject:
    """A page, with what is known of it: its format, title, day and body, and another page of its reader.

    `title` and `body` are empty and `day` is None for a list.
    """

    name: str
    page: Page
    title: str
    day: date | None
    body: str
    other: Page | None = None

    @property
    def is_list(self) -> bool:
        """True for a list page."""
        return not self.title


Mutate = Callable[[Subject, Random], Page | None]


def mutate(subject: Subject, name: str, seed: int) -> Page | None:
    """The page after one mutation; the same for the same seed. None where it doesn't apply."""
    mutated = (HARMLESS | HARMFUL)[name](subject, Random(f"{subject.name} {name} {seed}"))
    return None if mutated is None or mutated.body == subject.page.body else mutated


def source_of(page: Page) -> tuple[str, str]:
    """The encoding of the page and its text."""
    return html_to_unicode(page.headers.get("content-type"), page.body, default_encoding="utf-8")


def is_markup(source: str) -> bool:
    """True for HTML, false for JSON and for the records of Hanweb, which are XML."""
    return source.lstrip("\ufeff \r\n\t")[:1] == "<" and re.search(r"<(?:html|body|div|p)\b", source, re.I) is not None \
        and not source.lstrip("\ufeff \r\n\t").startswith(("<?xml", "<datastore"))


def _encoded(page: Page, source: str) -> Page:
    return replace(page, body=source.encode(source_of(page)[0], "xmlcharrefreplace"))
