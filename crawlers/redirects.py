"""Redirects that lead where the request has been already: a server's way to ask for a cookie back.

Followed, they would be the same request again and again. So the spider gets the answer as it came, and the readers
say what it is; a page that merely asks to be loaded anew after a while is read like any other.
"""

from __future__ import annotations

from urllib.parse import urldefrag, urljoin

from scrapy.http import HtmlResponse, Request, Response
from w3lib.html import get_meta_refresh
from w3lib.url import safe_url_string


class RedirectLoopMiddleware:
    """Stands behind Scrapy's RedirectMiddleware: by status and Location."""

    def process_response(self, request: Request, response: Response) -> Response:
        location = response.headers.get("Location")
        if 300 <= response.status < 400 and location:
            _stay_where_it_has_been(request, urljoin(request.url, safe_url_string(location)))
        return response


class RefreshLoopMiddleware:
    """Stands behind Scrapy's MetaRefreshMiddleware: by `<meta http-equiv="refresh">`."""

    def process_response(self, request: Request, response: Response) -> Response:
        if isinstance(response, HtmlResponse):
            _, target = get_meta_refresh(response.text[:4096], response.url)
            if target:
                _stay_where_it_has_been(request, target)
        return response


def _stay_where_it_has_been(request: Request, target: str) -> None:
    been = (request.url, *request.meta.get("redirect_urls", ()))
    if urldefrag(target).url in {urldefrag(url).url for url in been}:
        request.meta["dont_redirect"] = True
