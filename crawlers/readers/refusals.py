"""Answers of a web server that are no content, recognised before any reading (all sites but WeChat).

A challenge page is nearly empty to the eye, so a marker counts only where little text is visible: an article
that quotes one, or a `<noscript>` hint inside a full page, is no challenge.

History of the challenges met on Chinese government sites (2023 to 2026):

- Knownsec (`__jsl_clearance`, `__jsluid_h`): HTTP 521 or 200 with a script that sets the cookie (MPS, CAC).
- Ruishu (`$_ts`): HTTP 412 or 202 with rotating cookies (NHC; cpquery, ggfw and pss-system of CNIPA).
- `C3VK` (Chinatax) and `CT6T` (MOJ): 200 or 302 to itself with a cookie to replay (in the header Set-Cookie).
- Tencent's `TCaptcha` and EdgeOne (MOHRSS), Alibaba's `acw_sc__v2`, Cloudflare's `_cf_chl_opt`,
  `https_waf_cookie` (courts).

One without any of these names is known by what it does, where the page has neither text nor links.
"""

from __future__ import annotations

import re

from crawlers.errors import Blocked, Gone, LayoutChanged
from crawlers.page import Page
from crawlers.readers.body import Body
from crawlers.readers.wholeness import refuse_no_article, refuse_unreadable

MARKERS = {
    "__jsl_clearance": "verification",
    "__jsluid": "verification",
    "C3VK": "verification",
    "CT6T": "verification",
    "acw_sc__v2": "verification",
    "https_waf_cookie": "verification",
    "$_ts": "verification",
    "TCaptcha": "verification",
    "EdgeOne": "verification",
    "请开启JavaScript": "verification",
    "请开启 JavaScript": "verification",
    "滑动验证": "verification",
    "安全验证": "verification",
    "访问过于频繁": "frequency",
    "操作过于频繁": "frequency",
    "访问被拦截": "refused",
    "访问被阻断": "refused",
    "请求疑似攻击": "refused",
    "网站防火墙": "refused",
    "网站管理员设置拦截": "refused",
    "_cf_chl_opt": "verification",
    'type="password"': "login",
}
# Cookies that are set with a challenge only; `__jsluid` also comes with ordinary pages.
_COOKIES = ("__jsl_clearance", "C3VK", "CT6T", "acw_sc__v2")
_LITTLE_TEXT = 200  # characters; the navigation and the footer of an ordinary page alone have more
# Many in a row are one match; not without bound, since the machine of `re` remembers each.
_INVISIBLE = re.compile(r"(?:<!--.*?-->|<(script|style)\b.*?(?:</\1\s*>|\Z)|<[^>]*>|\s+){1,100}", re.S | re.I)
# A password field alone is none: portals have one beside their news.
_LOGIN_FIELD = re.compile(r"<input\b[^<>]*\btype\s*=\s*[\"']?password\b", re.I)
# Beside that field, and of an article: portals have hints beside theirs, too, on what members may see besides.
_ASKED_TO_LOG_IN = re.compile(
    r"登[录陆入]后(?:(?:方可|才能)(?:继续)?|(?:可以?)?继续)(?:查看|访问|阅读|浏览)(?![^<\s]{0,4}评论)"
    r"|登[录陆入]后(?:可以?)?(?:查看|阅读|浏览)(?:全文|本文|正文|完整)"
    r"|(?:sign|log)\s?in (?:or \w+ )?to (?:continue\b|(?:read|access) th(?:is|e)\b)",
    re.I,
)
_BESIDE = 500  # characters of source
_TITLE_LOGIN = re.compile(
    r"<title[^<>]*>\s*(?:[^<]*(?:登录|登陆|登入|统一身份认证|统一认证)|(?:sign|log)[\s-]?in\b)[^<]*</title",
    re.I,
)
# What servers and firewalls write over an answer that is saved without its status.
_TITLE_REFUSED = re.compile(
    r"<title[^<>]*>\s*(?:(?P<status>4(?:0[035]|12|29)|5\d\d)\s*(?:[-–—|:：][^<]*)?|(?P<number>[45]\d\d )?[^<]{0,8}"
    r"(?:Forbidden|Access Denied|Too Many Requests|Bad Gateway|Service (?:Temporarily )?Unavailable|Gateway Time-?out"
    r"|Internal Server Error|访问(?:受限|禁止|被拒绝)|拒绝访问|禁止访问)(?:\s*[-–—|:：][^<]*|[^<]{0,8}))</title",
    re.I,
)
_LINK = re.compile(r"<a\s", re.I)
_SCRIPT = re.compile(r"<script\b[^<>]*>(.*?)(?:</script|\Z)", re.I | re.S)
_SETS_COOKIE = re.compile(r"document\.cookie\s*=(?!=)")
_ASKS_AGAIN = re.compile(r"\blocation(?:\.href)?\s*=(?!=)|\blocation\.(?:reload|replace|assign)\s*\(")
# Ruishu's scripts and metas carry r="m".
_RUISHU = re.compile(r"<(?:script|meta)\b[^<>]*\sr\s*=\s*[\"']m[\"']", re.I)
_ITSELF_AGAIN = re.compile(
    r"<meta\b(?=[^<>]*http-equiv\s*=\s*[\"']?refresh\b)[^<>]*content\s*=\s*[\"']?\s*\d+\s*;?\s*[\"'/>]", re.I
)
_TITLE_GONE = re.compile(
    r"<title[^<>]*>\s*(?:404\b|[^<]*(?:404 Not Found|页面不存在|页面未找到|找不到页面|页面已删除))"
    r"[^<]*</title",
    re.I,
)


