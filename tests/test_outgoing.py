"""The guard: what may be contacted, how politely, and what never leaves."""

from __future__ import annotations

import json
import os
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from certificates import self_signed
from hypothesis import given
from hypothesis import strategies as st

from outgoing import (
    ANSWER_LIMIT,
    Refused,
    Unreachable,
    check_address,
    check_url,
    post,
    read_allowed_private,
    read_retry_after,
)
from tests.command import Running
from tests.fault_site import drip_head, serve_site
from tests.loopback import Said, Server, serve

ROOT = Path(__file__).resolve().parent.parent
NOW = datetime(2024, 3, 5, 8, 0, tzinfo=UTC)

LOOPBACK_FORMS = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "017700000001",
    "0",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::127.0.0.1]",
    "[2002:7f00:1::]",
    "127.0.0.1.",
    "１２７.0.0.1",
]


# --- Rules ---


@pytest.mark.parametrize("host", LOOPBACK_FORMS)
def test_no_way_to_write_loopback_passes(host: str) -> None:
    with pytest.raises(Refused, match="not a public address"):
        check_url(f"http://{host}/")


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "fe80::1",
        "fc00::1",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",  # NAT64
        "64:ff9b:1::7f00:1",
        "2002:7f00:1::",  # 6to4
        "2002:a9fe:a9fe::1",
        "2001:0:7f00:1::",  # Teredo: the server's address, then the client's with its bits turned
        "2001:0:101:101:0:0:80ff:fffe",
        "::ffff:0:7f00:1",
        "::7f00:1",
        "fe80::5efe:7f00:1",
    ],
)
def test_addresses_that_are_not_global_are_refused(address: str) -> None:
    with pytest.raises(Refused, match="not a public address"):
        check_address("news.example", address, 443)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_global_addresses_pass(address: str) -> None:
    check_address("news.example", address, 443)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://news.example/",
        "data:text/html,x",
        "javascript:alert(1)",
        "//news.example/",
        "news.example",
        "http:///path",
        "http://",
        "http://news.example:99999/",
        "http://[::1/",
        "http://news.example\\@127.0.0.1/",
        "http://news.example/\nHost: x",
        "http://news .example/",
        "",
    ],
)
def test_what_is_no_http_url_with_a_host_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        check_url(url)


def test_host_and_port_of_a_url_are_returned() -> None:
    assert check_url("https://News.Example/a") == ("news.example", 443)
    assert check_url("http://news.example:8080/a") == ("news.example", 8080)


def test_a_listed_server_passes_on_its_port_only() -> None:
    listed = read_allowed_private(["127.0.0.1:8080"])
    check_url("http://127.0.0.1:8080/feed", listed)
    with pytest.raises(Refused):
        check_url("http://127.0.0.1:8081/feed", listed)


def test_a_listed_name_passes_whatever_private_address_it_has() -> None:
    check_address("feeds.lan", "10.0.0.3", 8080, read_allowed_private(["Feeds.lan:8080"]))


def test_a_listed_name_opens_no_other_name_of_the_same_address() -> None:
    with pytest.raises(Refused):
        check_address("evil.example", "10.0.0.3", 8080, read_allowed_private(["feeds.lan:8080"]))


def test_ipv6_pairs_are_written_in_brackets() -> None:
    check_url("http://[::1]:8080/", read_allowed_private(["[::1]:8080"]))


@pytest.mark.parametrize(
    "entry", ["feeds.lan", "feeds.lan:", ":80", "feeds.lan:x", "http://feeds.lan:80", ""]
)
def test_a_pair_that_is_none_is_named(entry: str) -> None:
    with pytest.raises(ValueError, match="host:port"):
        read_allowed_private([entry])


def test_a_refusal_names_the_pair_as_it_must_be_listed() -> None:
    for pair in ("[::1]:8080", "10.0.0.3:8080"):
        with pytest.raises(Refused) as caught:
            check_url(f"http://{pair}/")
        assert f"list {pair} as" in str(caught.value)
        check_url(f"http://{pair}/", read_allowed_private([pair]))


