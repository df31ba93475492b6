"""Answers requests from recorded pages instead of the network.

A recorded web is a folder. Each page lies in a folder of its own as `page.*` with `page.json` beside it (`url`,
`status`, `headers`, `fetched`). A spider asks for the real URL and can't tell recorded from live, but for
`request.meta["recorded_at"]`, which stands for the clock.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.core.downloader.handlers.base import BaseDownloadHandler
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.responsetypes import responsetypes
from w3lib.url import canonicalize_url

from crawlers.page import Page
from errors import ConfigurationError, IprwatchError


class NotRecorded(IprwatchError):
    """A recorded web lacks the page that was asked for. Raised by the handler; the crawl counts it."""


@dataclass(frozen=True, slots=True)
class Recording:
    """Where a recorded page lies and what was recorded of its answer."""

    path: Path
    url: str
    status: int
    headers: dict[str, str]
    fetched_at: datetime

    def open_page(self) -> Page:
        """The page as it was fetched then."""
        return Page(
            url=self.url,
            body=self.path.read_bytes(),
            fetched_at=self.fetched_at,
            status=self.status,
            headers=self.headers,
        )


def find_recordings(folder: Path) -> Iterator[Recording]:
    """All recorded pages below a folder, in order of their paths.

    Raises ConfigurationError for a folder without any and for a `page.json` that can't be used.
    """
    notes = sorted(folder.rglob("page.json"))
    if not notes:
        raise ConfigurationError(f"{folder}: there is no recorded page (page.json) in this folder.")
    for note in notes:
        yield read_recording(note)


def read_recording(note: Path) -> Recording:
    """One recorded page by its `page.json`. Raises ConfigurationError naming the file and the fault."""
    try:
        stated = json.loads(note.read_text(encoding="utf-8"))
        fetched_at = datetime.fromisoformat(stated["fetched"])
        url, status = str(stated["url"]), int(stated["status"])
        headers = {str(name).lower(): str(value) for name, value in stated["headers"].items()}
        _key(url)
        if not 100 <= status <= 599:
            raise ValueError(f"{status} is no HTTP status")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(
            f"{note}: can't be used ({type(error).__name__}: {error}); it needs url, status, headers and fetched."
        ) from None
    if fetched_at.tzinfo is None:
        raise ConfigurationError(f"{note}: fetched: the time needs a zone, such as +08:00.")
    bodies = [path for path in note.parent.glob("page.*") if path.suffix != ".json"]
    if len(bodies) != 1:
        raise ConfigurationError(f"{note}: there must be one page file beside it, there are {len(bodies)}.")
    return Recording(bodies[0], url, status, headers, fetched_at)


def write_recording(page: Page, folder: Path) -> None:
    """Keep a page as a recording of its own in a folder, in the place of one that is there. Cookies are left out."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("page.*"):
        old.unlink()
    (folder / f"page.{_suffix(page)}").write_bytes(page.body)
    note = {
        "url": page.url,
        "status": page.status,
        "headers": {name: value for name, value in page.headers.items() if name != "set-cookie"},
        "fetched": page.fetched_at.isoformat(),
    }
    (folder / "page.json").write_text(json.dumps(note, ensure_ascii=False, indent=1) + "\n", "utf-8")


def _suffix(page: Page) -> str:
    start = page.body.lstrip()[:5]
    if start[:1] in (b"{", b"["):
        return "txt"
    return "pdf" if start == b"%PDF-" else "xml" if start == b"<?xml" else "html"


def open_recorded_web(folder: Path) -> dict[str, Recording]:
    """All recorded pages below a folder by the key of their URL.

    Raises ConfigurationError for what `find_recordings` refuses, and for two pages with one URL.
    """
    recordings: dict[str, Recording] = {}
    for recording in find_recordings(folder):
        known = recordings.setdefault(_key(recording.url), recording)
        if known is not recording:
            raise ConfigurationError(f"{recording.path}: {recording.url} is recorded at {known.path} too.")
    return recordings


@lru_cache(maxsize=1)
def _open_once(folder: str) -> dict[str, Recording]:
    # Each spider of a crawl has a handler for http and one for https.
    return open_recorded_web(Path(folder))


class ReplayHandler(BaseDownloadHandler):
    """A download handler for http and https that knows no network. Reads the setting IPRWATCH_REPLAY."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._recordings = _open_once(crawler.settings["IPRWATCH_REPLAY"])

    async def download_request(self, request: Request) -> Response:
        """Answer from the folder, 404 for a robots.txt that it lacks; raises NotRecorded for other pages."""
        recording = self._recordings.get(_key(request.url))
        if recording is None:
            if urlsplit(request.url).path == "/robots.txt":
                return Response(request.url, status=404)
            raise NotRecorded(f"{request.url} is not among the recorded pages.")
        page = recording.open_page()
        request.meta["recorded_at"] = page.fetched_at
        # A recorded body is unpacked already, whatever its server said.
        headers: dict[str, Any] = {
            name: value for name, value in page.headers.items() if name != "content-encoding"
        }
        response_class = responsetypes.from_args(headers=None, url=request.url, body=page.body)
        return response_class(request.url, status=page.status, headers=headers, body=page.body)


def _key(url: str) -> str:
    return canonicalize_url(url.replace("&amp;", "&"))
