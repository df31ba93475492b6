"""The one guard that every outgoing byte passes: schemes, addresses, sizes.

Crawls pass it as Scrapy components (`crawlers.guard`, and for their manners `crawlers.robots`), webhooks
through `post`. Only http(s) to public addresses; private ones as host:port pairs that the operator lists.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
import threading
import time
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from urllib.parse import urlsplit

import httpx

from errors import IprwatchError

Pairs = frozenset[tuple[str, int]]
"""Servers as (host, port): the host as URLs write it, lower-case, IPv6 without brackets."""

NOBODY: Pairs = frozenset()
DEFAULT_PORTS = {"http": 80, "https": 443}
# What listens there speaks something else and may take an HTTP request for its own language:
# https://fetch.spec.whatwg.org/#port-blocking
OTHER_PORTS = frozenset(
    (
        1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104,
        109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515,
        526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049,
        3659, 4045, 4190, 5060, 5061, 6000, 6379, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080, 11211,
        3306, 5432, 27017,
    )
)  # fmt: skip
ANSWER_LIMIT = 64 * 1024
"""Bytes of a webhook's answer that are read; the rest is left on the wire."""
MOST_WAITS = 6
"""How many timeouts one POST may take, from the connection to the end of the answer."""
LONGEST_RETRY_AFTER = 365 * 86400.0
"""Seconds: no longer pause is kept, whatever a server asks for, in a header or in its robots.txt."""


class Refused(IprwatchError):
    """The guard doesn't let a request out. Raised before any byte is sent.

    `rule` is the sentence without the URL: URLs of webhooks hold secrets and are left out of receipts.
    """

    def __init__(self, rule: str, url: str) -> None:
        super().__init__(f"Refused to contact {show_url(url)}: {rule}.")
        self.rule = rule
        self.url = url


class Unreachable(IprwatchError):
    """A server that may be contacted didn't answer: no such name, no connection, no answer in time.

    Raised by `post`; names host and port only, since a webhook's path is often its secret.
    """


def read_allowed_private(values: Iterable[str]) -> Pairs:
    """Read the operator's list of `host:port` strings (`feeds.lan:8080`, `10.0.0.3:3128`, `[::1]:8080`).

    Raises ValueError for an entry without a host or a port.
    """
    pairs = set()
    for value in values:
        try:
            parts = urlsplit(f"//{value.strip()}")
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if not host or not port or parts.path:
            raise ValueError(f"{value!r} isn't of the form host:port, such as hooks.lan:8080")
        pairs.add((host, port))
    return frozenset(pairs)


def check_url(url: str, allowed_private: Pairs = NOBODY) -> tuple[str, int]:
    """Return host and port of a URL that may be contacted as far as the URL tells.

    Names are not resolved here. Addresses are recognised in all the ways that resolvers accept: dotted,
    decimal, hexadecimal, octal, shortened, IPv6, full-width digits. Raises Refused.
    """
    if any(character.isspace() or not character.isprintable() or character == "\\" for character in url):
        raise Refused("spaces, control characters and backslashes have no place in a URL", url)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Refused(f"not a URL ({error})", url) from error
    if parts.scheme not in DEFAULT_PORTS:
        raise Refused(f"only http and https are spoken, not {parts.scheme or 'a URL without a scheme'}", url)
    host = unicodedata.normalize("NFKC", parts.hostname or "").rstrip(".")
    if not host:
        raise Refused("the URL names no host", url)
    if parts.username is not None or parts.password is not None:
        raise Refused("a user name or password in a URL is sent nowhere, and may hide the host", url)
    if port is None:
        port = DEFAULT_PORTS[parts.scheme]
    if port in OTHER_PORTS and (host.lower(), port) not in allowed_private:
        raise Refused(f"port {port} belongs to something else than http", url)
    address = _read_literal(host)
    if address and (rule := _find_fault(host, address, port, allowed_private)):
        raise Refused(rule, url)
    return host, port


def check_address(host: str, address: str, port: int, allowed_private: Pairs = NOBODY) -> None:
    """Let only global unicast addresses pass, or what the operator lists by name or by address.

    `address` is what `host` was resolved to. Raises Refused.
    """
    if rule := _find_fault(host, ipaddress.ip_address(address), port, allowed_private):
        raise Refused(rule, f"//{host}:{port}")


