"""The way through a source's archive, list page after list page, and how it goes on after it was broken off.

New articles push older ones to deeper pages in between, and deleted ones pull them up. So a walk that goes on first
reads the list from its head until it meets what it has seen, then leaps to the last page that it had read, and from
there, if it knows nothing of what stands there now, back until it does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Literal

from crawlers.notice import ListEntry, PrintedDate
from pipeline.dates import choose
from pipeline.store.frontier import Left, Stopped

MOST_PAGES = 1000
"""List pages that one run reads of a source."""
_OLDER = 2
"""Pages in a row on which everything is older than what is wanted, of which the last ends the walk. One may: a list
that keeps old articles on top, or is not quite in the order of its dates."""
_REPEATS = 3
"""Pages that show the same articles, of which the last ends the list. Two may: a page's worth of new articles that
appears meanwhile pushes all others to the next page."""


class Walk:
    """Which list page comes next. `left` are the articles that an earlier run met and did not fetch."""

    def __init__(self, stopped: Stopped) -> None:
        self.left = stopped.left
        self._pages = dict(stopped.pages)
        self._back_at = max(stopped.pages, default=0)
        self._phase: Literal["head", "leap", "on"] = "head" if self._pages else "on"
        self._followed: set[str] = set()
        self._seen: Counter[frozenset[str]] = Counter()
        self._older = 0
        self._read = 0
        self.joins = False

    @property
    def is_joined(self) -> bool:
        """False while it isn't known whether the page to be read follows on what was read before."""
        return self._phase == "on"

    @property
    def is_long(self) -> bool:
        """True when this run has read as many list pages as it may."""
        return self._read >= MOST_PAGES

    def next_page(
        self,
        number: int,
        url: str,
        next_url: str | None,
        *,
        known: int,
        shown: Collection[str],
        is_older: bool = False,
    ) -> tuple[int, str] | None:
        """Number and URL of the list page to read after the one that was read just now.

        `known` of the articles that are `shown` (their addresses) were joined before. `next_url` is None where the list
        ends. `is_older`: nothing on the page is wanted. `joins` then tells whether what was not joined is by now.
        """
        before = self._phase
        self._seen[frozenset(shown)] += 1
        self._older = self._older + 1 if is_older else 0
        if self._seen[frozenset(shown)] >= _REPEATS or self._older >= _OLDER:
            next_url = None  # some servers answer every page past the last with the last, or the first
        following = self._go(number, url, next_url, known, len(shown))
        self.joins = self._phase != before
        return following

    def _go(
        self, number: int, url: str, next_url: str | None, known: int, shown: int
    ) -> tuple[int, str] | None:
        self._read += 1
        if self._phase == "head":
            if known == shown and number < self._back_at:
                self._phase = "leap"
                return self._back_at, self._pages[self._back_at]
            if known == shown or number >= self._back_at:
                self._phase = "on"
        elif self._phase == "leap":
            if known == 0 and number > 1:
                self._back_at = number - 1
                return self._back_at, self._pages[self._back_at]
            self._phase = "on"
        self._followed.add(url)
        if next_url is None or next_url in self._followed:
            return None  # some lists' last page leads to itself
        return number + 1, next_url


def restore_entry(left: Left, now: datetime) -> ListEntry:
    """The line of a list page again; without its date where that says another day by now (昨天)."""
    entry = ListEntry.from_json(left.entry)
    if entry.date is None or _day(entry.date, left.listed_at) == _day(entry.date, now):
        return entry
    return replace(entry, date=None)


def _day(printed: PrintedDate, now: datetime) -> object:
    best = choose([printed], now).best
    return best.day if best is not None else None
