"""Alerts by a robot in a Feishu or Lark group (飞书自定义机器人).

Form, signature, limits and codes: https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot (100 messages a
minute and 5 a second; a document of at most 20 KB; a signature holds for an hour).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import Field

from pipeline.alerts.channels.robot import Refusal, Robot, SignedRobotOptions, split_as_json
from pipeline.alerts.wording import Language

LIMIT = 20_000
"""Bytes of the whole document."""
_AROUND = 500


@dataclass(frozen=True)
class FeishuChannel(Robot):
    """Posts to a Feishu robot, signed where a secret is given. `<at …>` of a page mentions nobody: `<` is disarmed."""

    kind: ClassVar[str] = "feishu"
    success_key: ClassVar[str] = "code"
    codes: ClassVar[Mapping[int, Refusal]] = {
        9499: Refusal("the document is not understood"),
        10003: Refusal("a parameter is wrong"),
        11232: Refusal("too many messages", retry=True, rest=60.0),
        19001: Refusal("the robot's URL is wrong, or the robot was removed"),
        19002: Refusal("a parameter is wrong"),
        19007: Refusal("the robot was switched off"),
        19021: Refusal("the signature or its time is wrong"),
        19022: Refusal("the robot's safety settings don't allow this address"),
        19024: Refusal("the robot's safety settings ask for a keyword that the text lacks"),
        19036: Refusal("the text is too long"),
    }

    def split(self, text: str) -> list[str]:
        """Parts with which a document has at most 20,000 bytes."""
        return split_as_json(text, LIMIT - _AROUND)

    def write(self, text: str, title: str) -> tuple[str, dict[str, Any]]:
        """The URL as it is, and the document with the time and its signature."""
        document: dict[str, Any] = {"msg_type": "text", "content": {"text": text}}
        if self.secret is not None:
            stamp = str(int(time.time()))
            document |= {"timestamp": stamp, "sign": sign(stamp, self.secret.get_secret_value())}
        return self.url.get_secret_value(), document

    def find_refusal(self, code: int, words: str) -> Refusal:
        """As documented; 9499 is also what a robot that gets too many messages has said."""
        if code == 9499 and "too many" in words.lower():
            return self.codes[11232]
        return super().find_refusal(code, words)


def sign(stamp: str, secret: str) -> str:
    """The signature of a time in seconds since 1970: HMAC-SHA256 of nothing with time and secret as key, base64."""
    return base64.b64encode(hmac.digest(f"{stamp}\n{secret}".encode(), b"", hashlib.sha256)).decode()


class FeishuOptions(SignedRobotOptions):
    """The keys of a Feishu robot."""

    messages: Annotated[int, Field(ge=1, le=1000)] = 100

    def build(self, name: str, languages: Mapping[str, Language]) -> FeishuChannel:
        """The channel of this name. Raises ValueError for a template that can't be used."""
        return FeishuChannel(
            name,
            self.url,
            self.wording("chat", languages),
            self.messages,
            self.interval,
            self.secret,
            self.timeout,
            self.allowed_private,
        )
