"""Many hosts on loopback that behave as told, each on an address of its own (127.0.0.2 and on), in one thread.

A host's behaviour is a coroutine over the path, the number of the request to that path, and the connection. What was
asked is logged by the hosts themselves, with the time at which the request was there and the answer gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import socket
import ssl
import struct
import threading
import time
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

import brotli
from backports import zstd

MEGABYTE = 1024 * 1024


@dataclass
class Asked:
    """One request as a host saw it: seconds of the monotonic clock when it came and when it was done with."""

    host: str
    path: str
    came: float
    left: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


Writer = asyncio.StreamWriter
Behaviour = Callable[[str, int, Writer], Awaitable[None]]


class Site:
    """All hosts on one port; `place` gives the host:port of one."""

    def __init__(
        self, hosts: Mapping[str, Behaviour], secure: frozenset[str], context: ssl.SSLContext | None
    ):
        self.names = {name: f"127.0.0.{number}" for number, name in enumerate(hosts, start=2)}
        self.log: list[Asked] = []
        self.port = _free_port(list(self.names.values()))
        self._hosts = hosts
        self._secure = secure
        self._context = context
        self._counts: Counter[tuple[str, str]] = Counter()
        self._loop = asyncio.new_event_loop()
        self._up = threading.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def place(self, name: str) -> str:
        return f"{self.names[name]}:{self.port}"

    def url(self, name: str) -> str:
        return f"http{'s' if name in self._secure else ''}://{self.place(name)}"

    def asked(self, name: str) -> list[Asked]:
        return [asked for asked in self.log if asked.host == name]

    def pages(self, name: str) -> list[str]:
        return [asked.path for asked in self.asked(name) if asked.path != "/robots.txt"]

    def behave(self, hosts: Mapping[str, Behaviour]) -> None:
        """Let hosts behave otherwise from now on."""
        self._hosts = {**self._hosts, **hosts}

    def run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._over = asyncio.Event()
        servers = [
            await asyncio.start_server(
                lambda reader, writer, name=name: self._answer(name, reader, writer),
                self.names[name],
                self.port,
                ssl=self._context if name in self._secure else None,
            )
            for name, behaviour in self._hosts.items()
            if behaviour is not refuse
        ]
        self._up.set()
        await self._over.wait()
        for server in servers:
            server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _answer(self, name: str, reader: asyncio.StreamReader, writer: Writer) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        asked = None
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            path = head[0].split(" ")[1]
            lines = (line.partition(": ") for line in head[1:] if line)
            asked = Asked(
                name, path, time.monotonic(), headers={key.lower(): value for key, _, value in lines}
            )
            self.log.append(asked)
            self._counts[name, path] += 1
            await self._hosts[name](path, self._counts[name, path], writer)
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError, asyncio.CancelledError):
            pass
        finally:
            if asked is not None:
                asked.left = time.monotonic()
            writer.close()
            self._tasks.discard(task)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)


@contextlib.contextmanager
def serve_site(
    hosts: Mapping[str, Behaviour],
    *,
    secure: frozenset[str] = frozenset(),
    context: ssl.SSLContext | None = None,
) -> Iterator[Site]:
    """Run all hosts for the time of a test."""
    site = Site(hosts, secure, context)
    thread = threading.Thread(target=site.run)
    thread.start()
    try:
        assert site._up.wait(20)
        yield site
    finally:
        site.stop()
        thread.join()


def _free_port(addresses: list[str]) -> int:
    """A port that is free on all these addresses."""
    for _ in range(100):
        with contextlib.ExitStack() as held:
            first = held.enter_context(socket.socket())
            first.bind((addresses[0], 0))
            port: int = first.getsockname()[1]
            try:
                for address in addresses[1:]:
                    held.enter_context(socket.socket()).bind((address, port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free on all addresses")


# --- Behaviours ---


async def send(
    writer: Writer,
    status: int,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    *,
    length: int | None = None,
) -> None:
    """One answer; a `length` of its own promises more than comes."""
    lines = {"Content-Type": "text/html; charset=utf-8", **(headers or {})}
    lines["Content-Length"] = str(len(body) if length is None else length)
    lines["Connection"] = "close"
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    writer.write(f"HTTP/1.1 {status} Said\r\n{head}\r\n".encode("latin-1") + body)
    await writer.drain()


async def refuse(path: str, number: int, writer: Writer) -> None:
    """Nobody listens: such a host is not served at all."""


async def say_nothing(path: str, number: int, writer: Writer) -> None:
    await asyncio.sleep(3600)


async def drip(path: str, number: int, writer: Writer) -> None:
    """An answer that never ends, a byte at a time."""
    await send(writer, 200, b"<html>", length=MEGABYTE)
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.2)


async def drip_head(path: str, number: int, writer: Writer) -> None:
    """Headers that never end, a byte at a time."""
    writer.write(b"HTTP/1.1 200 Said\r\nX-More: ")
    while True:
        writer.write(b"a")
        await writer.drain()
        await asyncio.sleep(0.05)


async def pour(path: str, number: int, writer: Writer) -> None:
    """An answer that never ends, as fast as it can be read."""
    writer.write(b"HTTP/1.1 200 Said\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n")
    while True:
        writer.write(b" " * 65536)
        await writer.drain()


async def head_without_end(path: str, number: int, writer: Writer) -> None:
    """Headers that never end, as fast as they can be read."""
    writer.write(b"HTTP/1.1 200 Said\r\nContent-Type: text/html\r\n")
    while True:
        writer.write((b"X-More: " + b"a" * 1000 + b"\r\n") * 64)
        await writer.drain()


async def reset(path: str, number: int, writer: Writer) -> None:
    """A connection that is torn down in the middle of the answer."""
    await send(writer, 200, b"<html><body>", length=5000)
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def break_off(path: str, number: int, writer: Writer) -> None:
    """Half of the body, then the end."""
    await send(writer, 200, b"<html><body>half", length=5000)


# At the levels that are quick to make: nothing but zeros becomes small at any.
CODINGS: dict[str, Callable[[int], bytes]] = {
    "gzip": lambda size: gzip.compress(bytes(size), 1),
    "deflate": lambda size: zlib.compress(bytes(size), 1),
    "br": lambda size: brotli.compress(bytes(size), quality=1),
    "zstd": lambda size: zstd.compress(bytes(size), 1),
}


@cache
def make_bomb(coding: str, size: int) -> bytes:
    """Few bytes that unpack to `size`."""
    return CODINGS[coding](size)


def explode(coding: str, size: int) -> Behaviour:
    """A small body that unpacks to `size` bytes."""
    body = make_bomb(coding, size)

    async def behave(path: str, number: int, writer: Writer) -> None:
        await send(writer, 200, body, {"Content-Encoding": coding})

    return behave
