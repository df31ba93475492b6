"""The files that a notice offers: fetched with the manners of every crawl, archived, and read as text.

PDF and DOCX files are fetched whole; of all others only the size is asked for, and the answer is broken off after
its headers. A file that can't be had costs nothing but its text: the notice is stored all the same.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote, urlsplit

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
    StopDownload,
)
from scrapy.http import Headers, Response
from scrapy.http.request import NO_CALLBACK
from twisted.internet.error import ConnectError, ConnectionClosed

from crawlers.archive import Archive, ArchiveError
from crawlers.gate import OutsideHours
from crawlers.hours import Hours
from crawlers.notice import Attachment, Notice
from crawlers.page import Page
from crawlers.readers.docx_text import DOCUMENT, read_docx_text
from crawlers.readers.pdf_text import read_pdf_text
from crawlers.replay import NotRecorded

MOST = 5
"""Files of one notice that are asked for; those that can be read go first."""
LARGEST = 20_000_000
"""Bytes of a file that is fetched."""

_NO_TEXT = "no text in the file"
_TOO_LARGE = "too large"
_UNREAD = "format not read"
_READABLE = re.compile(r"\.(?:pdf|docx)(?:$|[?#&])", re.I)
_OTHER = re.compile(r"\.(?:doc|xlsx?|pptx?|wps|ofd|zip|rar|7z)(?:$|[?#&])", re.I)
_EXPECTATION = "iprwatch_attachment"
_NO_ANSWER = (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
    ConnectError,
    ConnectionClosed,
    OSError,
    ValueError,  # a URL that no request can be made of
)


@dataclass(slots=True)
class _Expectation:
    """What an answer may bring: bytes that are taken, and the size that its headers stated."""

    most: int
    size: int | None = None


async def fetch_attachments(
    crawler: Crawler, archive: Archive, notice: Notice, page: Page, hours: Hours | None
) -> Notice:
    """The notice with what its attachments hold, asked for one after the other.

    `page` is the one it was read from: a PDF that is the article itself is not asked for again. Nothing is raised
    for a file that can't be had; its note says why. But raises OutsideHours when the `hours` of the source end before
    all files were asked for: the notice is to be read again, with all of them, when they have begun anew.
    """
    if not notice.attachments:
        return notice
    wanted = [number for number, file in enumerate(notice.attachments) if file.url != page.url]
    wanted.sort(key=lambda number: not _may_be_read(notice.attachments[number]))
    found = [_describe_page(file, notice, page) for file in notice.attachments]
    for place, number in enumerate(wanted):
        found[number] = (
            await _fetch(crawler, archive, found[number], notice.url, hours)
            if place < MOST
            else replace(found[number], note=f"not fetched: only {MOST} files of a notice are")
        )
    return replace(notice, attachments=tuple(found))


def restore_attachments(
    notice: Notice, page: Page, stored: Sequence[Mapping[str, Any]], archive: Archive
) -> Notice:
    """The notice, read again, with what the store knows of its attachments; archived ones are read again too.

    Raises ArchiveError when archived bytes are missing or damaged.
    """
    known = {str(file["url"]): Attachment(**file) for file in stored}
    restored = []
    for file in notice.attachments:
        before = known.get(file.url)
        if file.url == page.url and before is not None and before.sha256:
            file = _describe_page(file, notice, page)
        elif before is not None:
            file = replace(before, name=file.name)
            if before.sha256 is not None:
                file = read_attachment(file, archive.open_page(before.sha256))
        restored.append(file)
    return replace(notice, attachments=tuple(restored))


def read_attachment(file: Attachment, body: bytes) -> Attachment:
    """The attachment with size, hash and text of its bytes, or with a note that says why it has no text."""
    found = replace(file, size=len(body), sha256=hashlib.sha256(body).hexdigest(), text=None, note=None)
    start = body.lstrip()[:5]
    if start == b"%PDF-":
        text = read_pdf_text(body)
    elif start.startswith(b"PK\x03\x04") and DOCUMENT.encode() in body:
        text = read_docx_text(body)
    else:
        return replace(found, note=_UNREAD)
    return replace(found, text=text) if text else replace(found, note=_NO_TEXT)


def allow_size(url: str) -> dict[str, int]:
    """What the request for an article's page says of its size: a file may be as large as an attachment."""
    return {"download_maxsize": LARGEST} if _READABLE.search(unquote(url)) else {}


def _may_be_read(file: Attachment) -> bool:
    names = (unquote(file.url), file.name)
    if any(_READABLE.search(name) for name in names):
        return True
    # A link such as /downfile.jsp?id=7 names no format: its bytes tell.
    return not any(_OTHER.search(name) for name in names)


def _describe_page(file: Attachment, notice: Notice, page: Page) -> Attachment:
    if file.url != page.url:
        return file
    note = "its text is the body" if notice.body else _NO_TEXT
    return replace(file, size=len(page.body), sha256=page.sha256, note=note)


async def _fetch(
    crawler: Crawler, archive: Archive, file: Attachment, referer: str, hours: Hours | None
) -> Attachment:
    if not file.url.lower().startswith(("http://", "https://")):
        return replace(file, note="not fetched: its address is no http(s) URL")
    readable = _may_be_read(file)
    expectation = _Expectation(most=LARGEST if readable else 0)
    try:
        response = await _download(crawler, file.url, referer, expectation, hours)
    except OutsideHours:
        raise
    except NotRecorded:
        return replace(file, note="not recorded")
    except DownloadCancelledError:
        return replace(file, note=_TOO_LARGE, size=expectation.size)
    except _NO_ANSWER as error:
        return replace(file, note=f"not fetched: {error or type(error).__name__}")
    if response.status != 200:
        return replace(file, note=f"not fetched: the server answered {response.status}")
    if not readable:
        return replace(file, note=_UNREAD, size=expectation.size or len(response.body) or None)
    if "download_stopped" in response.flags or len(response.body) > LARGEST:
        return replace(file, note=_TOO_LARGE, size=expectation.size or len(response.body) or None)
    if response.body.lstrip()[:1] in (b"<", b""):
        return replace(file, note="not fetched: a web page or nothing came in place of the file")
    return await asyncio.to_thread(_keep_and_read, archive, file, response.body)


async def _download(
    crawler: Crawler, url: str, referer: str, expectation: _Expectation, hours: Hours | None
) -> Response:
    request = Request(
        url,
        callback=NO_CALLBACK,
        headers={"Referer": referer} if urlsplit(url).netloc == urlsplit(referer).netloc else {},
        meta={
            _EXPECTATION: expectation,
            "download_maxsize": LARGEST,
            "dont_retry": True,
            "hours": hours,
        },
        dont_filter=True,
    )
    assert crawler.engine
    crawler.signals.connect(_judge_headers, signal=signals.headers_received)
    return await crawler.engine.download_async(request)


def _judge_headers(headers: Headers, body_length: object, request: Request) -> None:
    """Break off an answer whose body is not wanted, or is too large. The length is a word where it isn't known."""
    expectation = request.meta.get(_EXPECTATION)
    if expectation is None:
        return
    known = isinstance(body_length, int) and "Content-Encoding" not in headers
    expectation.size = body_length if known else None
    if expectation.most == 0 or (known and expectation.size > expectation.most):
        raise StopDownload(fail=False)


def _keep_and_read(archive: Archive, file: Attachment, body: bytes) -> Attachment:
    found = read_attachment(file, body)
    assert found.sha256
    try:
        archive.keep(found.sha256, body)
    except ArchiveError as error:
        return replace(file, note=f"not fetched: {error}")
    return found
