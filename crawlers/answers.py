"""What a server answered: as readers take it, and as a run is judged by it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from scrapy.http import Response

from crawlers.errors import Blocked, PageError
from crawlers.hours import Hours, read_hours
from crawlers.page import Page
from crawlers.source import Source

CHALLENGE_STATUS = 521
NOT_MODIFIED = 304


def to_page(response: Response) -> Page:
    """What was fetched, as readers take it. The clock is asked here, once, unless the page is a recorded one."""
    headers = {
        name.decode("latin-1").lower(): b", ".join(values).decode("latin-1")
        for name, values in response.headers.items()
    }
    fetched_at = response.meta.get("recorded_at") or datetime.now(UTC)
    return Page(_shown_url(response), response.body, fetched_at, response.status, headers)


def _shown_url(response: Response) -> str:
    # A URL with a token in it is replaced by the one without; after a redirect there is none to replace.
    request = response.request
    shown = response.meta.get("shown_url")
    return str(shown) if shown and request is not None and request.url == response.url else response.url


def request_meta(source: Source) -> dict[str, Any]:
    """What every request of a source carries: whose it is, whether a browser is to run the scripts, and its hours."""
    return {"source_key": source.key, "render": source.render, "hours": hours_of(source)}


def hours_of(source: Source) -> Hours | None:
    """When the gate may let requests for this source out; None at any time."""
    return read_hours(source.hours) if source.hours else None


def run_state(error: PageError, page: Page) -> str:
    """`down`, `blocked` or `changed`: what a page that was refused says of its source."""
    # 521 is how one firewall hands out its challenge; any other 5xx is a server in trouble.
    if page.status >= 500 and page.status != CHALLENGE_STATUS:
        return "down"
    return "blocked" if isinstance(error, Blocked) else "changed"
