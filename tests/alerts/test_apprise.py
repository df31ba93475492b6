"""Apprise on loopback: what it says is told as it says it, and what it can't be trusted with is refused."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import Any

import pytest
from loopback import Said, Server, serve

from errors import ConfigurationError
from pipeline.alerts.channels import AppriseChannel, Channel, build_channel
from pipeline.alerts.wording import EXAMPLE

pytest.importorskip("apprise", reason="the extra `apprise` is not installed")
KEY = "hunter2hunter2"
# A plugin of Apprise looks at pictures with a module that Python 3.11 calls deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:.imghdr. is deprecated:DeprecationWarning")


def channel_to(server: Server, **options: Any) -> Channel:
    where = {"url": f"json://127.0.0.1:{server.port}/{KEY}", "allowed_private": [server.place]}
    return build_channel("other", {"kind": "apprise", **where, **options})


def test_a_message_arrives_whole_and_signed_by_no_title() -> None:
    with serve(lambda _path, _n: Said(200)) as server:
        receipt = channel_to(server, language="zh").send(EXAMPLE, "")
    assert receipt.ok
    assert "as Apprise says" in receipt.detail
    (request,) = server.seen
    text = json.loads(request.body)["message"]
    assert EXAMPLE.id in text
    assert "案号: （2025）京73民初1号" in text


def test_5000_chinese_characters_and_emoji_arrive_in_parts_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    words = "".join(
        chr(0x4E00 + number) + ("\N{PANDA FACE}" if number % 10 == 0 else "") for number in range(5000)
    )
    with serve(lambda _path, _n: Said(200)) as server:
        channel = channel_to(server)
        assert isinstance(channel, AppriseChannel)
        monkeypatch.setattr(channel.service, "body_maxlen", 1000)  # a service's limit, in characters
        part = of = 1
        while part <= of:
            receipt = channel.send(replace(EXAMPLE, sentence=None, summary=words, part=part), "")
            assert receipt.ok
            part, of = part + 1, receipt.parts
    texts = [json.loads(request.body)["message"] for request in server.seen]
    assert [text.split("\n")[0] for text in texts] == [f"({n}/{of})" for n in range(1, of + 1)]
    assert of > 1
    assert all(len(text) <= 1000 for text in texts)
    assert words in "".join(text.partition("\n")[2] for text in texts)


@pytest.mark.parametrize(
    ("said", "retry"),
    [
        (Said(400), False),
        (Said(404), False),
        (Said(429), True),
        (Said(500), True),
        (Said(close=True), True),
    ],
    ids=["400", "404", "429", "500", "closed"],
)
def test_what_is_not_taken_is_tried_again_but_for_a_4xx(said: Said, retry: bool) -> None:
    with serve(lambda _path, _n: said) as server:
        receipt = channel_to(server).send(EXAMPLE, "")
    assert (receipt.ok, receipt.retry) == (False, retry)


def test_no_redirect_is_followed() -> None:
    with serve(lambda _path, _n: Said(200)) as canary:
        with serve(lambda _path, _n: Said(302, headers={"Location": canary.url})) as server:
            receipt = channel_to(server).send(EXAMPLE, "")
        assert canary.seen == []
    assert not receipt.ok


def test_an_internal_server_that_is_not_listed_is_never_contacted() -> None:
    with serve(lambda _path, _n: Said(200)) as canary:
        receipt = channel_to(canary, allowed_private=[]).send(EXAMPLE, "")
    assert (receipt.ok, receipt.retry, canary.seen) == (False, False, [])
    assert "not a public address" in receipt.detail


def test_the_url_is_shown_nowhere(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with serve(lambda _path, _n: Said(500)) as server:
        channel = channel_to(server)
        receipt = channel.send(EXAMPLE, "")
    for text in (receipt.detail, repr(channel), caplog.text, *capfd.readouterr()):
        assert "hunter" not in text


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("nonsense hunter2", "doesn't take this URL"),
        ("wecombot://hunter2", "use the kind wecom instead"),
        ("dingtalk://hunter2", "use the kind dingtalk instead"),
        ("feishu://hunter2", "use the kind feishu instead"),
        ("lark://hunter2", "use the kind feishu instead"),
        ("schan://hunter2", "use another service instead"),
        ("json://robots.example/hunter2?redirect=yes", "redirect=yes"),
        ("tgram://123456789:abcdefg_hijklmnop/12315544/12315545", "several recipients"),
    ],
)
def test_a_url_that_cannot_be_trusted_is_refused(url: str, fault: str) -> None:
    with pytest.raises(ConfigurationError, match=f"channels.other: url: .*{fault}") as caught:
        build_channel("other", {"kind": "apprise", "url": url})
    assert "hunter" not in str(caught.value)
