"""Channels: each carries one message to one recipient and says what became of it.

A channel never raises for what a server or a disk does; that is a Receipt. What the operator wrote
wrongly is a ConfigurationError from `build_channel`, before anything is sent.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import smtplib
import ssl
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import ClassVar, Literal, Protocol, TextIO
from urllib.parse import quote, urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from rich.console import Console
from rich.text import Text
from standardwebhooks import Webhook

from errors import ConfigurationError, first_fault
from outgoing import Answer, Refused, Unreachable, post, read_allowed_private, read_retry_after
from pipeline.alerts.message import Message, Receipt, flatten, render_brief, render_text

__all__ = [
    "Channel",
    "ConsoleChannel",
    "FileChannel",
    "Message",
    "Receipt",
    "SmtpChannel",
    "WebhookChannel",
    "build_channel",
    "check_kind",
    "check_recipient",
]

SHORTEST_SECRET = 24
"""Bytes of a webhook's signing secret, at least: https://github.com/standard-webhooks/standard-webhooks"""


class Channel(Protocol):
    """A way to people. `name` is the operator's, `kind` says which way it is."""

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> str: ...

    def send(self, message: Message, recipient: str) -> Receipt:
        """Carry one message to one recipient; blocks until the outcome is known or time is up."""


@dataclass(frozen=True)
class ConsoleChannel:
    """Prints alerts in brief on standard error, so that a command's own output stays whole."""

    kind: ClassVar[str] = "console"
    name: str
    out: Console | TextIO = field(default_factory=lambda: Console(stderr=True), repr=False)

    def send(self, message: Message, recipient: str) -> Receipt:
        console = self.out if isinstance(self.out, Console) else Console(file=self.out)
        try:
            console.print(Text(render_brief(message)), soft_wrap=True, end="")
        except OSError as error:
            return Receipt(ok=False, retry=True, detail=f"the console can't be written to: {error}")
        return Receipt(ok=True, retry=False, detail="printed")


@dataclass(frozen=True)
class FileChannel:
    """Appends one JSON line per alert and returns when it is on the disk.

    A line that a crash cut short is left as it is and the next one starts on a line of its own.
    """

    kind: ClassVar[str] = "file"
    name: str
    path: Path

    def send(self, message: Message, recipient: str) -> Receipt:
        record = asdict(message) | {"created_at": message.created_at.isoformat()}
        line = json.dumps(record, ensure_ascii=True).encode() + b"\n"
        try:
            with self.path.open("a+b", buffering=0) as file:
                if file.tell() and os.pread(file.fileno(), 1, file.tell() - 1) != b"\n":
                    line = b"\n" + line
                if file.write(line) != len(line):
                    return Receipt(ok=False, retry=True, detail=f"{self.path}: only a part could be written")
                os.fsync(file.fileno())
        except OSError as error:
            return Receipt(ok=False, retry=True, detail=f"{self.path}: {error.strerror}")
        return Receipt(ok=True, retry=False, detail=f"appended to {self.path}")


