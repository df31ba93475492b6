"""The dead man's switch: a URL elsewhere that is asked once a day, and that raises the alarm when it isn't.

Whoever watches over a silent monitor must not be the monitor. Services of this kind (Healthchecks, Uptime Kuma, Dead
Man's Snitch) give out such a URL.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from outgoing import NOBODY, Pairs, Refused, Unreachable, post
from pipeline.alerts.message import Message, Receipt, flatten

PING = "dead man's switch"


@dataclass(frozen=True)
class PingChannel:
    """Posts nothing to a URL. Any 2xx is success, everything else is tried again."""

    kind: ClassVar[str] = "ping"
    url: str
    name: str = PING
    timeout: float = 10.0
    pace: ClassVar[None] = None
    allowed_private: Pairs = NOBODY

    def send(self, message: Message, recipient: str) -> Receipt:
        try:
            answer = post(
                self.url, body=b"", headers={}, timeout=self.timeout, allowed_private=self.allowed_private
            )
        except Refused as refused:
            return Receipt(ok=False, retry=False, detail=f"not sent: {flatten(refused.rule)}")
        except Unreachable as error:
            return Receipt(ok=False, retry=True, detail=flatten(str(error)))
        ok = 200 <= answer.status < 300
        return Receipt(ok=ok, retry=not ok, detail=f"HTTP {answer.status}")
