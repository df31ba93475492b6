"""No way leads to a private server: every form of its address, by every way that a page or a setting could name it."""

from __future__ import annotations

import contextlib
import json
import re
import selectors
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.certificates import self_signed
from tests.command import iprwatch
from tests.crawl.test_faults import site
from tests.crawl.test_live import HTML, RECORDS, XML, article
from tests.fault_site import Behaviour, Site, Writer, send, serve_site

LITERAL = {
    "dotted": "127.0.0.1",
    "decimal": "2130706433",
    "hexadecimal": "0x7f000001",
    "octal": "0177.0.0.1",
    "short": "127.1",
    "nought": "0",
    "six": "[::1]",
    "mapped": "[::ffff:127.0.0.1]",
}
NAMES = {"localhost": "localhost", "led": "leads.example"}
FORMS = LITERAL | NAMES
"""Forms that a private address may have in a URL; a name has it by its own look-up only."""
DECEIVERS = {"changing": "changes.example", "split": "splits.example"}
"""Names with an allowed address too: the first has it when it is asked for first, and the private one ever after."""
END = "<!--<$[信息内容]>end-->"
WAYS = ("link", "redirect", "refresh", "file", "feed")
LOOK_UP = """
import socket
from twisted.internet import _resolver

ALLOWED, PRIVATE = {allowed!r}, "127.0.0.1"
addresses = {{
    "leads.example": [[PRIVATE]],
    "changes.example": [[ALLOWED], [PRIVATE]],
    "splits.example": [[PRIVATE, ALLOWED]],
}}
real = socket.getaddrinfo

def look_up(host, *rest, **options):
    if host not in addresses:
        return real(host, *rest, **options)
    answers = addresses[host]
    answer = answers.pop(0) if len(answers) > 1 else answers[0]
    return [entry for address in answer for entry in real(address, *rest, **options)]

socket.getaddrinfo = look_up
given = _resolver.GAIResolver.__init__
given.__defaults__ = (*given.__defaults__[:-1], look_up)
"""