@dataclass(frozen=True)
class SmtpChannel:
    """Sends one mail per recipient. The Message-ID is made from the message's id, so a second copy shows."""

    kind: ClassVar[str] = "smtp"
    name: str
    host: str
    port: int
    sender: str
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str | None = None
    password: SecretStr | None = None
    timeout: float = 30.0

    def send(self, message: Message, recipient: str) -> Receipt:
        try:
            mail = self._write(message, _read_address(recipient))
        except ValueError as error:
            return Receipt(ok=False, retry=False, detail=f"{flatten(recipient)!r} {error}")
        try:
            server = self._connect()
        except (smtplib.SMTPException, OSError) as error:
            return Receipt(ok=False, retry=True, detail=_describe(error))
        try:
            server.send_message(mail)
        except smtplib.SMTPRecipientsRefused as error:
            code, reason = next(iter(error.recipients.values()))
            return Receipt(ok=False, retry=code < 500, detail=f"{code} {_decode(reason)}")
        except smtplib.SMTPResponseException as error:
            return Receipt(ok=False, retry=error.smtp_code < 500, detail=_describe(error))
        except (smtplib.SMTPException, OSError) as error:
            return Receipt(ok=False, retry=True, detail=_describe(error))
        finally:
            # The mail is accepted or not by now: a QUIT that fails changes nothing and must not cause a copy.
            with contextlib.suppress(smtplib.SMTPException, OSError):
                server.quit()
            server.close()
        return Receipt(ok=True, retry=False, detail=f"accepted by {self.host}")

    def _connect(self) -> smtplib.SMTP:
        if self.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self.host, self.port, timeout=self.timeout, context=ssl.create_default_context()
            )
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=self.timeout)
        with contextlib.ExitStack() as unless_ready:
            unless_ready.callback(server.close)
            if self.security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if self.username and self.password:
                server.login(self.username, self.password.get_secret_value())
            unless_ready.pop_all()
        return server

    def _write(self, message: Message, recipient: Address) -> EmailMessage:
        mail = EmailMessage()
        mail["From"] = self.sender
        mail["To"] = recipient
        mail["Subject"] = flatten(message.title)
        mail["Date"] = format_datetime(message.created_at)
        digest = hashlib.sha256(message.id.encode("utf-8", "backslashreplace")).hexdigest()
        mail["Message-ID"] = f"<{digest[:40]}@{self.sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(render_text(message), charset="utf-8", cte="base64")
        return mail


@dataclass(frozen=True)
class WebhookChannel:
    """Posts a signed JSON document; the recipient is the URL.

    Signed as https://www.standardwebhooks.com says: `webhook-id`, `webhook-timestamp`, `webhook-signature`.
    2xx is success; 410 and other 4xx are final, 429, 5xx and silence are worth another attempt. A redirect
    is final too: it is not followed, since it could lead anywhere.
    """

    kind: ClassVar[str] = "webhook"
    name: str
    secret: SecretStr
    timeout: float = 10.0
    allowed_private: frozenset[tuple[str, int]] = frozenset()

    def send(self, message: Message, recipient: str) -> Receipt:
        record = asdict(message) | {"created_at": message.created_at.isoformat()}
        document = {"type": message.event, "timestamp": record["created_at"], "data": record}
        body = json.dumps(document, ensure_ascii=True)
        identifier = quote(message.id, safe=":", errors="backslashreplace")
        now = datetime.now(UTC)
        signature = Webhook(self.secret.get_secret_value()).sign(identifier, now, body)
        headers = {
            "Content-Type": "application/json",
            "webhook-id": identifier,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signature,
        }
        try:
            answer = post(
                recipient,
                body=body.encode(),
                headers=headers,
                timeout=self.timeout,
                allowed_private=self.allowed_private,
            )
        except Refused as refused:
            return Receipt(ok=False, retry=False, detail=f"not sent: {flatten(refused.rule)}")
        except Unreachable as error:
            return Receipt(ok=False, retry=True, detail=flatten(str(error)))
        return _judge(answer)


def _judge(answer: Answer) -> Receipt:
    said = flatten(answer.body[:200].decode("utf-8", "replace"))
    detail = f"HTTP {answer.status} {said}".rstrip()
    if 200 <= answer.status < 300:
        return Receipt(ok=True, retry=False, detail=detail)
    if answer.status == 429 or answer.status >= 500:
        wait = read_retry_after(answer.headers.get("retry-after"), datetime.now(UTC))
        return Receipt(ok=False, retry=True, detail=detail, retry_after=wait)
    if 300 <= answer.status < 400:
        detail = f"HTTP {answer.status}: redirects aren't followed, use the URL that it leads to"
    elif answer.status == 410:
        detail = "HTTP 410: the webhook is gone, take it out of the rule"
    return Receipt(ok=False, retry=False, detail=detail)


def _read_address(text: str) -> Address:
    """Raises ValueError for what is no mail address that every server takes."""
    try:
        address = Address(addr_spec=text)
    except (ValueError, IndexError, MessageError):  # what the header registry raises for a broken address
        raise ValueError("is no mail address") from None
    if not address.username or not address.domain:
        raise ValueError("is no mail address")
    if not address.addr_spec.isascii():
        raise ValueError("is no mail address in ASCII; write a Chinese domain as xn--…")
    return address


