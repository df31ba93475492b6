"""Alerts by a robot in a WeCom group (企业微信群机器人).

Limits and form: https://developer.work.weixin.qq.com/document/path/91770 (content of text at most 2048 bytes, of
Markdown 4096; 20 messages a minute). Codes: https://developer.work.weixin.qq.com/document/path/90313
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import Field

from pipeline.alerts.channels.robot import ChatFormat, Refusal, Robot, RobotOptions
from pipeline.alerts.parts import split_text
from pipeline.alerts.wording import Language

LIMITS: Mapping[ChatFormat, int] = {"text": 2048, "markdown": 4096}
"""Bytes of UTF-8 that a message may hold."""


@dataclass(frozen=True)
class WecomChannel(Robot):
    """Posts to a WeCom robot. Nobody is mentioned: the fields for that are left out, and `@` and `<` are disarmed."""

    kind: ClassVar[str] = "wecom"
    success_key: ClassVar[str] = "errcode"
    codes: ClassVar[Mapping[int, Refusal]] = {
        -1: Refusal("the system is busy", retry=True),
        40058: Refusal("a parameter is wrong, or the text is too long"),
        44004: Refusal("the text is empty"),
        45002: Refusal("the text is too long"),
        45009: Refusal("too many messages", retry=True, rest=60.0),
        45033: Refusal("too many messages at once", retry=True, rest=10.0),
        93000: Refusal("the robot's URL is wrong, or the robot was removed"),
        93004: Refusal("the robot was switched off"),
        93008: Refusal("the robot is not in the group"),
        93017: Refusal("the group was dissolved"),
    }
    format: ChatFormat = "text"

    def split(self, text: str) -> list[str]:
        """Parts of at most 2048 bytes, or 4096 in Markdown."""
        return split_text(text, LIMITS[self.format])

    def write(self, text: str, title: str) -> tuple[str, dict[str, Any]]:
        """The URL as it is, and the document."""
        return self.url.get_secret_value(), {"msgtype": self.format, self.format: {"content": text}}


class WecomOptions(RobotOptions):
    """The keys of a WeCom robot."""

    format: ChatFormat = "text"
    messages: Annotated[int, Field(ge=1, le=1000)] = 20

    def build(self, name: str, languages: Mapping[str, Language]) -> WecomChannel:
        """The channel of this name. Raises ValueError for a template that can't be used."""
        wording = self.wording("markdown" if self.format == "markdown" else "chat", languages)
        return WecomChannel(
            name,
            self.url,
            wording,
            self.messages,
            self.interval,
            timeout=self.timeout,
            allowed_private=self.allowed_private,
            format=self.format,
        )
