"""Hosts whose robots.txt the operator overrules, by path, with a reason; recorded, shown and revocable."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit

from sqlalchemy import Engine, insert, select, update

from errors import ConfigurationError
from pipeline.store.host_tables import HostPermission

_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
_LONGEST_HOST = 253  # of the domain name system
_WECHAT, _ARTICLES = "mp.weixin.qq.com", "/s"
_PATH = re.compile(r"/[!-\"$->@-~]*")  # printable ASCII without # and ?


@dataclass(frozen=True, slots=True)
class Permission:
    """One permission; it holds until `revoked_at`. Times are UTC."""

    host: str
    path: str
    reason: str
    allowed_at: datetime
    revoked_at: datetime | None


def allow_host(engine: Engine, host: str, path: str, reason: str) -> None:
    """Record that a host may be crawled below a path.

    Host and path must be written as URLs are sent (punycode, percent-escapes), else they would match nothing.
    Raises ConfigurationError for a host that is none, a path without its slash and an empty reason.
    """
    if len(host) > _LONGEST_HOST or not _HOST.fullmatch(host.lower()):
        fault = f"{host[:_LONGEST_HOST]!r} is no bare host name (without https:// and port, in plain ASCII)"
    elif not _PATH.fullmatch(path) or "/../" in f"{unquote(path)}/":
        fault = f"{path!r} is no path of a URL (it starts with /, has no ?, # or .., and is escaped to plain ASCII)"
    elif not reason.strip():
        fault = "the reason is missing"
    else:
        fault = ""
    if fault:
        raise ConfigurationError(
            f"A permission needs a bare host name, a path and a reason, and {fault}; "
            "write it as: iprwatch hosts allow mp.weixin.qq.com /s --reason '…'."
        )
    row = {"host": host.lower(), "path": path, "reason": reason.strip(), "allowed_at": datetime.now(UTC)}
    with engine.begin() as connection:
        connection.execute(insert(HostPermission).values(revoked_at=None, **row))


def revoke_host(engine: Engine, host: str) -> int:
    """End all permissions of a host; returns how many there were."""
    if not _HOST.fullmatch(host.lower()):
        return 0
    with engine.begin() as connection:
        ended = connection.execute(
            update(HostPermission)
            .where(HostPermission.host == host.lower(), HostPermission.revoked_at.is_(None))
            .values(revoked_at=datetime.now(UTC))
        )
    return ended.rowcount


def list_permissions(engine: Engine) -> list[Permission]:
    """All permissions ever given, newest first."""
    query = select(
        HostPermission.host,
        HostPermission.path,
        HostPermission.reason,
        HostPermission.allowed_at,
        HostPermission.revoked_at,
    ).order_by(HostPermission.allowed_at.desc(), HostPermission.id.desc())
    with engine.connect().execution_options(read_only=True) as connection:
        return [Permission(*row) for row in connection.execute(query)]


def allowed_prefixes(engine: Engine) -> list[str]:
    """The `host/path` prefixes that hold now, as the crawl's manners take them."""
    return [f"{given.host}{given.path}" for given in list_permissions(engine) if given.revoked_at is None]


def covers(permission: str, url: str) -> bool:
    """Whether a permission (`host/path`, the host with its port where it has one) is for this URL: for the path itself
    and what lies below it. `/s` says nothing of `/search`."""
    parts = urlsplit(url)
    if "/../" in f"{unquote(parts.path)}/":
        return False
    path = parts.path or "/"
    places = (f"{parts.hostname}{path}", f"{parts.netloc}{path}")
    below = permission.rstrip("/") + "/"
    return any(place == permission or place.startswith(below) for place in places)


def suggest_permission(url: str) -> str:
    """The sentences that tell an operator how to put on record that a closed page may be fetched, and what works
    without that."""
    parts = urlsplit(url)
    path = parts.path or "/"
    without = ""
    if parts.hostname == _WECHAT and (path == _ARTICLES or path.startswith(f"{_ARTICLES}/")):
        path = _ARTICLES
        without = ". Without it, feeds that carry the text still work, and so do saved pages"
    return (
        "If you may fetch it all the same, put that on record: "
        f"iprwatch hosts allow {parts.hostname} {shlex.quote(path)} --reason '…'{without}"
    )
