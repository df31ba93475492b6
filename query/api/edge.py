"""What holds for every request and answer, whatever the route: host names, rates, ETags, safe headers, the log."""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import re
import time
from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import unquote_plus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from query.api.problems import MEDIA_TYPE, problem, too_many
from query.api.served import Served

log = logging.getLogger("iprwatch.serve")

_SAFE = {
    "Cache-Control": "private, no-cache",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Vary": "Authorization",
    "X-Content-Type-Options": "nosniff",
}
_TOKEN = re.compile(r"iprwatch_[\w%-]*")
_ETAG_LENGTH = 32


class Edge:
    """The outermost layer of an application.

    Names under which the server isn't known are refused, so that a foreign page can't reach a server on loopback by
    a name of its own that leads there (DNS rebinding). Whole answers to GET have an ETag over their bytes, and 304
    where the client has them already. HEAD is answered as GET without the body.
    """

    def __init__(self, app: ASGIApp, served: Served) -> None:
        self._app = app
        self._served = served

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the application's start and end."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(scope, send)
        began = time.monotonic()
        # Shared with the routes, which note here who asked, and need not write what isn't sent.
        state: dict[str, object] = {"bodiless": scope["method"] == "HEAD"}
        inner = {**scope, "state": state, "method": "GET" if scope["method"] == "HEAD" else scope["method"]}
        try:
            await self._refuse_or_go_on(inner, receive, answer.send)
        finally:
            log.info(
                '%s "%s %s" %s %d bytes %d ms %s',
                _address(scope), scope["method"], shown_target(scope), answer.status, answer.size,
                (time.monotonic() - began) * 1000, state.get("asker", "-"),
            )  # fmt: skip

    async def _refuse_or_go_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        hosts = self._served.hosts
        host = host_name(Headers(scope=scope).get("host", ""))
        if hosts is not None and host not in hosts:
            refusal = problem(
                421,
                f"This server is not known as {host!r}. If that is its name behind a proxy, "
                "start it with --public-url.",
            )
            await refusal(scope, receive, send)
        elif wait := self._served.address_rates.wait(_network(_address(scope))):
            await too_many(wait)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class _Answer:
    """An answer on its way: held back until it is whole, so that it gets an ETag, but where it is sent in parts."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._send = send
        self._bodiless = scope["method"] == "HEAD"
        self._tagged = scope["method"] in ("GET", "HEAD")
        self._wanted = Headers(scope=scope).getlist("if-none-match")
        self._start: Message = {}
        self._streamed = False
        self._parts: list[bytes] = []
        self.status = 0
        self.size = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in _SAFE.items():
                headers[name] = value
            if "GET" in (allowed := headers.get("allow", "")).split(", "):
                headers["allow"] = f"{allowed}, HEAD"
            # What says no length is sent as it comes.
            self._streamed = self.status == 200 and "content-length" not in headers
            if self._streamed:
                await self._send(message)
            return
        if self._streamed:
            body = b"" if self._bodiless else message.get("body", b"")
            self.size += len(body)
            await self._send({**message, "body": body})
            return
        self._parts.append(message.get("body", b""))
        if message.get("more_body"):
            return
        body = b"".join(self._parts)
        headers = MutableHeaders(scope=self._start)
        if self.status >= 400 and headers.get("content-type") != MEDIA_TYPE:
            # The framework refuses some requests, such as one with a long body, before it asks how to say so.
            refusal = problem(self.status, f"{HTTPStatus(self.status).phrase}.")
            body = bytes(refusal.body)
            headers["content-type"], headers["content-length"] = MEDIA_TYPE, str(len(body))
        if self._tagged and self.status == 200:
            tag = f'"{hashlib.sha256(body).hexdigest()[:_ETAG_LENGTH]}"'
            headers["ETag"] = tag
            if _knows(self._wanted, tag):
                self.status = self._start["status"] = 304
                body = b""
                for name in ("content-length", "content-type"):
                    del headers[name]
        if self._bodiless:
            body = b""
        self.size = len(body)
        await self._send(self._start)
        await self._send({"type": "http.response.body", "body": body})


def _knows(wanted: Iterable[str], tag: str) -> bool:
    tags = [one.strip().removeprefix("W/") for line in wanted for one in line.split(",")]
    return tag in tags or "*" in tags


def host_name(header: str) -> str:
    """The name in a Host header, without the port and the brackets, in lower case."""
    name = header[1:].partition("]")[0] if header.startswith("[") else header.partition(":")[0]
    return name.lower().rstrip(".")


def shown_target(scope: Scope) -> str:
    """Path and query of a request as a log may hold them: no tokens, no characters that end a line."""
    path = scope.get("raw_path", b"").decode("ascii", "backslashreplace")
    parts = scope["query_string"].decode("ascii", "backslashreplace").split("&")
    shown = "&".join(
        f"{name}=…" if unquote_plus(name) == "token" else part
        for part in parts
        for name in [part.partition("=")[0]]
    )
    target = f"{path}?{shown}" if shown else path
    return _TOKEN.sub("…", "".join(char if char.isprintable() else "?" for char in target))


def _address(scope: Scope) -> str:
    return scope["client"][0] if scope.get("client") else "unknown"


def _network(address: str) -> str:
    """Whom an address belongs to: an IPv6 address counts with its /64, of which one machine has all."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 6:
        return str(ipaddress.ip_network((address.partition("%")[0], 64), strict=False))
    return address
