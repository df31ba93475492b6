"""A host that forbids crawlers is fetched only where, and only as long as, the operator has put on record why."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from scrapy import Request
from scrapy.utils.test import get_crawler
from sqlalchemy import Engine

from crawlers.permissions import (
    allow_host,
    allowed_prefixes,
    covers,
    list_permissions,
    revoke_host,
    suggest_permission,
)
from crawlers.robots import ClosedByRobots, RobotsMiddleware
from errors import ConfigurationError
from tests.command import iprwatch
from tests.crawl.test_live import RECORDS, answer, run, watched
from tests.loopback import Said


def forbid(path: str, n: int) -> Said:
    return Said(200, b"User-agent: *\nDisallow: /\n") if path == "/robots.txt" else answer(path, n)


def test_a_closed_host_is_fetched_while_it_is_allowed_and_not_after(tmp_path: Path) -> None:
    with watched(tmp_path, forbid) as server:
        closed = run(tmp_path)[1]
        assert "iprwatch hosts allow 127.0.0.1 /module/web/jpage/dataproxy.jsp --reason" in str(
            closed["reason"]
        )
        assert server.pages() == []

        assert iprwatch("hosts", "allow", "127.0.0.1", "/", "--reason", "by letter", cwd=tmp_path).code == 0
        assert run(tmp_path)[0] == 0
        asked = len(server.pages())
        assert asked == 6

        assert iprwatch("hosts", "revoke", "127.0.0.1", cwd=tmp_path).code == 0
        assert run(tmp_path)[1]["state"] == "closed by robots"
        assert len(server.pages()) == asked


def test_below_another_path_a_closed_host_stays_closed(tmp_path: Path) -> None:
    with watched(tmp_path, forbid) as server:
        iprwatch("hosts", "allow", "127.0.0.1", "/module/", "--reason", "lists only", cwd=tmp_path)
        code, source = run(tmp_path)
    assert (code, source["state"]) == (1, "incomplete")
    assert "iprwatch hosts allow 127.0.0.1 /art/2026/11/18/art_74_" in str(source["reason"])
    assert [seen.path for seen in server.pages()] == [RECORDS]


@pytest.mark.parametrize(
    ("allowed", "path", "is_allowed"),
    [
        ("/s", "/s", True),
        ("/s", "/s/Ip0watch0Adding0Page00", True),
        ("/s", "/search", False),
        ("/s/", "/s", False),
        ("/", "/search", True),
        ("/s", "/s/../search", False),
    ],
)
def test_a_permission_is_for_a_path_and_what_lies_below_it(allowed: str, path: str, is_allowed: bool) -> None:
    url = f"https://mp.weixin.qq.com{path}?__biz=1"
    assert covers(f"mp.weixin.qq.com{allowed}", url) is is_allowed


def test_wechat_is_closed_whatever_its_robots_txt_says_and_is_not_even_asked_for_it() -> None:
    crawler = get_crawler(settings_dict={})
    robots = RobotsMiddleware.from_crawler(crawler)
    url = "https://mp.weixin.qq.com/s/Ip0watch0Adding0Page00"
    with pytest.raises(ClosedByRobots):
        asyncio.run(robots.process_request(Request(url)))
    said = suggest_permission(url)
    assert "iprwatch hosts allow mp.weixin.qq.com /s --reason" in said
    assert "feeds that carry the text still work, and so do saved pages" in said


def test_status_shows_what_holds_and_why(tmp_path: Path) -> None:
    with watched(tmp_path, forbid):
        iprwatch("hosts", "allow", "127.0.0.1", "/", "--reason", "by letter", cwd=tmp_path)
        assert "127.0.0.1/ since " in iprwatch("status", cwd=tmp_path).out
        (source,) = iprwatch("status", "--json", cwd=tmp_path).json
        assert [given["reason"] for given in source["permissions"]] == ["by letter"]
        iprwatch("hosts", "revoke", "127.0.0.1", cwd=tmp_path)
        assert "by letter" not in iprwatch("status", cwd=tmp_path).out


def test_what_was_allowed_and_revoked_stays_on_record(tmp_path: Path) -> None:
    iprwatch("hosts", "allow", "Www.Example.org", "/a", "--reason", " 书面许可 ", cwd=tmp_path)
    iprwatch("hosts", "revoke", "www.example.ORG", cwd=tmp_path)
    (given,) = iprwatch("hosts", "list", "--json", cwd=tmp_path).json
    assert (given["host"], given["path"], given["reason"]) == ("www.example.org", "/a", "书面许可")
    assert given["revoked_at"] > given["allowed_at"]
    assert "书面许可" in iprwatch("hosts", "list", cwd=tmp_path).out


def test_revoking_what_was_never_allowed_is_said_in_one_sentence(tmp_path: Path) -> None:
    iprwatch("hosts", "allow", "www.example.org", "/", "--reason", "x", cwd=tmp_path)
    ran = iprwatch("hosts", "revoke", "other.example.org", cwd=tmp_path)
    assert ran.code == 2
    assert ran.err == "iprwatch: other.example.org has no permission that could be revoked.\n"


def test_a_refused_permission_is_one_sentence_that_shows_the_form(tmp_path: Path) -> None:
    ran = iprwatch("hosts", "allow", "[", "/", "--reason", "x", cwd=tmp_path)
    assert ran.code == 2
    assert ran.err.count("\n") == 1
    assert "iprwatch hosts allow mp.weixin.qq.com /s --reason" in ran.err


@pytest.mark.parametrize(
    "host",
    [
        "",
        "[",
        "a b",
        "*.gov.cn",
        "gov.cn:8080",
        "https://gov.cn",
        "gov.cn/x",
        "me@gov.cn",
        "例子.cn",
        "a..b",
        "a" * 300,
    ],
)
def test_what_is_no_host_as_urls_name_it_is_refused(engine: Engine, host: str) -> None:
    with pytest.raises(ConfigurationError, match="is no bare host name"):
        allow_host(engine, host, "/", "reason")
    assert list_permissions(engine) == []


@pytest.mark.parametrize("path", ["", "s", "/s?a=1", "/s#top", "/公告", "/a b", "/../s", "/a/%2e%2e"])
def test_what_is_no_path_as_urls_name_it_is_refused(engine: Engine, path: str) -> None:
    with pytest.raises(ConfigurationError, match=r"is no path of a URL \(it starts with /"):
        allow_host(engine, "www.gov.cn", path, "reason")
    assert list_permissions(engine) == []


def test_what_is_no_host_has_no_permission_to_revoke(engine: Engine) -> None:
    assert revoke_host(engine, "\udcff") == 0


def test_the_suggested_command_is_one_for_the_shell() -> None:
    said = suggest_permission("https://www.gov.cn/a;b$(c)/d.html")
    assert "iprwatch hosts allow www.gov.cn '/a;b$(c)/d.html' --reason" in said


@pytest.mark.parametrize("reason", ["", " \t\n"])
def test_a_permission_without_a_reason_is_refused(engine: Engine, reason: str) -> None:
    with pytest.raises(ConfigurationError, match="the reason is missing"):
        allow_host(engine, "www.gov.cn", "/", reason)
    assert list_permissions(engine) == []


@pytest.mark.parametrize(
    "host", ["www.gov.cn", "MP.weixin.qq.com", "127.0.0.1", "localhost", "xn--fsqu00a.cn"]
)
def test_a_host_is_kept_as_requests_name_it(engine: Engine, host: str) -> None:
    allow_host(engine, host, "/a", "reason")
    assert allowed_prefixes(engine) == [f"{host.lower()}/a"]


def test_revoking_ends_all_permissions_of_that_host_only(engine: Engine) -> None:
    allow_host(engine, "www.gov.cn", "/a", "one")
    allow_host(engine, "www.gov.cn", "/b", "two")
    allow_host(engine, "www.court.gov.cn", "/", "three")
    assert revoke_host(engine, "www.gov.cn") == 2
    assert revoke_host(engine, "www.gov.cn") == 0
    assert allowed_prefixes(engine) == ["www.court.gov.cn/"]


def test_a_host_may_be_allowed_again(engine: Engine) -> None:
    allow_host(engine, "www.gov.cn", "/a", "one")
    revoke_host(engine, "www.gov.cn")
    allow_host(engine, "www.gov.cn", "/b", "two")
    assert allowed_prefixes(engine) == ["www.gov.cn/b"]
    assert [given.reason for given in list_permissions(engine)] == ["two", "one"]
