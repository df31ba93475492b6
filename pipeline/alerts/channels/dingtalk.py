"""Alerts by a robot in a DingTalk group (钉钉自定义机器人).

Form, signature and limits: https://open.dingtalk.com/document/orgapp/custom-robot-access (20 messages a minute, then
nothing for 10 minutes) and https://open.dingtalk.com/document/robots/customize-robot-security-settings; a document of
at most 20,000 bytes. Codes: https://open.dingtalk.com/document/orgapp/custom-robots-send-group-messages
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar
from urllib.parse import quote_plus

from pydantic import Field

from pipeline.alerts.channels.robot import ChatFormat, Refusal, Robot, SignedRobotOptions, split_as_json
from pipeline.alerts.message import flatten
from pipeline.alerts.wording import Language

LIMIT = 20_000
"""Bytes of the whole document."""
_BAN = 600.0
# What stands around the text: keys, the title of a Markdown message.
_AROUND = 1000


@dataclass(frozen=True)
class DingTalkChannel(Robot):
    """Posts to a DingTalk robot, signed where a secret is given. Nobody is mentioned: `at` is empty."""

    kind: ClassVar[str] = "dingtalk"
    success_key: ClassVar[str] = "errcode"
    codes: ClassVar[Mapping[int, Refusal]] = {
        -1: Refusal("the system is busy", retry=True),
        40035: Refusal("a parameter is wrong"),
        43004: Refusal("the content type is wrong"),
        90030: Refusal("too many calls", retry=True, rest=_BAN),
        130101: Refusal("too many messages", retry=True, rest=_BAN),
        300001: Refusal("the robot's URL is wrong"),
        310000: Refusal("the robot's safety settings (signature, keyword, address) refuse it"),
        400013: Refusal("the group was dissolved"),
        400101: Refusal("the robot's URL is wrong"),
        400102: Refusal("the robot was switched off"),
        400105: Refusal("the kind of message is not supported"),
        400106: Refusal("the robot does not exist"),
        410100: Refusal("too many messages", retry=True, rest=_BAN),
        430101: Refusal("a link was called unsafe"),
        430102: Refusal("the text was called inappropriate"),
        430103: Refusal("an image was called inappropriate"),
        430104: Refusal("the content was called inappropriate"),
    }
    format: ChatFormat = "text"

    def split(self, text: str) -> list[str]:
        """Parts with which a document has at most 20,000 bytes."""
        return split_as_json(text, LIMIT - _AROUND)

    def write(self, text: str, title: str) -> tuple[str, dict[str, Any]]:
        """The URL with the time and its signature, and the document."""
        content = {"content": text} if self.format == "text" else {"title": flatten(title)[:60], "text": text}
        document = {
            "msgtype": self.format,
            self.format: content,
            "at": {"atMobiles": [], "atUserIds": [], "isAtAll": False},
        }
        url = self.url.get_secret_value()
        if self.secret is not None:
            stamp = str(round(time.time() * 1000))
            signature = sign(stamp, self.secret.get_secret_value())
            url += f"{'&' if '?' in url else '?'}timestamp={stamp}&sign={quote_plus(signature)}"
        return url, document


def sign(stamp: str, secret: str) -> str:
    """The signature of a time in milliseconds since 1970: HMAC-SHA256 of time and secret with the secret, base64."""
    return base64.b64encode(
        hmac.digest(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256)
    ).decode()


class DingTalkOptions(SignedRobotOptions):
    """The keys of a DingTalk robot."""

    format: ChatFormat = "text"
    messages: Annotated[int, Field(ge=1, le=1000)] = 20

    def build(self, name: str, languages: Mapping[str, Language]) -> DingTalkChannel:
        """The channel of this name. Raises ValueError for a template that can't be used."""
        wording = self.wording("markdown" if self.format == "markdown" else "chat", languages)
        return DingTalkChannel(
            name,
            self.url,
            wording,
            self.messages,
            self.interval,
            self.secret,
            self.timeout,
            self.allowed_private,
            self.format,
        )