@pytest.mark.parametrize("port", [22, 25, 6379, 3306, 5432, 27017])
def test_the_port_of_another_service_is_refused_unless_it_is_listed(port: int) -> None:
    with pytest.raises(Refused, match=f"port {port} belongs to something else than http"):
        check_url(f"http://news.example:{port}/")
    check_url(f"http://news.example:{port}/", read_allowed_private([f"news.example:{port}"]))


@pytest.mark.parametrize("user", ["user@", "user:secret@", ":secret@", "@", "127.0.0.1:80@"])
def test_a_user_name_or_password_in_a_url_is_refused(user: str) -> None:
    with pytest.raises(Refused, match="a user name or password in a URL"):
        check_url(f"http://{user}news.example/")


def test_a_refusal_is_one_line_without_the_password() -> None:
    with pytest.raises(Refused) as caught:
        check_url("http://user:secret@127.0.0.1/a")
    assert "secret" not in str(caught.value)
    with pytest.raises(Refused) as caught:
        check_url("http://news.example/\nforged line")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        (" 120 ", 120.0),
        ("Tue, 05 Mar 2024 08:01:30 GMT", 90.0),
        ("Tue, 05 Mar 2024 07:00:00 GMT", 0.0),
        ("9" * 400, 365 * 86400.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 365 * 86400.0),
        ("soon", None),
        ("Wed, 21 Oct 99999999999999999999 07:28:00 GMT", None),
        ("Wed, 21 Oct 2015 07:28:00 -9999999999999999", None),
        ("-5", None),
        ("1.5", None),
        ("１２０", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    assert read_retry_after(value, NOW) == seconds


@given(st.text())
def test_retry_after_never_breaks_date_arithmetic(value: str) -> None:
    seconds = read_retry_after(value, NOW)
    assert seconds is None or NOW + timedelta(seconds=seconds) >= NOW


# --- post ---


def listed(server: Server) -> frozenset[tuple[str, int]]:
    return frozenset({("127.0.0.1", server.port)})


def test_a_post_arrives_and_its_answer_comes_back() -> None:
    with serve(lambda path, n: Said(202, b"taken", {"X-Mark": "7"})) as server:
        answer = post(
            f"{server.url}/hook?a=1", body=b"{}", headers={"X-Own": "1"}, allowed_private=listed(server)
        )
    assert (answer.status, answer.body, answer.headers["x-mark"]) == (202, b"taken", "7")
    (request,) = server.seen
    assert (request.method, request.path, request.body) == ("POST", "/hook?a=1", b"{}")
    assert request.headers["host"] == server.place
    assert request.headers["x-own"] == "1"


@pytest.mark.parametrize("host", [*LOOPBACK_FORMS, "localhost"])
def test_post_reaches_no_unlisted_loopback_server(host: str) -> None:
    with serve(lambda path, n: Said()) as canary, pytest.raises(Refused):
        post(f"http://{host}:{canary.port}/", body=b"", headers={})
    assert canary.seen == []


def test_post_does_not_follow_redirects() -> None:
    with (
        serve(lambda path, n: Said()) as canary,
        serve(lambda path, n: Said(302, headers={"Location": f"{canary.url}/"})) as server,
    ):
        answer = post(server.url, body=b"", headers={}, allowed_private=listed(server) | listed(canary))
    assert answer.status == 302
    assert canary.seen == []


def test_an_answer_is_read_up_to_its_limit() -> None:
    with serve(lambda path, n: Said(200, b"x" * (ANSWER_LIMIT + 9))) as server:
        answer = post(server.url, body=b"", headers={}, allowed_private=listed(server))
    assert len(answer.body) == ANSWER_LIMIT


@pytest.mark.parametrize("said", [Said(close=True), Said(wait=True)], ids=["closed", "silent"])
def test_a_server_that_does_not_answer_is_unreachable(said: Said) -> None:
    with serve(lambda path, n: said) as server, pytest.raises(Unreachable) as caught:
        post(f"{server.url}/token", body=b"", headers={}, timeout=0.3, allowed_private=listed(server))
    assert server.place in str(caught.value)
    assert "token" not in str(caught.value)


def test_an_answer_whose_headers_drip_is_not_waited_for_without_end() -> None:
    with serve_site({"hook": drip_head}) as slow:
        host, _, port = slow.place("hook").partition(":")
        began = time.monotonic()
        with pytest.raises(Unreachable):
            post(
                slow.url("hook"),
                body=b"",
                headers={},
                timeout=0.2,
                allowed_private=frozenset({(host, int(port))}),
            )
        assert time.monotonic() - began < 20


def test_a_port_where_nobody_listens_is_unreachable() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        with pytest.raises(Unreachable):
            post(
                f"http://127.0.0.1:{port}/",
                body=b"",
                headers={},
                allowed_private=frozenset({("127.0.0.1", port)}),
            )


def test_a_name_that_nobody_has_is_unreachable() -> None:
    with pytest.raises(Unreachable, match="can't be found"):
        post("http://nobody.invalid/", body=b"", headers={})


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Give hook.example these addresses, one answer for all; returns the list of look-ups."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def look_up(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
        if host != "hook.example":
            return real(host, port, *arguments, **options)
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


def test_a_name_is_looked_up_once_and_the_checked_address_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolve_to(monkeypatch, "127.0.0.1")
    with serve(lambda path, n: Said()) as server:
        pair = frozenset({("hook.example", server.port)})
        post(f"http://hook.example:{server.port}/", body=b"", headers={}, allowed_private=pair)
    assert asked == ["hook.example"]
    assert server.seen[0].headers["host"] == f"hook.example:{server.port}"


def test_one_private_address_among_public_ones_refuses_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, "1.1.1.1", "127.0.0.1")
    with serve(lambda path, n: Said()) as canary, pytest.raises(Refused):
        post(f"http://hook.example:{canary.port}/", body=b"", headers={})
    assert canary.seen == []


