"""Alerts to other programs, signed."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar
from urllib.parse import quote

from pydantic import SecretStr, field_validator
from standardwebhooks import Webhook

from pipeline.alerts.channels.answer import judge_status, post_json, said
from pipeline.alerts.channels.channel import Options, PrivateOptions, Seconds
from pipeline.alerts.message import Message, Receipt
from pipeline.alerts.wording import Language

SHORTEST_SECRET = 24
"""Bytes of a webhook's signing secret, at least: https://github.com/standard-webhooks/standard-webhooks"""


@dataclass(frozen=True)
class WebhookChannel:
    """Posts a signed JSON document; the recipient is the URL.

    Signed as https://www.standardwebhooks.com says: `webhook-id`, `webhook-timestamp`, `webhook-signature`.
    2xx is success; 410 and other 4xx are final, 429, 5xx and silence are worth another attempt. A redirect
    is final too: it is not followed, since it could lead anywhere. After a 410 the URL gets nothing any more.
    """

    kind: ClassVar[str] = "webhook"
    pace: ClassVar[None] = None
    name: str
    secret: SecretStr
    timeout: float = 10.0
    allowed_private: frozenset[tuple[str, int]] = frozenset()

    def send(self, message: Message, recipient: str) -> Receipt:
        record = message.as_json()
        document = {"type": message.event, "timestamp": record["created_at"], "data": record}
        body = json.dumps(document, ensure_ascii=True)
        identifier = quote(message.id, safe=":", errors="backslashreplace")
        now = datetime.now(UTC)
        headers = {
            "webhook-id": identifier,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(self.secret.get_secret_value()).sign(identifier, now, body),
        }
        answer = post_json(recipient, body.encode(), headers, self.timeout, self.allowed_private)
        if isinstance(answer, Receipt):
            return answer
        detail = f"HTTP {answer.status} {said(answer)}".rstrip()
        return judge_status(answer) or Receipt(ok=True, retry=False, detail=detail)


class WebhookOptions(Options, PrivateOptions):
    """The keys of a webhook."""

    secret: SecretStr
    timeout: Seconds = 10.0

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

    def build(self, name: str, languages: Mapping[str, Language]) -> WebhookChannel:
        """The channel of this name."""
        return WebhookChannel(name, **dict(self))
