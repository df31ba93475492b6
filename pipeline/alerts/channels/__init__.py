"""Channels: each carries one message to one recipient and says what became of it.

A channel never raises for what a server or a disk does; that is a Receipt. What the operator wrote
wrongly is a ConfigurationError from `build_channel`, before anything is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from pydantic import ValidationError

from errors import ConfigurationError, first_fault
from pipeline.alerts.channels.apprise import AppriseChannel, AppriseOptions
from pipeline.alerts.channels.channel import Channel, Options, PrivateOptions, WordedOptions
from pipeline.alerts.channels.console import ConsoleChannel, ConsoleOptions
from pipeline.alerts.channels.dingtalk import DingTalkChannel, DingTalkOptions
from pipeline.alerts.channels.feishu import FeishuChannel, FeishuOptions
from pipeline.alerts.channels.file import FileChannel, FileOptions
from pipeline.alerts.channels.smtp import SmtpChannel, SmtpOptions, read_address
from pipeline.alerts.channels.webhook import WebhookChannel, WebhookOptions
from pipeline.alerts.channels.wecom import WecomChannel, WecomOptions
from pipeline.alerts.message import Message, Receipt
from pipeline.alerts.wording import Language

__all__ = [
    "KINDS",
    "POSTING",
    "AppriseChannel",
    "Channel",
    "ConsoleChannel",
    "DingTalkChannel",
    "FeishuChannel",
    "FileChannel",
    "Message",
    "Receipt",
    "SmtpChannel",
    "WebhookChannel",
    "WecomChannel",
    "build_channel",
    "check_kind",
    "check_recipient",
    "has_language",
]

KINDS: Mapping[str, type[Options]] = MappingProxyType(
    {
        "console": ConsoleOptions,
        "file": FileOptions,
        "smtp": SmtpOptions,
        "webhook": WebhookOptions,
        "wecom": WecomOptions,
        "dingtalk": DingTalkOptions,
        "feishu": FeishuOptions,
        "apprise": AppriseOptions,
    }
)
"""The keys of each kind of channel, by its name in the configuration."""
POSTING = frozenset(kind for kind, options in KINDS.items() if issubclass(options, PrivateOptions))
"""The kinds that may be told to reach private addresses."""


def build_channel(
    name: str, options: Mapping[str, object], languages: Mapping[str, Language] = MappingProxyType({})
) -> Channel:
    """Make a channel from its options: `kind` and the keys of that kind, which docs/configuration.md explains.

    `languages` are those of recipients that get another one than the channel's. Secrets come resolved; they are shown
    in no repr and no error. Raises ConfigurationError naming the key.
    """
    rest = dict(options)
    kind = str(rest.pop("kind", ""))
    try:
        check_kind(kind)
        return KINDS[kind].model_validate(rest).build(name, dict(languages))
    except ValidationError as error:
        raise ConfigurationError(f"channels.{name}: {first_fault(error)}.") from None
    except ValueError as error:
        raise ConfigurationError(f"channels.{name}: {error}.") from None


def check_kind(kind: object) -> None:
    """Raises ValueError for a kind of channel that there isn't."""
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}")


def has_language(kind: str) -> bool:
    """True for kinds whose alerts are texts with labels in a language."""
    return issubclass(KINDS[kind], WordedOptions)


def check_recipient(kind: str, recipient: str) -> None:
    """Raises ValueError, without the recipient, which may be secret, when no channel of this kind can reach it."""
    if kind == "smtp":
        read_address(recipient)
    elif kind == "webhook":
        if urlsplit(recipient).scheme not in ("http", "https") or not urlsplit(recipient).hostname:
            raise ValueError("is no http(s) URL")
    elif recipient:
        raise ValueError(f"must be left out: a channel of the kind {kind} has no recipients")