def refuse_blocked(page: Page) -> None:
    """Raise what stands in the way of reading, if anything does. Every reader calls this first.

    Raises Blocked for a refusing status, and for a challenge, a refusal, a frequency limit or a login that came with
    another one; Gone (`unavailable`) for 404, 410 and an error page that calls itself one in its title; LayoutChanged
    for a page in another encoding than it declares.
    """
    refuse_status(page)
    if page.body.startswith(b"%PDF-"):
        return
    little = _has_little_text(page)
    if little and (marker := _marker(page)):
        raise Blocked(url=page.url, reason=MARKERS[marker], evidence=marker)
    field = _at(page, "input", _LOGIN_FIELD)
    if field and (little or _at(page, "title", _TITLE_LOGIN) or _asks_to_log_in(page, field)):
        raise Blocked(url=page.url, reason="login", evidence="a field for a password")
    if page.status == 202 and "<script" in page.text and little:
        raise Blocked(url=page.url, reason="verification", evidence="http 202 with a script")
    if little:
        _refuse_unnamed(page)
    gone = _at(page, "title", _TITLE_GONE)
    if gone:
        raise Gone(url=page.url, kind="unavailable", evidence=gone.group())
    refuse_unreadable(page)


def _refuse_unnamed(page: Page) -> None:
    """Raise Blocked for a nearly empty page that is a challenge or a refusal without any of the known names.

    A page with a link is no challenge: a short notice has some, and its scripts count visitors with cookies.
    """
    if found := _at(page, "title", _TITLE_REFUSED):
        status = found["status"] or found["number"]
        reason = f"http {status.strip()}" if status else "refused"
        raise Blocked(url=page.url, reason=reason, evidence=found.group())
    if _LINK.search(page.text):
        return
    scripts = (script[1] for script in _SCRIPT.finditer(page.text))
    if any(_SETS_COOKIE.search(script) and _ASKS_AGAIN.search(script) for script in scripts):
        raise Blocked(
            url=page.url, reason="verification", evidence="a script that sets a cookie and asks again"
        )
    if _RUISHU.search(page.text):
        raise Blocked(url=page.url, reason="verification", evidence='scripts with r="m"')
    if _ITSELF_AGAIN.search(page.text):
        raise Blocked(url=page.url, reason="redirect loop", evidence="a page that loads itself again")


def refuse_status(page: Page) -> None:
    """Raise what the status alone says.

    Raises Blocked for 400 and above (Gone for 404 and 410), and for a redirect: a reader sees only one that leads
    where the request has been already.
    """
    if page.status in (404, 410):
        raise Gone(url=page.url, kind="unavailable", evidence=f"http {page.status}")
    if page.status >= 400:
        raise Blocked(url=page.url, reason=f"http {page.status}", evidence=_marker(page) or "no known marker")
    if page.status >= 300:
        marker = _marker(page)
        raise Blocked(
            url=page.url,
            reason=MARKERS[marker] if marker else "redirect loop",
            evidence=marker or f"http {page.status} to {page.headers.get('location', 'nowhere')}",
        )


def note_empty_body(page: Page, body: Body) -> str | None:
    """Why the body has no text, or None where it has.

    Raises LayoutChanged when nothing explains it, and for a text that is no article's (a menu, a message).
    """
    if body.text:
        refuse_no_article(page, body)
        return None
    if body.attachments:
        return "full text in attachment"
    if body.images:
        return "body not readable: text in images"
    raise LayoutChanged(
        url=page.url, expected="text, attachments or images in the body", found="an empty body"
    )


def _at(page: Page, tag: str, pattern: re.Pattern[str]) -> re.Match[str] | None:
    """The first match of a pattern that begins with this tag, which is one of `Page.openings`."""
    return next(filter(None, (pattern.match(page.text, start) for start in page.openings[tag])), None)


def _asks_to_log_in(page: Page, field: re.Match[str]) -> bool:
    beside = page.text[max(0, field.start() - _BESIDE) : field.end() + _BESIDE]
    return _ASKED_TO_LOG_IN.search(beside) is not None


def _has_little_text(page: Page) -> bool:
    """Whether hardly anything is visible. An ordinary page is known by its first few kilobytes."""
    visible, end = 0, 0
    for hidden in _INVISIBLE.finditer(page.text):
        visible += hidden.start() - end
        if visible >= _LITTLE_TEXT:
            return False
        end = hidden.end()
    return visible + len(page.text) - end < _LITTLE_TEXT


def _marker(page: Page) -> str | None:
    cookies = page.headers.get("set-cookie", "")
    found = next((marker for marker in MARKERS if marker in page.text), None)
    return found or next((cookie for cookie in _COOKIES if cookie in cookies), None)
