"""What the robots of WeCom, DingTalk and Feishu have in common.

A robot is one secret URL to which a JSON document is posted. It answers HTTP 200 whatever it made of it; only the code
in the answer's body says whether people see the message. Nothing that follows from the URL is shown anywhere.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from outgoing import Answer, Pairs
from pipeline.alerts.channels.answer import judge_status, post_json
from pipeline.alerts.channels.channel import PrivateOptions, Seconds, WordedOptions
from pipeline.alerts.message import Message, Receipt, flatten
from pipeline.alerts.parts import split_text
from pipeline.alerts.wording import Wording
from pipeline.store.pace import Pace

LONGEST_REST = 3600.0
"""Seconds that a robot's Retry-After can silence a channel for, at most; then one message asks again."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a documented code means: whether another attempt may succeed, and for how long the robot must rest first.

    A refusal that isn't worth another attempt is of the message or of the robot's settings: told to the operators
    at once, and sent again by `iprwatch alerts resend` when it was mended.
    """

    meaning: str
    retry: bool = False
    rest: float | None = None


@dataclass(frozen=True)
class Robot(ABC):
    """A chat robot; `to` stays empty. A text beyond the limit goes out as numbered parts.

    HTTP errors count as they do for webhooks. An answer without a code, and a code that is not documented, is worth
    another attempt.
    """

    codes: ClassVar[Mapping[int, Refusal]]
    success_key: ClassVar[str]
    kind: ClassVar[str]

    name: str
    url: SecretStr
    wording: Wording
    messages: int
    interval: float
    secret: SecretStr | None = None
    timeout: float = 10.0
    allowed_private: Pairs = frozenset()

    @property
    def pace(self) -> Pace:
        """How many messages this robot takes: two channels with one URL share it."""
        fingerprint = hashlib.sha256(self.url.get_secret_value().encode()).hexdigest()[:16]
        return Pace(f"{self.kind} {fingerprint}", self.messages, self.interval, self.timeout)

    @abstractmethod
    def split(self, text: str) -> list[str]:
        """The parts in which a text is sent, within the limit in bytes."""

    @abstractmethod
    def write(self, text: str, title: str) -> tuple[str, dict[str, Any]]:
        """The URL, signed where it is, and the document for one part."""

    def send(self, message: Message, recipient: str) -> Receipt:
        parts = self.split(self.wording.write(message, recipient))
        # An item that was edited meanwhile may have fewer parts than when the first one was sent.
        text = parts[min(message.part, len(parts)) - 1]
        url, document = self.write(text, message.title)
        body = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
        answer = post_json(url, body, {}, self.timeout, self.allowed_private)
        receipt = answer if isinstance(answer, Receipt) else self._judge(answer)
        return Receipt(
            receipt.ok,
            receipt.retry,
            receipt.detail if len(parts) == 1 else f"part {message.part} of {len(parts)}: {receipt.detail}",
            receipt.retry_after,
            len(parts),
            receipt.rest,
        )

    def _judge(self, answer: Answer) -> Receipt:
        if (receipt := judge_status(answer)) is not None:
            if not receipt.retry_after:
                return receipt
            rest = min(receipt.retry_after, LONGEST_REST)
            return Receipt(False, True, receipt.detail, receipt.retry_after, rest=rest)
        try:
            said = json.loads(answer.body)
            code = said[self.success_key]
        except (ValueError, LookupError, TypeError, RecursionError):  # the last for thousands of brackets
            code = None
        if not isinstance(code, int) or isinstance(code, bool):
            return Receipt(False, True, f"HTTP {answer.status}, and no {self.success_key} in the answer")
        words = self._conceal(flatten(str(said.get("errmsg") or said.get("msg") or ""))[:200])
        if code == 0:
            return Receipt(True, False, f"{self.success_key} 0")
        refusal = self.find_refusal(code, words)
        detail = f"{self.success_key} {code}: {refusal.meaning} ({words})"
        return Receipt(False, refusal.retry, detail, refusal.rest, rest=refusal.rest)

    def find_refusal(self, code: int, words: str) -> Refusal:
        """What a code other than 0 means; `words` is what the robot said with it."""
        return self.codes.get(code, Refusal("not documented, tried again", retry=True))

    def _conceal(self, words: str) -> str:
        """What a robot says, without its keys should it quote them."""
        secrets = [part for part in _secret_parts(self.url.get_secret_value()) if len(part) > 7]
        if self.secret:
            secrets.append(self.secret.get_secret_value())
        for secret in secrets:
            words = words.replace(secret, "…")
        return words


def _secret_parts(url: str) -> list[str]:
    parts = urlsplit(url)
    values = [pair.partition("=")[2] for pair in parts.query.split("&")]
    return [*values, parts.path.rpartition("/")[2]]


class RobotOptions(WordedOptions, PrivateOptions):
    """The keys that all robots have."""

    url: SecretStr
    messages: Annotated[int, Field(ge=1, le=1000)]
    interval: Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)] = 60.0
    timeout: Seconds = 10.0

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: SecretStr, info: ValidationInfo) -> SecretStr:
        try:
            parts = urlsplit(url.get_secret_value())
            host, port = parts.hostname, parts.port
        except ValueError:
            raise ValueError("is no URL") from None
        if parts.scheme not in ("http", "https") or not host:
            raise ValueError("is no https URL")
        if parts.scheme == "http" and (host, port or 80) not in info.data.get("allowed_private", ()):
            raise ValueError("must begin with https://: it is a secret")
        return url


class SignedRobotOptions(RobotOptions):
    """The keys of robots that can be told to take signed messages only."""

    secret: Annotated[SecretStr, Field(min_length=1)] | None = None


ChatFormat = Literal["text", "markdown"]


def split_as_json(text: str, limit: int) -> list[str]:
    """Parts for robots whose limit is on the whole document: measured as JSON writes them."""
    return split_text(text, limit, lambda part: len(json.dumps(part, ensure_ascii=False).encode()) - 2)
