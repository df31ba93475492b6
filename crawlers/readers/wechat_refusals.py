"""WeChat's pages that are no content: tombstones, challenges, error answers.

History, from pages of 2018 to 2026: tombstones are small (1 to 39 KB), answer 200 and follow the reader's
Accept-Language. The challenge ("环境异常") is said to be 1.5 to 2 MB, so size tells nothing, and no real one
was at hand: its marks are those that many public scrapers agree on. Words prove nothing alone, either: a
live article may be about them, and every live article of 2025 on carries `已被删除` in a script. So `refuse`
is for pages that have neither an article's body nor its script values.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn
from urllib.parse import urlsplit

from crawlers.errors import Blocked, Gone, LayoutChanged
from crawlers.page import Page
from crawlers.readers.body import read_body
from crawlers.readers.refusals import refuse_blocked

CHALLENGE_PATH = "/mp/wappoc_appmsgcaptcha"

_TOMBSTONES = {
    "该内容已被发布者删除": "deleted",
    "The content has been deleted by the author.": "deleted",
    "此内容因违规无法查看": "violation",
    "该内容暂时无法查看": "unavailable",
    "链接已过期": "expired",
}
# No real page of these was at hand: the words are those that several public scrapers know, since 2018.
_FURTHER_TOMBSTONES = {
    "deleted": re.compile(
        "[内內]容已被[发發][布佈]者[删刪]除|has been deleted by the (?:author|publisher)",
        re.IGNORECASE,
    ),
    "account": re.compile(
        "此?[帐账]号已被屏蔽|此?[帐账]号已(?:自主)?注销|[帐账]号处于[帐账]号迁移|[帐账]号已申请.{0,6}迁移|该公众号已(?:迁移|被封禁)"
        "|原[帐账]号迁移时未将文章"
    ),
    "violation": re.compile(
        "被投诉且经审核涉嫌侵权|被多人投诉|涉嫌违反相关法律法规和政策|[内內]容因[违違][规規][无無]法查看"
        "|content .{0,80}violat(?:e[sd]?|ing|ions?)\\b",
        re.IGNORECASE,
    ),
    "expired": re.compile("(?:链接|鏈接|連結)已[过過]期|link has expired", re.IGNORECASE),
    "unavailable": re.compile(
        "此内容发送失败无法查看|[内內]容[暂暫][时時][无無]法查看|content is (?:currently |temporarily )?unavailable",
        re.IGNORECASE,
    ),
}
_CHALLENGES = {
    "wappoc_appmsgcaptcha": "verification",
    "secitptpage/template/verify": "verification",
    'id="js_verify"': "verification",
    "环境异常": "verification",
    "操作频繁": "frequency",
    "访问过于频繁": "frequency",
}
_ANSWERS = {200013: "frequency", 200003: "login"}
_MESSAGE = re.compile(
    rb"""<(div|h2|p)\s[^<>]*?class=["'][^"'<>]*weui-msg__title[^"'<>]*["'][^<>]*>(.*?)</\1\s*>""", re.S
)
_MESSAGE_LENGTH = 2000


def refuse(page: Page, expected: str) -> NoReturn:
    """Say what a page is that has no content.

    Raises Gone for a tombstone, Blocked for a challenge (WeChat's own, or one of a server in between), a login or a
    frequency limit, else LayoutChanged with `expected` as what was looked for.
    """
    if urlsplit(page.url).path == CHALLENGE_PATH:
        raise Blocked(url=page.url, reason="verification", evidence=f"redirected to {CHALLENGE_PATH}")
    if page.body.lstrip()[:1] == b"{":
        refuse_answer(page, read_json(page, expected), expected)
    message = _message(page.body)
    further = (kind for kind, words in _FURTHER_TOMBSTONES.items() if words.search(message))
    if kind := _TOMBSTONES.get(message) or next(further, None):
        raise Gone(url=page.url, kind=kind, evidence=f"the page says {message!r}")
    for mark, reason in _CHALLENGES.items():
        if mark.encode() in page.body:
            raise Blocked(url=page.url, reason=reason, evidence=f"{mark} in a page without content")
    refuse_blocked(page)
    found = f"a page that says {message!r}" if message else f"{len(page.body)} bytes with neither"
    raise LayoutChanged(url=page.url, expected=expected, found=found)


def read_json(page: Page, expected: str) -> dict[str, Any]:
    """The page as a JSON object. Raises LayoutChanged where it is none."""
    try:
        answer = json.loads(page.text.lstrip("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise LayoutChanged(url=page.url, expected=expected, found=f"broken JSON ({error})") from error
    if not isinstance(answer, dict):
        raise LayoutChanged(url=page.url, expected=expected, found=f"JSON that is a {type(answer).__name__}")
    return answer


def refuse_answer(page: Page, answer: dict[str, Any], expected: str) -> NoReturn:
    """Say why a JSON answer holds no content.

    Raises Blocked for the codes of a frequency limit (200013) and of an expired session (200003), else
    LayoutChanged.
    """
    base = answer.get("base_resp")
    code = base.get("ret") if isinstance(base, dict) else None
    if code in _ANSWERS:
        raise Blocked(url=page.url, reason=_ANSWERS[code], evidence=f"base_resp.ret {code}")
    raise LayoutChanged(url=page.url, expected=expected, found=f"JSON with base_resp.ret {code!r}")


def _message(body: bytes) -> str:
    """What a message page says in its headline, "" where the page is none."""
    at = body.find(b"weui-msg__title")
    while at >= 0:
        opening = body.rfind(b"<", 0, at)
        found = _MESSAGE.match(body, opening, at + _MESSAGE_LENGTH)
        if found:
            return read_body(found[2].decode("utf-8", "replace"), "").text
        at = body.find(b"weui-msg__title", at + 1)
    at = body.find(b'class="mesg-block"')
    if at >= 0:
        block = body[at + len(b'class="mesg-block">') : body.find(b"</div", at)]
        return read_body(block.decode("utf-8", "replace"), "").text
    return ""
