"""What WeChat's message pages say, in the languages that they say it in."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crawlers.errors import Gone, LayoutChanged
from crawlers.page import Page
from crawlers.readers import wechat


def message(words: str) -> Page:
    source = f'<html><body><div class="weui-msg__title warn">{words}</div></body></html>'
    return Page(
        "https://mp.weixin.qq.com/s/Ip0watch0Message00000",
        source.encode(),
        datetime(2026, 11, 20, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("此內容已被發佈者刪除", "deleted"),
        ("This content has been deleted by the publisher", "deleted"),
        ("此內容因違規無法查看", "violation"),
        ("This content cannot be viewed as it violates the rules of the platform.", "violation"),
        ("該連結已過期", "expired"),
        ("The link has expired.", "expired"),
        ("該內容暫時無法查看", "unavailable"),
        ("This content is temporarily unavailable", "unavailable"),
    ],
)
def test_a_tombstone_is_gone_in_every_language(words: str, kind: str) -> None:
    with pytest.raises(Gone) as caught:
        wechat.kind_of(message(words))
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    "words", ["Your request violates our terms", "The content violators speak", "Try again later"]
)
def test_another_message_is_no_tombstone(words: str) -> None:
    with pytest.raises(LayoutChanged):
        wechat.kind_of(message(words))
