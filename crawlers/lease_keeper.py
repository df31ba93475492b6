"""Keeps the leases of the hosts that a crawl reads, for as long as the crawl lives."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable
from typing import Self

from sqlalchemy import Engine

from crawlers.lease_holder import is_dead, name_holder
from pipeline.store.lease import LENGTH, Held, Lease, LeaseLost, acquire, release, renew
from pipeline.store.session import StoreError

log = logging.getLogger(__name__)

RENEW_EVERY = LENGTH.total_seconds() / 5
LOOK_EVERY = 2.0
"""Seconds between two looks at a lease of somebody else, whose process may be dead."""


def end_crawl() -> None:
    """End this process's crawl as SIGTERM does: no further request, and every run row judged."""
    os.kill(os.getpid(), signal.SIGTERM)


class LeaseKeeper:
    """Takes leases, renews them from a thread of its own, and gives them back at the end.

    When a lease is lost, `lost` is called once: the fence refuses what the crawl writes from then on, and it must
    not ask the host any further.
    """

    def __init__(self, engine: Engine, *, lost: Callable[[], None] = end_crawl) -> None:
        self._engine = engine
        self._lost = lost
        self._holder = name_holder()
        self._leases: list[Lease] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="leases", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Give all leases back."""
        self._closing.set()
        self._thread.join()
        try:
            release(self._engine, self.leases)
        except StoreError as error:
            # They end by themselves; what the crawl found is still to be told.
            log.warning("%s", error)

    @property
    def leases(self) -> list[Lease]:
        """Those that were taken so far."""
        with self._lock:
            return list(self._leases)

    def take(
        self,
        hosts: Iterable[str],
        *,
        wait: Callable[[float], None] = time.sleep,
        tell: Callable[[Held], None] = lambda _: None,
    ) -> dict[str, Held]:
        """Take the leases of these hosts; returns those that are in other hands, by host. Raises StoreError.

        A holder that lives renews its lease, and its hosts are left to it. One that was killed doesn't: where nobody
        can tell, its lease is waited for, until it ends. `tell` is called with each lease that is looked at so.
        """
        waiting = {host: held for host in sorted(set(hosts)) if (held := self._try(host))}
        for held in waiting.values():
            tell(held)
        busy: dict[str, Held] = {}
        while waiting:
            wait(LOOK_EVERY)
            for host, before in list(waiting.items()):
                held = self._try(host)
                if held is None:
                    del waiting[host]
                elif held != before:
                    busy[host] = waiting.pop(host)
        return busy

    def _try(self, host: str) -> Held | None:
        taken = acquire(self._engine, host, self._holder, is_dead=is_dead)
        if isinstance(taken, Held):
            return taken
        with self._lock:
            self._leases.append(taken)
        return None

    def renew(self) -> bool:
        """Renew all leases once; False when one was lost."""
        try:
            renew(self._engine, self.leases)
        except LeaseLost as error:
            log.error("%s", error)
            return False
        except StoreError as error:
            # The leases hold for a while yet, and nothing can be written meanwhile.
            log.warning("%s", error)
        return True

    def _run(self) -> None:
        while not self._closing.wait(RENEW_EVERY):
            if not self.renew():
                self._lost()
                return
