"""How often somebody may ask: a bucket of permits each, filled at a steady rate."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

_MOST_KNOWN = 10_000


class Rates:
    """Permits for those who ask, by a key of theirs: `at_once` in a row, then `a_second`. Used by many threads.

    The counts are those of one process and end with it. Of very many keys those that asked last are known.
    """

    def __init__(self, *, a_second: float, at_once: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._a_second = a_second
        self._at_once = at_once
        self._clock = clock
        self._lock = threading.Lock()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, key: str) -> float:
        """Take a permit and return 0; when there is none, return the seconds until there will be one."""
        now = self._clock()
        with self._lock:
            left, since = self._left.pop(key, (float(self._at_once), now))
            left = min(self._at_once, left + (now - since) * self._a_second)
            waiting = 0.0 if left >= 1 else (1 - left) / self._a_second
            self._left[key] = (left if waiting else left - 1, now)
            if len(self._left) > _MOST_KNOWN:
                self._left.popitem(last=False)
        return waiting
