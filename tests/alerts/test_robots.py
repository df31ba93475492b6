"""Chat robots on loopback: only their own code says that people see a message, and every outcome is the true one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import regex
from loopback import Said, Server, serve

from errors import ConfigurationError
from pipeline.alerts.channels import Channel, build_channel
from pipeline.alerts.channels.wecom import LIMITS
from pipeline.alerts.message import Message, Receipt, Told
from pipeline.alerts.wording import EXAMPLE

ROBOTS = {"wecom": "errcode", "dingtalk": "errcode", "feishu": "code"}
KEY = "7c1e5b1a-hunter2hunter2"
SECRET = "SEChunter3hunter3"
FAMILY = "\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL}"


def robot(kind: str, server: Server, **options: Any) -> Channel:
    where = {"url": f"{server.url}/send?key={KEY}", "allowed_private": [server.place], "timeout": 5}
    return build_channel("team", {"kind": kind, **where, **options})


def says(kind: str, code: object, **more: Any) -> Said:
    return Said(200, json.dumps({ROBOTS[kind]: code, "errmsg": "said so", **more}).encode())


def ask(kind: str, said: Said, **options: Any) -> Receipt:
    with serve(lambda _path, _n: said) as server:
        return robot(kind, server, **options).send(EXAMPLE, "")


def text_of(document: dict[str, Any]) -> str:
    content = document.get("text") or document.get("markdown") or document.get("content")
    return str(content.get("content") or content.get("text"))


# --- What came back ---


@pytest.mark.parametrize("kind", ROBOTS)
def test_code_0_is_success(kind: str) -> None:
    receipt = ask(kind, says(kind, 0))
    assert (receipt.ok, receipt.detail) == (True, f"{ROBOTS[kind]} 0")


@pytest.mark.parametrize(
    ("kind", "code", "retry", "rest"),
    [
        ("wecom", -1, True, None),
        ("wecom", 45009, True, 60),
        ("wecom", 40058, False, None),
        ("wecom", 93000, False, None),
        ("dingtalk", 310000, False, None),
        ("dingtalk", 130101, True, 600),
        ("dingtalk", 410100, True, 600),
        ("dingtalk", 400102, False, None),
        ("feishu", 9499, False, None),
        ("feishu", 11232, True, 60),
        ("feishu", 19021, False, None),
        ("feishu", 19024, False, None),
        ("wecom", 99999, True, None),
        ("dingtalk", 99999, True, None),
        ("feishu", 99999, True, None),
    ],
)
def test_http_200_with_a_code_is_a_refusal(kind: str, code: int, retry: bool, rest: float | None) -> None:
    receipt = ask(kind, says(kind, code))
    assert (receipt.ok, receipt.retry, receipt.rest, receipt.retry_after) == (False, retry, rest, rest)
    assert receipt.detail.startswith(f"{ROBOTS[kind]} {code}: ")
    assert receipt.detail.endswith("(said so)")


def test_feishu_s_9499_for_too_many_requests_is_tried_again() -> None:
    receipt = ask("feishu", says("feishu", 9499, msg="too many request", errmsg=""))
    assert (receipt.ok, receipt.retry, receipt.rest) == (False, True, 60)


@pytest.mark.parametrize("kind", ROBOTS)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>login</html>",
        b"[]",
        b"{}",
        b'{"%s": null}',
        b'{"%s": "0"}',
        b'{"%s": false}',
        b"[" * 60_000,
    ],
    ids=["nothing", "page", "list", "empty", "null", "text", "false", "brackets"],
)
def test_an_answer_without_a_code_is_no_success(kind: str, body: bytes) -> None:
    receipt = ask(kind, Said(200, body.replace(b"%s", ROBOTS[kind].encode())))
    assert (receipt.ok, receipt.retry) == (False, True)


@pytest.mark.parametrize("kind", ROBOTS)
@pytest.mark.parametrize(
    ("said", "retry", "words"),
    [
        (Said(429, headers={"Retry-After": "120"}), True, "HTTP 429"),
        (Said(500, b'{"errcode": 0, "code": 0}'), True, "HTTP 500"),
        (Said(403), False, "HTTP 403"),
        (Said(close=True), True, "didn't answer"),
        (Said(wait=True), True, "didn't answer"),
    ],
    ids=["429", "500", "403", "closed", "slow"],
)
def test_what_is_no_answer_of_a_robot(kind: str, said: Said, retry: bool, words: str) -> None:
    receipt = ask(kind, said, timeout=0.3)
    assert (receipt.ok, receipt.retry) == (False, retry)
    assert words in receipt.detail
    assert receipt.rest == (120 if said.status == 429 else None)


def test_a_retry_after_silences_a_robot_for_an_hour_at_most() -> None:
    assert ask("wecom", Said(429, headers={"Retry-After": "999999"})).rest == 3600


@pytest.mark.parametrize("kind", ROBOTS)
def test_a_redirect_to_an_internal_address_is_not_followed(kind: str) -> None:
    with serve(lambda _path, _n: says(kind, 0)) as canary:
        with serve(lambda _path, _n: Said(302, headers={"Location": canary.url})) as server:
            channel = robot(kind, server, allowed_private=[server.place, canary.place])
            receipt = channel.send(EXAMPLE, "")
        assert canary.seen == []
    assert (receipt.ok, receipt.retry) == (False, False)
    assert "redirects aren't followed" in receipt.detail


# --- What is sent ---


def sent(kind: str, message: Message = EXAMPLE, **options: Any) -> list[dict[str, Any]]:
    """The documents of all parts of a message, sent one after the other."""
    with serve(lambda _path, _n: says(kind, 0)) as server:
        channel = robot(kind, server, **options)
        parts, part = 1, 1
        while part <= parts:
            receipt = channel.send(replace(message, part=part), "")
            assert receipt.ok
            parts, part = receipt.parts, part + 1
        bodies = [request.body for request in server.seen]
    assert all(request.method == "POST" for request in server.seen)
    documents = [json.loads(body.decode("utf-8")) for body in bodies]
    limit = 20_000 if kind != "wecom" else LIMITS[options.get("format", "text")]
    for document, body in zip(documents, bodies, strict=True):
        assert len(text_of(document).encode("utf-8") if kind == "wecom" else body) <= limit
    return documents


FORMATS = [(kind, "text") for kind in ROBOTS] + [("wecom", "markdown"), ("dingtalk", "markdown")]


@pytest.mark.parametrize(("kind", "form"), FORMATS)
def test_5000_chinese_characters_and_emoji_arrive_in_parts_in_order(kind: str, form: str) -> None:
    words = "".join(chr(0x4E00 + number) + (FAMILY if number % 10 == 0 else "") for number in range(5000))
    options = {} if kind == "feishu" else {"format": form}
    documents = sent(kind, replace(EXAMPLE, sentence=None, summary=words), **options)
    assert len(documents) > 1
    texts = [text_of(document) for document in documents]
    assert [text.split("\n")[0] for text in texts] == [
        f"({n}/{len(texts)})" for n in range(1, len(texts) + 1)
    ]
    whole = "".join(text.partition("\n")[2] for text in texts)
    arrived = regex.findall(r"[\u4e00-\u9fff]", whole[whole.index(words[0] + FAMILY) :])
    expected = regex.findall(r"[\u4e00-\u9fff]", words)
    assert arrived[: len(expected)] == expected[: len(arrived)]
    cut = texts[-1].endswith("…")
    assert cut == (kind == "wecom" and form == "text")
    assert cut or arrived[: len(expected)] == expected
    assert whole.count("\N{MAN}") == whole.count(FAMILY)


@pytest.mark.parametrize(("kind", "form"), FORMATS)
def test_no_page_is_long_enough_to_push_the_link_out(kind: str, form: str) -> None:
    options = {} if kind == "feishu" else {"format": form}
    long = "长" * 30_000
    message = replace(EXAMPLE, title=long, publisher=long, facts=(Told("also_reported", long),))
    last = text_of(sent(kind, message, **options)[-1])
    assert EXAMPLE.url in last
    assert last.endswith(f"id {EXAMPLE.id}")


@pytest.mark.parametrize(("kind", "form"), FORMATS)
def test_nothing_of_a_page_reaches_the_fields_that_mention_people(kind: str, form: str) -> None:
    options = {} if kind == "feishu" else {"format": form}
    hostile = '<@all> <at user_id="all">x</at> @all [x](https://evil.example)'
    (document,) = sent(kind, replace(EXAMPLE, title=hostile, summary=hostile), **options)
    assert "mentioned_list" not in json.dumps(document)
    assert document.get("at", {"isAtAll": False})["isAtAll"] is False
    assert not set(text_of(document)) & set("<@")
    assert "evil.example" not in text_of(document)


def test_dingtalk_is_signed_in_the_url() -> None:
    with serve(lambda _path, _n: says("dingtalk", 0)) as server:
        assert robot("dingtalk", server, secret=SECRET).send(EXAMPLE, "").ok
    query = parse_qs(urlsplit(server.seen[0].path).query)
    (stamp,), (signature,) = query["timestamp"], query["sign"]
    assert abs(int(stamp) / 1000 - datetime.now(UTC).timestamp()) < 60
    made = hmac.new(SECRET.encode(), f"{stamp}\n{SECRET}".encode(), hashlib.sha256).digest()
    assert base64.b64decode(signature) == made
    assert query["key"] == [KEY]


def test_feishu_is_signed_in_the_document() -> None:
    (document,) = sent("feishu", secret=SECRET)
    stamp = document["timestamp"]
    assert abs(int(stamp) - datetime.now(UTC).timestamp()) < 60
    made = hmac.new(f"{stamp}\n{SECRET}".encode(), b"", hashlib.sha256).digest()
    assert base64.b64decode(document["sign"]) == made


def test_a_robot_without_a_secret_is_not_signed() -> None:
    assert set(sent("feishu")[0]) == {"msg_type", "content"}


# --- The URL is a secret ---


@pytest.mark.parametrize("kind", ROBOTS)
@pytest.mark.parametrize(
    "answer",
    [
        lambda kind: Said(
            200,
            json.dumps(
                {ROBOTS[kind]: 40058, "errmsg": f"no key {KEY}" + (f" {SECRET}" if kind != "wecom" else "")}
            ).encode(),
        ),
        lambda _kind: Said(close=True),
        lambda _kind: Said(500, b"no"),
        lambda _kind: Said(302, headers={"Location": "http://10.0.0.1/"}),
    ],
    ids=["quoted", "closed", "500", "302"],
)
def test_the_url_and_the_secret_are_shown_nowhere(
    kind: str, answer: Callable[[str], Said], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = {} if kind == "wecom" else {"secret": SECRET}
    with serve(lambda _path, _n: answer(kind)) as server:
        channel = robot(kind, server, **secret)
        receipt = channel.send(EXAMPLE, "")
    for text in (receipt.detail, repr(channel), repr(channel.pace), caplog.text):
        assert "hunter" not in text


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({}, "url: is missing"),
        ({"url": "qyapi.weixin.qq.com/hunter2"}, "url: is no https URL"),
        ({"url": "http://robots.example/hunter2"}, "url: must begin with https"),
        ({"url": "https://robots.example/hunter2", "messages": 0}, "messages"),
        ({"url": "https://robots.example/hunter2", "interval": 0}, "interval"),
        ({"url": "https://robots.example/hunter2", "language": "fr"}, "language"),
        ({"url": "https://robots.example/hunter2", "colour": "red"}, "colour"),
    ],
)
@pytest.mark.parametrize("kind", ROBOTS)
def test_a_wrong_option_is_named_and_no_url_shown(kind: str, options: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigurationError, match=f"channels.team: {key}") as caught:
        build_channel("team", {"kind": kind, **options})
    assert "hunter" not in str(caught.value)


def test_two_channels_of_one_robot_share_its_pace() -> None:
    url = {"kind": "wecom", "url": "https://robots.example/send?key=1"}
    one, two = build_channel("a", url), build_channel("b", {**url, "language": "zh"})
    other = build_channel("a", {**url, "url": "https://robots.example/send?key=2"})
    assert one.pace == two.pace != other.pace
