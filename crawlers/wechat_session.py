"""The user's own session in the WeChat backend (mp.weixin.qq.com/cgi-bin): a cookie and a token that expire.

Its end is known beforehand and counted down; a session that the server refused is dead and never used again.
Cookie and token are secrets: they stand in no row, log line or message. What is kept is a fingerprint.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from sqlalchemy import Engine, select

from errors import ConfigurationError
from pipeline.alerts.operators import tell_operators
from pipeline.alerts.rules import Recipient
from pipeline.store.tables import WechatSessionState
from pipeline.store.write import insert_ignoring

WARNINGS = {"6 hours": timedelta(hours=6), "2 days": timedelta(days=2)}  # shortest first


@dataclass(frozen=True, slots=True)
class WechatSession:
    """A session as configured; `expires_at` is when it ends by the user's word (the backend gives four days)."""

    cookie: str = field(repr=False)
    token: str = field(repr=False)
    expires_at: datetime

    @property
    def fingerprint(self) -> str:
        """Tells sessions apart without telling what they are."""
        return hashlib.sha256(f"{self.cookie}\n{self.token}".encode()).hexdigest()[:16]


def read_session(options: Mapping[str, object], place: str) -> WechatSession:
    """The session of revealed options `cookie`, `token`, `expires`. Raises ConfigurationError naming the key."""
    for key in ("cookie", "token"):
        if not isinstance(options.get(key), str) or not options[key]:
            raise ConfigurationError(f'{place}.{key}: write {{ env = "NAME" }} or {{ file = "PATH" }}.')
    expires = options.get("expires")
    if isinstance(expires, str):
        try:
            expires = datetime.fromisoformat(expires)
        except ValueError:
            expires = None
    if not isinstance(expires, datetime) or expires.tzinfo is None:
        raise ConfigurationError(
            f"{place}.expires: write a time with zone, such as 2026-11-24T09:00:00+08:00."
        )
    if unknown := set(options) - {"cookie", "token", "expires"}:
        raise ConfigurationError(f"{place}.{sorted(unknown)[0]}: is no key of a session.")
    return WechatSession(str(options["cookie"]), str(options["token"]), expires)


def refuse_session(engine: Engine, session: WechatSession | None, now: datetime) -> str | None:
    """Why no request may be made with this session, or None when it may be used."""
    if session is None:
        return "no session is configured; put one under [wechat] in iprwatch.toml"
    if session.expires_at <= now:
        return f"the session ended on {session.expires_at:%Y-%m-%d %H:%M %z}; log in again and configure the new one"
    if (died := _death_of(engine, session)) is not None:
        return f"the session was refused by the server on {died:%Y-%m-%d %H:%M} UTC and is not used again"
    return None


def due_warning(session: WechatSession, now: datetime) -> str | None:
    """Which warning the time left calls for: `over`, `6 hours`, `2 days` or none."""
    left = session.expires_at - now
    if left <= timedelta():
        return "over"
    return next((name for name, limit in WARNINGS.items() if left <= limit), None)


def announce_end(
    engine: Engine, operators: Iterable[Recipient], session: WechatSession, now: datetime
) -> None:
    """Put the warning that the time left calls for into the outbox, once; none for a session that is dead."""
    due = due_warning(session, now)
    if due is not None and _death_of(engine, session) is None:
        title = "The WeChat session " + ("has ended" if due == "over" else f"ends in less than {due}")
        _tell(engine, operators, session, due, title)


def announce_refusal(
    engine: Engine, operators: Iterable[Recipient], session: WechatSession, now: datetime
) -> None:
    """Remember that the server refused the session, and tell the operators. The first time counts."""
    with engine.begin() as connection:
        row = {"fingerprint": session.fingerprint, "died_at": now}
        insert_ignoring(connection, WechatSessionState, [row])
    if due_warning(session, now) != "over":  # its end was told
        _tell(engine, operators, session, "refused", "The WeChat session was refused by the server")


def _tell(
    engine: Engine, operators: Iterable[Recipient], session: WechatSession, what: str, title: str
) -> None:
    summary = (
        f"It was to end on {session.expires_at:%Y-%m-%d %H:%M %z}. Log in again and configure the new one."
    )
    tell_operators(engine, operators, f"session {session.fingerprint} {what}", title, summary)


def _death_of(engine: Engine, session: WechatSession) -> datetime | None:
    with engine.connect().execution_options(read_only=True) as connection:
        died: datetime | None = connection.scalar(
            select(WechatSessionState.died_at).where(WechatSessionState.fingerprint == session.fingerprint)
        )
    return died


def with_token(url: str, token: str) -> str:
    """The backend's URL with the session's token in the place of any other."""
    parts = urlsplit(url)
    query = [
        (name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != "token"
    ]
    return urlunsplit(parts._replace(query=urlencode([*query, ("token", token)])))


def describe_session(session: WechatSession | None, now: datetime) -> str | None:
    """A sentence about the time that is left, None without a session."""
    if session is None:
        return None
    left = session.expires_at - now
    if left <= timedelta():
        return "WeChat session: expired."
    hours = int(left.total_seconds() // 3600)
    return f"WeChat session: {hours // 24} days {hours % 24} hours left."