def _find_fault(
    host: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int, allowed_private: Pairs
) -> str | None:
    # Port 0: look-ups for a proxy's CONNECT tunnel don't say their port; GuardMiddleware has checked it.
    allowed = {name for name, listed in allowed_private if port in (listed, 0)}
    if host.lower() in allowed or str(address) in allowed:
        return None
    inner = address
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or address
    public = inner.is_global and not inner.is_multicast and not inner.is_reserved
    if public and not (isinstance(inner, ipaddress.IPv6Address) and inner.is_site_local):
        return None
    pair = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return f"{address} is not a public address (if it is yours, list {pair} as an allowed private server)"


def _read_literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))  # 2130706433, 0x7f.1, 0177.0.0.1, 0
    except (OSError, UnicodeEncodeError):
        return None


def show_url(url: str) -> str:
    """A URL fit for a message: one line, no password, not endless."""
    scheme, mark, rest = url.partition("//")
    authority, slash, path = rest.partition("/")
    line = f"{scheme}{mark}{authority.rpartition('@')[2]}{slash}{path}"
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)[:200]


def read_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait, from a Retry-After header (seconds or HTTP date); None where there is none to read.

    At most a year, which date arithmetic can bear.
    https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # the latter for a year or an offset of many digits
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - now).total_seconds()), LONGEST_RETRY_AFTER)


# --- Webhooks ---


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said: header names in lower case, at most 64 KiB of the body, never decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def post(
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    timeout: float = 10.0,
    allowed_private: Pairs = NOBODY,
) -> Answer:
    """Send one POST and return the answer, whatever its status; redirects are not followed.

    The name is resolved once, every address is checked, and the connection goes to a checked address.
    Proxies and certificates from the environment are ignored. `timeout` in seconds bounds each wait for
    the server, and the reading of the answer's body as a whole; all together end after six times as long.
    Nothing is logged: the URL may be a secret. Raises Refused and Unreachable.
    """
    try:
        target = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise Refused(f"not a URL ({error})", url) from error
    check_url(url, allowed_private)
    host, port = check_url(str(target), allowed_private)
    server = f"{host}:{port}"
    try:
        found = socket.getaddrinfo(target.raw_host.decode("ascii"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"{server} can't be found: {error}.") from error
    addresses = list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))
    for address in addresses:
        check_address(host, address, port, allowed_private)
    sent = {"User-Agent": "iprwatch", **headers, "Accept-Encoding": "identity"}
    sent["Host"] = target.netloc.decode("ascii")
    waits = dict.fromkeys(("connect", "read", "write", "pool"), timeout)
    failure: httpx.TransportError | None = None
    with (
        httpx.HTTPTransport(verify=_trusted_authorities(), trust_env=False) as transport,
        _closing_after(MOST_WAITS * timeout, transport),
    ):
        for address in addresses:
            request = httpx.Request(
                "POST",
                target.copy_with(host=address),
                headers=sent,
                content=body,
                extensions={"timeout": waits, "sni_hostname": target.raw_host.decode("ascii")},
            )
            try:
                return _read_answer(transport.handle_request(request), timeout)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error
            except httpx.TransportError as error:
                failure = error
                break
    raise Unreachable(f"{server} didn't answer: {type(failure).__name__} {failure}.") from failure


@contextlib.contextmanager
def _closing_after(seconds: float, transport: httpx.HTTPTransport) -> Iterator[None]:
    """Close what is still in use then: a server that sends its headers a byte at a time never lets a single wait
    end in vain, and all other alerts would wait for it."""
    timer = threading.Timer(seconds, transport.close)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@cache
def _trusted_authorities() -> ssl.SSLContext:
    """Whose certificates are believed. Loading them takes longer than all else that a message needs."""
    return httpx.create_ssl_context(trust_env=False)


def _read_answer(response: httpx.Response, timeout: float) -> Answer:
    deadline = time.monotonic() + timeout
    body = b""
    with contextlib.closing(response):
        for chunk in response.iter_raw():
            body += chunk
            if len(body) >= ANSWER_LIMIT or time.monotonic() > deadline:
                break
    return Answer(response.status_code, dict(response.headers), body[:ANSWER_LIMIT])
