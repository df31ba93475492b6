"""A store with one run, and an API that answers from it on loopback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import uvicorn
from sqlalchemy import Engine, insert

from pipeline.store.api_tokens import add_token
from pipeline.store.tables import Run
from query.api.app import build_app
from query.api.rates import Rates
from query.api.served import Served

SOURCE = {
    "key": "court_spc_interpretations",
    "name_zh": "例",
    "name_en": "Example",
    "publisher_zh": "例",
    "publisher_en": "Example",
    "url": "https://www.court.gov.cn/",
    "topics": ["law"],
    "crontab": "0 9 * * *",
    "reader": "court_gov",
    "proven": True,
}
UNLIMITED: dict[str, Any] = {
    "token_rates": Rates(a_second=1e6, at_once=10**6),
    "address_rates": Rates(a_second=1e6, at_once=10**6),
}
Ask = Callable[..., httpx.Client]


@contextmanager
def serving(engine: Engine, **settings: Any) -> Iterator[httpx.Client]:
    """A client of a server on loopback; `settings` are those of `Served`."""
    served = Served(
        **{
            "engine": engine,
            "sources": {SOURCE["key"]: SOURCE},
            "rules": ("all",),
            "trusts_all": True,
            **UNLIMITED,
            **settings,
        }
    )
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(build_app(served), log_config=None, access_log=False))
    # It listens already, so nobody has to wait for its start.
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    port = listener.getsockname()[1]
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@pytest.fixture
def store(engine: Engine) -> Engine:
    """An empty store with the run that test records name."""
    with engine.begin() as connection:
        connection.execute(
            insert(Run).values(
                id=1,
                source_key=SOURCE["key"],
                started_at=datetime(2026, 11, 20, 1, tzinfo=UTC),
                state="running",
                baseline=False,
                counts={},
            )
        )
    return engine


@pytest.fixture
def ask(store: Engine) -> Iterator[Ask]:
    """Makes a client of an API over the store; `scope` is that of the token that it shows."""
    with ExitStack() as stack:

        def client(scope: str | None = None, **settings: Any) -> httpx.Client:
            made = stack.enter_context(serving(store, **settings))
            if scope is not None:
                token = add_token(
                    store, f"{scope} {made.base_url.port}", scope, days=1, now=datetime.now(UTC)
                )
                made.headers["Authorization"] = f"Bearer {token}"
            return made

        yield client
