"""Alerts to everything else, by Apprise: https://appriseit.com/services/

Apprise says that a message was taken or that it wasn't, and hardly why. It calls taken what some robots refuse, so
those that iprwatch speaks to by itself, and those that answer in the same way, are refused here.
"""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from pydantic import SecretStr

from outgoing import NOBODY, Pairs, Refused, check_address
from pipeline.alerts.channels.channel import PrivateOptions, WordedOptions
from pipeline.alerts.message import Message, Receipt, flatten
from pipeline.alerts.parts import split_text
from pipeline.alerts.wording import Language, Wording

if TYPE_CHECKING:
    from apprise import NotifyBase

# Apprise reports success when these answer HTTP 200 with the code of a refusal; what to use instead, if anything.
_ANSWER_200_ANYWAY = {
    "wecombot": "the kind wecom",
    "dingtalk": "the kind dingtalk",
    "feishu": "the kind feishu",
    "lark": "the kind feishu",
    "schan": "another service",
}
_STATUS = re.compile(r"error=(\d{3})\b")


@dataclass(frozen=True)
class AppriseChannel:
    """Sends text through one Apprise URL; `to` stays empty. What isn't taken is tried again, but for a 4xx.

    No redirect is followed. Where the URL names a server of one's own, its address is checked before each message.
    """

    kind: ClassVar[str] = "apprise"
    pace: ClassVar[None] = None
    name: str
    service: NotifyBase = field(repr=False)
    wording: Wording
    allowed_private: Pairs = NOBODY

    def send(self, message: Message, recipient: str) -> Receipt:
        import apprise

        parts = split_text(self.wording.write(message, recipient), self.service.body_maxlen, len)
        try:
            self._check_server()
        except Refused as refused:
            return Receipt(ok=False, retry=False, detail=f"not sent: {flatten(refused.rule)}")
        except OSError as error:
            return Receipt(
                ok=False, retry=True, detail=f"the server can't be found: {flatten(str(error.strerror))}"
            )
        with apprise.LogCapture(level=logging.WARNING) as log:
            taken = bool(
                self.service.notify(
                    body=parts[min(message.part, len(parts)) - 1],
                    title="",
                    body_format=apprise.NotifyFormat.TEXT,
                )
            )
            # Only the number is taken from the log: the rest may hold the URL.
            status = _STATUS.search(log.getvalue())
        of = f" (part {message.part} of {len(parts)})" if len(parts) > 1 else ""
        called = flatten(str(self.service.service_name))
        if taken:
            return Receipt(True, False, f"taken by {called}, as Apprise says{of}", parts=len(parts))
        final = status is not None and status[1].startswith("4") and status[1] not in ("408", "429")
        code = f" (HTTP {status[1]})" if status else ""
        return Receipt(
            False, not final, f"not taken by {called}, as Apprise says{code}{of}", parts=len(parts)
        )

    def _check_server(self) -> None:
        """Raises Refused and OSError. Of services with servers of their own nothing is looked up."""
        templates: tuple[str, ...] = tuple(self.service.templates)
        if not any("{host}" in template for template in templates):
            return
        host = str(self.service.host)
        port = self.service.port or (443 if self.service.secure else 80)
        for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            check_address(host, str(address[0]), port, self.allowed_private)


class AppriseOptions(WordedOptions, PrivateOptions):
    """The keys of an Apprise URL."""

    url: SecretStr

    def build(self, name: str, languages: Mapping[str, Language]) -> AppriseChannel:
        """The channel of this name. Raises ValueError without Apprise, and for a URL that it doesn't take."""
        try:
            import apprise
        except ImportError:
            raise ValueError("kind: apprise is not installed; pip install 'iprwatch[apprise]'") from None
        # Their log lines hold URLs below WARNING. Nothing is lost: what became of each message is in the ledger.
        for name in ("apprise", "urllib3"):
            logging.getLogger(name).setLevel(logging.WARNING)
        address = self.url.get_secret_value()
        scheme = address.partition("://")[0].lower()
        if instead := _ANSWER_200_ANYWAY.get(scheme):
            raise ValueError(
                f"url: Apprise can't tell whether {scheme}:// took a message; use {instead} instead"
            )
        asset = apprise.AppriseAsset(http_redirects=False, async_mode=False)
        service = apprise.Apprise.instantiate(address, asset=asset, suppress_exceptions=True)
        if service is None:
            raise ValueError("url: Apprise doesn't take this URL")
        if service.redirects:
            raise ValueError("url: take redirect=yes out: a redirect could lead anywhere")
        if len(service) > 1:
            raise ValueError("url: it names several recipients; make one channel for each")
        return AppriseChannel(name, service, self.wording("any", languages), self.allowed_private)
