"""Redirects that lead where the request has been already: a server's way to ask for a cookie back.

Followed, they would be the same request again and again. So the spider gets the answer as it came, and the readers
say what it is; a page that merely asks to be loaded anew after a while is read like any other.
"""

from __future__ import annotations

from urllib.parse import urldefrag, urljoin

from scrapy.downloadermiddlewares.redirect import MetaRefreshMiddleware
from scrapy.http import HtmlResponse, Request, Response
from w3lib.html import get_meta_refresh
from w3lib.url import safe_url_string

_HEAD = 4096  # characters of a page in which Scrapy looks for a refresh
_LONGEST_CHARACTER = 4  # bytes, in UTF-8 and GB18030


class RedirectLoopMiddleware:
    """Stands behind Scrapy's RedirectMiddleware: by status and Location."""

    def process_response(self, request: Request, response: Response) -> Response:
        location = response.headers.get("Location")
        if 300 <= response.status < 400 and location:
            _stay_where_it_has_been(request, urljoin(request.url, safe_url_string(location)))
        return response


class RefreshMiddleware(MetaRefreshMiddleware):
    """Scrapy's own, by `<meta http-equiv="refresh">`; pages without the word, nearly all, aren't decoded for it."""

    def process_response(self, request: Request, response: Response) -> Request | Response:  # type: ignore[override]
        if not isinstance(response, HtmlResponse) or not _may_refresh(response.body):
            return response
        _, target = get_meta_refresh(response.text[:_HEAD], response.url)
        if target:
            _stay_where_it_has_been(request, target)
        return super().process_response(request, response)


def _may_refresh(body: bytes) -> bool:
    """Whether the word stands where Scrapy looks for a refresh, or would not be seen in the bytes (UTF-16)."""
    head = body[: _HEAD * _LONGEST_CHARACTER]
    return b"refresh" in head.lower() or b"\0" in head


def _stay_where_it_has_been(request: Request, target: str) -> None:
    been = (request.url, *request.meta.get("redirect_urls", ()))
    if urldefrag(target).url in {urldefrag(url).url for url in been}:
        request.meta["dont_redirect"] = True
