"""A webhook on loopback for benchmarks of alerts: it takes POSTs, answers some of them badly, and keeps a log."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

Answer = Literal["ok", "slow", "500", "closed"]
"""`ok` and `slow` take a message, `500` and `closed` (no answer at all) don't."""
TAKEN: frozenset[Answer] = frozenset(("ok", "slow"))
SECRET = "whsec_" + "bG9vcGJhY2sgd2ViaG9vayBzZWNyZXQgb2YgMzIgYnl0ZXM="
_SLOW = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class Arrival:
    """A POST that came whole: its `webhook-id`, what its body says, what was answered, and when it came (UTC)."""

    id: str
    said: dict[str, Any]
    answer: Answer
    at: datetime


class Webhook(ThreadingHTTPServer):
    """The server; `arrivals` is its log, written before it answers. `answer` chooses how, one request at a time."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, answer: Callable[[], Answer]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.arrivals: list[Arrival] = []
        self.lock = threading.Lock()

    @property
    def place(self) -> str:
        """Its host and port."""
        return f"127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Senders are killed: that their connections break is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:
            return  # the sender died while it sent
        at = datetime.now(UTC)
        with self.server.lock:
            answer = self.server.answer()
            self.server.arrivals.append(Arrival(self.headers["webhook-id"], json.loads(body), answer, at))
        if answer == "slow":
            time.sleep(_SLOW)
        if answer == "closed":
            return
        self.send_response(500 if answer == "500" else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Nothing on the screen."""


@contextmanager
def open_webhook(answer: Callable[[], Answer]) -> Iterator[Webhook]:
    """A webhook on a free port of 127.0.0.1."""
    with Webhook(answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
