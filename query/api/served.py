"""What an API answers from, and who may ask without a token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Semaphore
from typing import Any

from fastapi import Request
from sqlalchemy import Engine

from pipeline.health.ledger import Watched
from query.api.rates import Rates


@dataclass(frozen=True, slots=True)
class Served:
    """All that the routes know of the installation.

    `sources` are the configured ones by key, as JSON can hold them, `watched` the same as health sees them; `rules`
    are the rules' names. `open_metrics`: the metrics need no token. `trusts_all` says
    that only this machine can connect: then reading needs no token as long as none was ever made. `hosts` are the
    names by which the server may be asked; None: any. `public_url` is where readers of feeds find it, without a slash
    at the end; None: as the request names it. `exports` is taken by each that is being written.
    """

    engine: Engine
    sources: Mapping[str, Mapping[str, Any]]
    watched: Sequence[Watched] = ()
    rules: Sequence[str] = ()
    open_metrics: bool = False
    trusts_all: bool = False
    hosts: frozenset[str] | None = None
    public_url: str | None = None
    exports: Semaphore = field(default_factory=lambda: Semaphore(2))
    token_rates: Rates = field(default_factory=lambda: Rates(a_second=10, at_once=120))
    address_rates: Rates = field(default_factory=lambda: Rates(a_second=20, at_once=240))

    def now(self) -> datetime:
        """The time, in UTC."""
        return datetime.now(UTC)


def served_by(request: Request) -> Served:
    """What the application of this request serves."""
    served: Served = request.app.state.served
    return served
