"""Alerts by mail."""

from __future__ import annotations

import contextlib
import hashlib
import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import EmailPolicy, Policy
from email.utils import format_datetime
from pathlib import Path
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from pipeline.alerts.channels.channel import Seconds, WordedOptions
from pipeline.alerts.message import Message, Receipt, flatten
from pipeline.alerts.parts import shorten
from pipeline.alerts.wording import Language, Wording

Security = Literal["starttls", "tls", "none"]
_LONGEST_SUBJECT = 250  # characters; more of the title stands in the text


class _UnfoldedHeader(UnstructuredHeader, BaseHeader):
    """A header on one line, however long: an address that is folded is encoded, and then it is none any more."""

    def fold(self, *, policy: Policy[Any]) -> str:
        return f"{self.name}: {self}{policy.linesep}"


_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("list-unsubscribe", _UnfoldedHeader)
_POLICY = EmailPolicy(header_factory=_HEADERS)


@dataclass(frozen=True)
class SmtpChannel:
    """Sends one mail per recipient, as text and HTML. The Message-ID is made from the message's id, so a second copy
    shows. A 4xx is worth another attempt, a 5xx is final: https://www.rfc-editor.org/rfc/rfc5321#section-4.2.1

    `unsubscribe` goes into List-Unsubscribe, `{to}` in it being the recipient:
    https://www.rfc-editor.org/rfc/rfc2369#section-3.2
    """

    kind: ClassVar[str] = "smtp"
    pace: ClassVar[None] = None
    name: str
    host: str
    port: int
    sender: str
    text: Wording
    html: Wording
    security: Security = "starttls"
    username: str | None = None
    password: SecretStr | None = None
    unsubscribe: str | None = None
    timeout: float = 30.0

    def send(self, message: Message, recipient: str) -> Receipt:
        try:
            mail = self._write(message, read_address(recipient))
        except ValueError as error:
            return Receipt(ok=False, retry=False, detail=f"{flatten(recipient)!r} {error}")
        try:
            server = self._connect()
        except smtplib.SMTPAuthenticationError as error:
            # What stands behind the code may quote the login.
            return Receipt(ok=False, retry=True, detail=f"{error.smtp_code} the login was refused")
        except UnicodeError:
            detail = "the host, the user name or the password has characters that can't be sent"
            return Receipt(ok=False, retry=False, detail=detail)
        except (smtplib.SMTPException, OSError) as error:
            return Receipt(ok=False, retry=True, detail=_describe(error))
        try:
            server.send_message(mail)
        except smtplib.SMTPRecipientsRefused as error:
            code, reason = next(iter(error.recipients.values()))
            return Receipt(ok=False, retry=code < 500, detail=f"{code} {_decode(reason)}")
        except smtplib.SMTPResponseException as error:
            # A line that is too long for smtplib is its own 500, as text; what a server says are bytes.
            retry = error.smtp_code < 500 or isinstance(error.smtp_error, str)
            return Receipt(ok=False, retry=retry, detail=_describe(error))
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
        to = recipient.addr_spec
        mail = EmailMessage(policy=_POLICY)
        mail["From"] = self.sender
        mail["To"] = recipient
        mail["Subject"] = _write_subject(message.title)
        mail["Date"] = format_datetime(message.created_at)
        digest = hashlib.sha256(message.id.encode("utf-8", "backslashreplace")).hexdigest()
        mail["Message-ID"] = f"<{digest[:40]}@{self.sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        if self.unsubscribe:
            mail["List-Unsubscribe"] = f"<{self.unsubscribe.replace('{to}', to)}>"
        mail.set_content(self.text.write(message, to), charset="utf-8", cte="base64")
        mail.add_alternative(self.html.write(message, to), subtype="html", charset="utf-8", cte="base64")
        return mail


class SmtpOptions(WordedOptions):
    """The keys of mail."""

    host: str = Field(min_length=1)
    port: int = Field(ge=1, le=65535)
    sender: str
    security: Security = "starttls"
    username: str | None = None
    password: SecretStr | None = None
    unsubscribe: str | None = None
    html_template: Path | None = None
    timeout: Seconds = 30.0

    @field_validator("sender")
    @classmethod
    def _check_sender(cls, sender: str) -> str:
        return read_address(sender).addr_spec

    @field_validator("unsubscribe")
    @classmethod
    def _check_unsubscribe(cls, address: str | None) -> str | None:
        if address is None:
            return None
        parts = urlsplit(address)
        usable = parts.hostname if parts.scheme == "https" else parts.scheme == "mailto" and parts.path
        if not usable or not address.isascii() or not address.isprintable() or set(address) & set(" <>,"):
            raise ValueError("must be one address, https://… or mailto:…, in plain ASCII")
        return address

    @model_validator(mode="after")
    def _check_login(self) -> SmtpOptions:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password come together")
        if self.password and self.security == "none":
            raise ValueError("security: a password is only sent over starttls or tls")
        return self

    def build(self, name: str, languages: Mapping[str, Language]) -> SmtpChannel:
        """The channel of this name. Raises ValueError for a template that can't be used."""
        return SmtpChannel(
            name,
            self.host,
            self.port,
            self.sender,
            text=self.wording("mail", languages),
            html=self.wording("html", languages, "html_template", self.html_template),
            security=self.security,
            username=self.username,
            password=self.password,
            unsubscribe=self.unsubscribe,
            timeout=self.timeout,
        )


def _write_subject(title: str) -> str:
    """A title as a subject. What looks like an encoded word in it is broken up: it would be decoded, line ends too."""
    line = flatten(title).replace("=?", "=\N{ZERO WIDTH SPACE}?")
    return shorten(line, _LONGEST_SUBJECT)


def read_address(text: str) -> Address:
    """One mail address. Raises ValueError for what is none that every server takes."""
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