def test_the_certificate_is_checked_for_the_name_not_the_address(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    resolve_to(monkeypatch, "127.0.0.1")
    named: list[str | None] = []
    context = self_signed(tmp_path)
    context.sni_callback = lambda connection, name, original: named.append(name)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def shake_hands() -> None:
            connection, _ = listener.accept()
            with connection, pytest.raises((ssl.SSLError, OSError)):
                context.wrap_socket(connection, server_side=True).recv(1)

        thread = threading.Thread(target=shake_hands)
        thread.start()
        pair = frozenset({("hook.example", port)})
        with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
            post(f"https://hook.example:{port}/", body=b"", headers={}, allowed_private=pair)
        thread.join()
    assert named == ["hook.example"]


# --- Crawls ---

SETTINGS: dict[str, Any] = {
    "TWISTED_DNS_RESOLVER": "crawlers.guard.PublicResolver",
    "DOWNLOADER_MIDDLEWARES": {
        "crawlers.guard.GuardMiddleware": 960,
        "crawlers.robots.RobotsMiddleware": 970,
        "crawlers.gate.HostGateMiddleware": 980,
        "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
    },
    "TELNETCONSOLE_ENABLED": False,
    "REMOTE_CONTROL_ENABLED": False,
    "CONCURRENT_REQUESTS": 64,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 64,
    "DOWNLOAD_TIMEOUT": 10,
    "LOG_LEVEL": "WARNING",
}


@dataclass
class Crawl:
    outcomes: dict[str, str]
    stats: dict[str, Any]
    log: str


def crawl(urls: list[str], proxy: str | None = None, **settings: Any) -> Crawl:
    """Run one crawl in a process of its own, as an installation does."""
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    if proxy:
        environment["http_proxy"] = proxy
    order = json.dumps({"urls": urls, "settings": SETTINGS | settings})
    ran = Running("tests.one_crawl", cwd=ROOT, env=environment, stdin=order).wait()
    assert ran.code == 0, ran.err
    return Crawl(ran.json["outcomes"], ran.json["stats"], ran.err)


def ways_to(canary: Server) -> list[str]:
    hosts = ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0", "[::ffff:127.0.0.1]", "localhost"]
    return [f"http://{host}:{canary.port}/" for host in hosts]


def trap(canary: Server) -> Callable[[str, int], Said]:
    links = "".join(
        f'<a href="{link}">x</a>' for link in [*ways_to(canary), "file:///etc/hostname", "/out", "/meta"]
    )

    def answer(path: str, n: int) -> Said:
        if path == "/out":
            return Said(302, headers={"Location": ways_to(canary)[0]})
        if path == "/meta":
            target = ways_to(canary)[-1]
            return Said(200, f'<meta http-equiv="refresh" content="0; url={target}">'.encode())
        return Said(200, links.encode()) if path == "/" else Said(404)

    return answer


def test_a_crawl_reaches_no_private_server_that_is_not_listed() -> None:
    with serve(lambda path, n: Said(404)) as canary, serve(trap(canary)) as front:
        result = crawl([f"{front.url}/"], IPRWATCH_ALLOWED_PRIVATE=[front.place])
    assert canary.seen == []
    assert result.outcomes.pop(f"{front.url}/") == "200"
    assert len(result.outcomes) == 10
    assert all("Refused to contact" in said for said in result.outcomes.values())
    assert result.stats["guard/refused"] == 9  # localhost is asked for its robots.txt once, for two links


def test_the_same_crawl_reaches_a_server_that_is_listed() -> None:
    with serve(lambda path, n: Said(404)) as canary, serve(trap(canary)) as front:
        crawl([f"{front.url}/"], IPRWATCH_ALLOWED_PRIVATE=[front.place, canary.place])
    assert canary.pages()


def test_the_resolver_alone_refuses_literal_addresses_too() -> None:
    with serve(lambda path, n: Said()) as canary:
        result = crawl(ways_to(canary), DOWNLOADER_MIDDLEWARES={}, RETRY_ENABLED=False)
    assert canary.seen == []
    assert {said.partition(":")[0] for said in result.outcomes.values()} == {"CannotResolveHostError"}


def test_a_private_proxy_must_be_listed() -> None:
    with serve(lambda path, n: Said()) as canary:
        result = crawl(["http://news.example/"], proxy=canary.url)
    assert canary.seen == []
    assert result.outcomes["http://news.example/"].startswith("RefusedRequest")


def test_a_listed_proxy_is_used_for_pages_and_robots() -> None:
    with serve(site(Said(200, b"User-agent: *\nDisallow: /no\n"))) as server:
        urls = ["http://news.example/yes", "http://news.example/no"]
        result = crawl(urls, proxy=server.url, IPRWATCH_ALLOWED_PRIVATE=[server.place])
    assert server.paths() == ["http://news.example/robots.txt", "http://news.example/yes"]
    assert result.outcomes["http://news.example/no"].startswith("ClosedByRobots")


def test_nothing_is_fetched_when_names_are_resolved_by_another_way() -> None:
    with serve(lambda path, n: Said()) as canary:
        result = crawl(
            [canary.url],
            TWISTED_DNS_RESOLVER="scrapy.resolver.CachingThreadedResolver",
            IPRWATCH_ALLOWED_PRIVATE=[canary.place],
        )
    assert canary.seen == []
    assert result.outcomes[canary.url].startswith("ConfigurationError: TWISTED_DNS_RESOLVER")


# --- Robots ---


def site(robots: Said, page: Said | None = None) -> Callable[[str, int], Said]:
    return lambda path, n: robots if path.endswith("/robots.txt") else (page or Said(200, b"<p>text</p>"))


def crawl_pages(server: Server, count: int, **settings: Any) -> Crawl:
    urls = [f"{server.url}/page/{number}" for number in range(count)]
    return crawl(urls, **{"IPRWATCH_ALLOWED_PRIVATE": [server.place], "RETRY_ENABLED": False} | settings)


def test_fifty_first_requests_to_a_closed_site_fetch_nothing() -> None:
    with serve(site(Said(200, b"User-agent: *\nDisallow: /\n"))) as server:
        result = crawl_pages(server, 50)
    assert server.paths() == ["/robots.txt"]
    assert result.stats["robots/refused"] == 50
    assert {said.partition(":")[0] for said in result.outcomes.values()} == {"ClosedByRobots"}


@pytest.mark.parametrize(
    "robots",
    [
        Said(500),
        Said(503),
        Said(429),
        Said(close=True),
        Said(302, headers={"Location": "http://127.0.0.1:1/"}),
    ],
    ids=["500", "503", "429", "closed connection", "redirect to a refused address"],
)
def test_robots_that_cannot_be_read_close_the_site(robots: Said) -> None:
    with serve(site(robots)) as server:
        result = crawl_pages(server, 3)
    assert server.pages() == []
    assert result.stats["robots/refused"] == 3


@pytest.mark.parametrize("status", [404, 410, 403])
def test_a_site_without_robots_is_open(status: int) -> None:
    with serve(site(Said(status, b"User-agent: *\nDisallow: /\n"))) as server:
        result = crawl_pages(server, 3)
    assert len(server.pages()) == 3
    assert "robots/refused" not in result.stats


def test_the_group_that_names_the_agent_counts() -> None:
    with serve(
        site(Said(200, b"User-agent: iprwatch\nDisallow: /page/1\n\nUser-agent: *\nDisallow: /\n"))
    ) as server:
        crawl_pages(server, 2)
    assert [request.path for request in server.pages()] == ["/page/0"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_hides_no_rule(encoding: str) -> None:
    with serve(site(Said(200, "User-agent: *\nDisallow: /\n".encode(encoding)))) as server:
        crawl_pages(server, 1)
    assert server.pages() == []


def test_a_crawl_delay_without_measure_is_a_year() -> None:
    with serve(site(Said(200, b"User-agent: *\nCrawl-delay: 1e300\n"))) as server:
        result = crawl_pages(server, 1)
    (said,) = result.outcomes.values()
    assert re.search(r"HostHeld.* asks to wait for 3153\d{4} s more", said)


def test_what_the_operator_allows_is_fetched_and_nothing_beside_it() -> None:
    with serve(site(Said(200, b"User-agent: *\nDisallow: /\n"))) as server:
        crawl_pages(server, 3, IPRWATCH_ROBOTS_ALLOWED=["127.0.0.1/page/2"])
    assert [request.path for request in server.pages()] == ["/page/2"]


def test_a_path_that_climbs_out_of_what_the_operator_allows_is_refused() -> None:
    with serve(site(Said(200, b"User-agent: *\nDisallow: /\n"))) as server:
        crawl(
            [f"{server.url}/page/%2e%2e/private"],
            IPRWATCH_ALLOWED_PRIVATE=[server.place],
            IPRWATCH_ROBOTS_ALLOWED=["127.0.0.1/page/"],
        )
    assert server.pages() == []


def test_crawl_delay_is_the_least_gap() -> None:
    with serve(site(Said(200, b"User-agent: *\nCrawl-delay: 0.3\n"))) as server:
        crawl_pages(server, 4)
    assert len(server.seen) == 5
    assert min(later.at - earlier.at for earlier, later in pairwise(server.seen)) >= 0.3


def test_one_request_at_a_time_goes_to_a_host() -> None:
    with serve(site(Said(404), Said(pause=0.05))) as server:
        crawl_pages(server, 20)
    assert (len(server.pages()), server.most_in_flight) == (20, 1)


@pytest.mark.parametrize("status", [429, 503])
def test_a_host_that_asks_to_wait_is_left_alone_that_long(status: int) -> None:
    def answer(path: str, n: int) -> Said:
        if path == "/robots.txt":
            return Said(404)
        return Said(status, headers={"Retry-After": "1"}) if path == "/page/0" and n == 1 else Said()

    with serve(answer) as server:
        result = crawl_pages(server, 3, RETRY_ENABLED=True)
    assert set(result.outcomes.values()) == {"200"}
    refused = next(request.at for request in server.seen if request.path == "/page/0")
    assert all(request.at - refused >= 1 for request in server.seen if request.at > refused)


def test_a_host_that_asks_for_too_long_a_wait_is_not_asked_again() -> None:
    with serve(site(Said(404), Said(503, headers={"Retry-After": "7200"}))) as server:
        result = crawl_pages(server, 5, RETRY_ENABLED=True)
    assert len(server.pages()) == 1
    assert result.stats["gate/held"] == 5
    assert {said.partition(":")[0] for said in result.outcomes.values()} == {"HostHeld"}