class Canary:
    """Listens on loopback, IPv4 and IPv6; `knocks` counts the connections, whatever they would have said."""

    def __init__(self, port: int) -> None:
        self.knocks = 0
        self._listeners = [socket.create_server(("127.0.0.1", port))]
        self.port: int = self._listeners[0].getsockname()[1]
        if socket.has_ipv6:
            with contextlib.suppress(OSError):  # a machine without IPv6 can't be reached by it
                self._listeners.append(socket.create_server(("::1", self.port), family=socket.AF_INET6))
        self._over, self._wake = socket.socketpair()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        with selectors.DefaultSelector() as selector:
            for waiting in (*self._listeners, self._over):
                selector.register(waiting, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fileobj is self._over:
                        return
                    connection, _ = key.fileobj.accept()  # type: ignore[union-attr]
                    self.knocks += 1
                    connection.close()

    def close(self) -> None:
        self._wake.close()
        self._thread.join()
        for waiting in (*self._listeners, self._over):
            waiting.close()


@contextlib.contextmanager
def canary(port: int = 0) -> Iterator[Canary]:
    """A private server for the time of a test."""
    opened = Canary(port)
    try:
        yield opened
    finally:
        opened.close()


def listing(targets: dict[str, str]) -> bytes:
    rows = "".join(
        f"<record><![CDATA[<li><a href='{url}' title='公告{name}'>公告{name}</a><span>2026-11-18</span></li>]]></record>"
        for name, url in targets.items()
    )
    return (
        f"<?xml version='1.0' encoding='utf-8'?><datastore><totalrecord>{len(targets)}</totalrecord>"
        f"<totalpage>1</totalpage><recordset>{rows}</recordset></datastore>"
    ).encode()


def feed(targets: dict[str, str]) -> bytes:
    items = "".join(
        f"<item><title>公告{name}</title><link>{url}</link><pubDate>Wed, 18 Nov 2026 10:00:00 +0800</pubDate></item>"
        for name, url in targets.items()
    )
    return (
        f'<?xml version="1.0"?><rss version="2.0"><channel><title>甲</title>{items}</channel></rss>'.encode()
    )


def lead_on(way: str, targets: dict[str, str]) -> Behaviour:
    """A site whose list, or whose articles, lead to each of the targets."""
    own = {name: f"/art/2026/11/18/{way}_{name}_7.html" for name in targets}
    pages = {path: targets[name] for name, path in own.items()}

    async def behave(path: str, number: int, writer: Writer) -> None:
        if path == RECORDS:
            body = feed(targets) if way == "feed" else listing(targets if way == "link" else own)
            await send(writer, 200, body, XML)
        elif path not in pages:
            await send(writer, 404)
        elif way == "redirect":
            await send(writer, 302, b"", {"Location": pages[path]})
        elif way == "refresh":
            body = f'<html><meta http-equiv="refresh" content="0; url={pages[path]}"></html>'.encode()
            await send(writer, 200, body, HTML)
        else:
            link = f'<p><a href="{pages[path]}">附件.pdf</a></p>{END}'
            await send(writer, 200, article(path).replace(END.encode(), link.encode()), HTML)

    return behave


def configure(
    folder: Path, served: Site, ways: tuple[str, ...], *, listed: str = "", unverified: str = ""
) -> None:
    """Watch the host of each way; `listed` may be contacted too, the source of `unverified` has an exception."""
    places = [served.place(way) for way in ways] + ([listed] if listed else [])
    (folder / "sources.toml").write_text(
        "".join(
            f"""[{"media" if way == "feed" else "cnipa"}_{way}]
reader = "{"feed" if way == "feed" else "hanweb"}"
url = "{served.url(way)}{RECORDS}"
name_zh = "试验"
name_en = "Trial"
publisher_zh = "某局"
publisher_en = "Some office"
topics = []
crontab = "0 9 * * mon-fri"
least = 1
proven = true
{"verify_certificate = false" if way == unverified else ""}
"""
            for way in ways
        ),
        encoding="utf-8",
    )
    (folder / "iprwatch.toml").write_text(
        'data = "data"\nbuilt_in_sources = false\nsource_files = ["sources.toml"]\ndelay = 0\ntimeout = 5\n'
        f'contact = "monitor@example.org"\nallowed_private = {places}\n',
        encoding="utf-8",
    )


@dataclass(frozen=True)
class Led:
    """A crawl that was led to a private server in all ways: its runs, the connections that were made, what was refused
    by host and page, and the hosts by which the allowed server was asked."""

    folder: Path
    runs: dict[str, dict[str, Any]]
    knocks: int
    refused: set[tuple[str, str]]
    asked_as: set[str]


@pytest.fixture(scope="module")
def led(tmp_path_factory: pytest.TempPathFactory) -> Led:
    folder = tmp_path_factory.mktemp("guard")
    with serve_site(dict.fromkeys(WAYS, site())) as served, canary(served.port) as private:
        hosts = FORMS | DECEIVERS
        served.behave(
            {
                way: lead_on(
                    way, {name: f"http://{host}:{private.port}/{way}.pdf" for name, host in hosts.items()}
                )
                for way in WAYS
            }
        )
        configure(folder, served, WAYS)
        first = LOOK_UP.format(allowed=served.names["link"])
        ran = iprwatch("crawl", "--json", cwd=folder, first=first)
        knocks = private.knocks
    log = (folder / "data/crawl.log").read_text("utf-8")
    return Led(
        folder,
        {run["key"].partition("_")[2]: run for run in ran.json["sources"]},
        knocks,
        set(re.findall(r"Refused to contact http://(\S+):\d+/(\S+): \S+ is not a public address", log)),
        {asked.headers["host"].rpartition(":")[0] for asked in served.asked("link")},
    )


def test_nothing_that_a_page_says_leads_to_a_private_server(led: Led) -> None:
    assert led.knocks == 0


@pytest.mark.parametrize("way", ["link", "redirect", "refresh", "feed"])
def test_an_article_that_is_on_a_private_server_is_not_fetched_and_makes_the_run_incomplete(
    led: Led, way: str
) -> None:
    run = led.runs[way]
    assert (run["state"], run["counts"]["down"]) == ("incomplete", len(FORMS)), run
    assert "is not a public address" in run["reason"]


def test_every_refusal_says_what_was_refused_and_why(led: Led) -> None:
    assert led.refused >= {(host, f"{way}.pdf") for host in LITERAL.values() for way in WAYS}
    assert led.refused >= {(host, "robots.txt") for host in NAMES.values()}


def test_a_file_on_a_private_server_costs_the_notice_nothing_and_its_note_says_why(led: Led) -> None:
    assert led.runs["file"]["state"] == "ok"
    with closing(sqlite3.connect(led.folder / "data/iprwatch.db")) as store:
        rows = store.execute("SELECT url, attachments FROM item").fetchall()
    notes = {url.split("_")[1]: json.loads(stored)[0]["note"] for url, stored in rows}
    assert set(notes) == {*FORMS, *DECEIVERS}
    assert [name for name in FORMS if "is not a public address" not in notes[name]] == []


def test_a_name_that_changes_its_address_leads_to_the_allowed_server_only(led: Led) -> None:
    assert {*DECEIVERS.values()} <= led.asked_as
    assert led.knocks == 0


def test_the_same_links_reach_a_server_that_is_listed(tmp_path: Path) -> None:
    with serve_site({"link": site()}) as served, canary(served.port) as private:
        served.behave({"link": lead_on("link", {"a": f"http://127.0.0.1:{private.port}/link.pdf"})})
        configure(tmp_path, served, ("link",), listed=f"127.0.0.1:{private.port}")
        iprwatch("crawl", "--json", cwd=tmp_path)
        assert private.knocks > 0


def test_no_webhook_reaches_a_private_server_and_each_is_given_up_with_the_reason(
    tmp_path: Path, samples: Path
) -> None:
    with canary() as private:
        send_to = [f"http://{host}:{private.port}/hook" for host in FORMS.values()]
        rows = ", ".join(f'{{ channel = "hook", to = "{url}" }}' for url in send_to)
        (tmp_path / "iprwatch.toml").write_text(
            f'data = "data"\nbuilt_in_sources = false\nsource_files = ["{samples / "sources.toml"}"]\n'
            f'[channels.hook]\nkind = "webhook"\nsecret = {{ env = "HOOK_SECRET" }}\n'
            f'[[rules]]\nname = "All"\nsend = [{rows}]\n',
            encoding="utf-8",
        )
        ran = iprwatch(
            "crawl", "--replay", samples, "--alert-baseline", cwd=tmp_path,
            first=LOOK_UP.format(allowed="127.0.0.2"), HOOK_SECRET="whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        )  # fmt: skip
        assert private.knocks == 0
    with closing(sqlite3.connect(tmp_path / "data/iprwatch.db")) as store:
        given_up = store.execute("SELECT recipient, state, detail FROM delivery").fetchall()
    assert ran.code == 1
    assert {recipient for recipient, _, _ in given_up} == set(send_to)
    assert {state for _, state, _ in given_up} == {"failed"}
    assert [why for *_, why in given_up if not re.search("is not a public address|not a URL", why)] == []


# --- Certificates ---


def test_an_exception_for_a_certificate_holds_for_one_host_and_is_shown_wherever_sources_are(
    tmp_path: Path,
) -> None:
    ways = ("link", "redirect")
    with serve_site(
        dict.fromkeys(("other", *ways), site()),
        secure=frozenset(("other", *ways)),
        context=self_signed(tmp_path),
    ) as served:
        served.behave({"link": lead_on("link", {"a": f"{served.url('other')}/link.pdf"})})
        configure(
            tmp_path, served, ways,
            listed=served.place("other"), unverified="link",
        )  # fmt: skip
        ran = iprwatch("crawl", "--json", cwd=tmp_path)
        listed = iprwatch("sources", cwd=tmp_path)
        status = iprwatch("status", cwd=tmp_path)
        status_json = iprwatch("status", "--json", cwd=tmp_path)
    runs = {run["key"]: run for run in ran.json["sources"]}
    # Its list was read; what that led to was not, nor was the host without an exception.
    assert runs["cnipa_link"]["counts"]["list_pages"] == 1, runs
    assert (runs["cnipa_link"]["state"], runs["cnipa_redirect"]["state"]) == ("incomplete", "down")
    assert all("certificate verify failed" in run["reason"] for run in runs.values())
    assert served.asked("other") + served.asked("redirect") == []
    assert listed.out.count("certificate not verified") == 1
    assert "The certificate is not verified" in " ".join(status.out.replace("│", " ").split())
    assert {one["key"]: one["certificate_verified"] for one in status_json.json} == {
        "cnipa_link": False,
        "cnipa_redirect": True,
    }
