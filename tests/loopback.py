"""A real HTTP server on 127.0.0.1 for tests: answers as told, remembers what it was asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Seen:
    """One request as it arrived; `at` is the server's monotonic clock in seconds."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float


@dataclass(frozen=True)
class Said:
    """An answer. `pause` seconds make it slow; `wait` holds it back until the test is over."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    close: bool = False
    pause: float = 0.0
    wait: bool = False


class Server(ThreadingHTTPServer):
    """`answer(path, n)` is asked for the n-th request to that path, from 1."""

    daemon_threads = False

    def __init__(self, answer: Callable[[str, int], Said]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.seen: list[Seen] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self.lock = threading.Lock()
        self.over = threading.Event()

    @property
    def port(self) -> int:
        return self.server_address[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    def paths(self) -> list[str]:
        return [request.path for request in self.seen]

    def pages(self) -> list[Seen]:
        return [request for request in self.seen if request.path != "/robots.txt"]


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.server.lock:
            self.server.in_flight += 1
            self.server.most_in_flight = max(self.server.most_in_flight, self.server.in_flight)
            self.server.seen.append(Seen(self.command, self.path, headers, body, time.monotonic()))
            said = self.server.answer(self.path, self.server.paths().count(self.path))
        if said.pause or said.wait:
            self.server.over.wait(20 if said.wait else said.pause)
        with self.server.lock:
            self.server.in_flight -= 1
        self.close_connection = True
        if said.close or said.wait:
            return
        self.send_response(said.status)
        for name, value in {"Content-Type": "text/html; charset=utf-8", **said.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(said.body)))
        self.end_headers()
        self.wfile.write(said.body)

    do_GET = do_POST = _serve  # noqa: N815 (http.server's names)

    def log_message(self, *arguments: object) -> None:
        pass


@contextmanager
def serve(answer: Callable[[str, int], Said]) -> Iterator[Server]:
    """Run a server for the time of a test."""
    with Server(answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join()
