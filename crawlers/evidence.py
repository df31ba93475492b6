"""What a run row keeps of a page that was refused: what was looked for, what was found, and which bytes show it."""

from __future__ import annotations

from typing import Any

from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from crawlers.errors import Blocked, Gone, LayoutChanged, PageError
from crawlers.gate import HostHeld
from crawlers.page import Page

_LONGEST = 500


def describe_refused_page(error: PageError, page: Page, response: Response) -> dict[str, Any]:
    """The refusal of a page that came. `kind` is the short word for it, `gone` for one that is no longer there."""
    described: dict[str, Any] = {"url": page.url, "status": page.status, "sha256": page.sha256}
    if isinstance(error, LayoutChanged):
        described |= {"looked_for": error.expected, "found": error.found}
    elif isinstance(error, Blocked):
        described |= {"kind": error.reason, "found": error.evidence}
    elif isinstance(error, Gone):
        described |= {"kind": "gone", "found": error.evidence}
    if asked := response.meta.get("redirect_urls"):
        described["redirected_from"] = asked[0]
    return _shorten(described)


def describe_no_answer(failure: Failure) -> dict[str, Any]:
    """The refusal where no page came."""
    request: Request = failure.request  # type: ignore[attr-defined]
    name = failure.type.__name__ if failure.type else "error"
    kind = "held" if isinstance(failure.value, HostHeld) else name
    return _shorten({"url": request.meta.get("shown_url", request.url), "kind": kind})


def _shorten(described: dict[str, Any]) -> dict[str, Any]:
    return {name: value[:_LONGEST] if isinstance(value, str) else value for name, value in described.items()}