def _describe(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_decode(error.smtp_error)}"
    return flatten(f"{type(error).__name__}: {error}")


def _decode(reason: bytes | str) -> str:
    return flatten(reason if isinstance(reason, str) else reason.decode("utf-8", "replace"))


# --- Options, as the operator writes them ---


class _Options(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class _ConsoleOptions(_Options):
    def build(self, name: str) -> Channel:
        return ConsoleChannel(name)


class _FileOptions(_Options):
    path: Path

    def build(self, name: str) -> Channel:
        return FileChannel(name, self.path)


class _SmtpOptions(_Options):
    host: str = Field(min_length=1)
    port: int = Field(ge=1, le=65535)
    sender: str
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str | None = None
    password: SecretStr | None = None
    timeout: float = Field(default=30.0, gt=0, allow_inf_nan=False)

    @field_validator("sender")
    @classmethod
    def _check_sender(cls, sender: str) -> str:
        return _read_address(sender).addr_spec

    @model_validator(mode="after")
    def _check_login(self) -> _SmtpOptions:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password come together")
        if self.password and self.security == "none":
            raise ValueError("security: a password is only sent over starttls or tls")
        return self

    def build(self, name: str) -> Channel:
        return SmtpChannel(name, **dict(self))


class _WebhookOptions(_Options):
    secret: SecretStr
    timeout: float = Field(default=10.0, gt=0, allow_inf_nan=False)
    allowed_private: frozenset[tuple[str, int]] = frozenset()

    @field_validator("secret")
    @classmethod
    def _check_secret(cls, secret: SecretStr) -> SecretStr:
        text = secret.get_secret_value().removeprefix("whsec_")
        try:
            key = base64.b64decode(text, validate=True)
        except ValueError as error:
            raise ValueError("must be 'whsec_' and base64") from error
        if len(key) < SHORTEST_SECRET:
            raise ValueError(f"must hold at least {SHORTEST_SECRET} bytes")
        return secret

    @field_validator("allowed_private", mode="before")
    @classmethod
    def _read_pairs(cls, values: list[str]) -> frozenset[tuple[str, int]]:
        return read_allowed_private(values)

    def build(self, name: str) -> Channel:
        return WebhookChannel(name, **dict(self))


_KINDS: Mapping[str, Callable[..., _ConsoleOptions | _FileOptions | _SmtpOptions | _WebhookOptions]] = {
    "console": _ConsoleOptions,
    "file": _FileOptions,
    "smtp": _SmtpOptions,
    "webhook": _WebhookOptions,
}


def build_channel(name: str, options: Mapping[str, object]) -> Channel:
    """Make a channel from its options: `kind` and the keys of that kind.

    `console`: none. `file`: path. `smtp`: host, port, sender, security (starttls, tls, none), username,
    password, timeout in seconds. `webhook`: secret (`whsec_…`), timeout, allowed_private (`host:port`).
    Secrets come resolved; they are shown in no repr and no error. Raises ConfigurationError naming the key.
    """
    rest = dict(options)
    kind = str(rest.pop("kind", ""))
    try:
        check_kind(kind)
        return _KINDS[kind](**rest).build(name)
    except ValidationError as error:
        raise ConfigurationError(f"channels.{name}: {first_fault(error)}.") from None
    except ValueError as error:
        raise ConfigurationError(f"channels.{name}: {error}.") from None


def check_kind(kind: object) -> None:
    """Raises ValueError for a kind of channel that there isn't."""
    if kind not in _KINDS:
        raise ValueError(f"kind must be one of {', '.join(_KINDS)}")


def check_recipient(kind: str, recipient: str) -> None:
    """Raises ValueError, without the recipient, which may be secret, when no channel of this kind can reach it."""
    if kind == "smtp":
        _read_address(recipient)
    elif kind == "webhook":
        if urlsplit(recipient).scheme not in ("http", "https") or not urlsplit(recipient).hostname:
            raise ValueError("is no http(s) URL")
    elif recipient:
        raise ValueError(f"must be left out: a channel of the kind {kind} has no recipients")
