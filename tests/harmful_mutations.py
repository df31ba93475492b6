"""Mutations that take something from a page, exchange it, or put something else in its place.

A hole takes whole tokens (tags, comments, texts): a headline that lacks some characters is a headline, and no
reader can know. In lists it takes whole elements: half of one row and half of the next make a row.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from crawlers.page import Page
from pipeline.dates import SHANGHAI
from tests.markup_tokens import Token, elements, join, rewrite_tag, split, squeeze, text_of
from tests.mutation_subjects import Subject, as_before, find_body

_DATE = re.compile(
    r"(?<![\d/])(?P<year>(?:19|20)\d{2})(?P<one>\s*年\s*|[-/.])(?P<month>\d{1,2})(?P<two>\s*月\s*|[-/.])"
    r"(?P<day>\d{1,2})(?P<three>\s*日)?(?!\d)(?P<clock>[\sT-]*\d{1,2}:\d{2}(?::\d{2})?)?"
)
_EMPTY_BRACKETS = re.compile(r"(?<=>)[\[（(]\s*[\]）)](?=<)")
_UNIX = re.compile(r"(?<!\d)1[5-9]\d{8}(?:\d{3})?(?!\d)")
_LABELS = re.compile(r"发布时间|发布日期|(?<=[>\s　])(?:时间|日期)(?=[：:])")
_CHALLENGES = (
    "<html><head><script>document.cookie='__jsl_clearance=1|0|x';location.reload()</script></head><body></body></html>",
    "<!DOCTYPE html><html><head><meta charset=\"utf-8\"><title></title></head><body><script>$_ts=window['$_ts'];</script>"
    "<noscript>请开启JavaScript并刷新页面</noscript></body></html>",
    "<html><head><title>安全验证</title></head><body><div>请完成滑动验证后继续访问</div></body></html>",
)
_ERRORS = (
    "系统繁忙，请稍后再试。",
    "您访问的页面不存在或已被删除！",
    "抱歉，服务器内部错误，错误代码：500",
    "您的访问过于频繁，请稍后再试",
    "404 Not Found",
    "数据库连接失败",
    "该信息不存在或您没有权限查看",
    "Error establishing a database connection",
    "请先登录后查看全文",
    "内容加载中，请稍候…",
)


def _truncate(subject: Subject, random: Random) -> Page:
    return replace(subject.page, body=subject.page.body[: random.randrange(1, len(subject.page.body))])


def _truncate_in_content(subject: Subject, random: Random) -> Page | None:
    """The page up to somewhere in the article's text, or in the part of a list that has its rows."""
    encoded = subject.page.body
    if subject.is_list:
        marks = [encoded.find(url.rsplit("/", 1)[-1].encode()) for url, _, _, _ in subject.fields.entries]
        start, end = min(marks), max(marks) + 60
    else:
        tokens = split(subject.source) if subject.format == "html" else []
        block = find_body(subject, tokens)
        if block is None:
            return None
        start = len(as_before(subject, join(tokens[: block[0]])).body)
        end = len(as_before(subject, join(tokens[: block[1] + 1])).body)
    end = min(end, len(encoded))
    return replace(subject.page, body=encoded[: random.randrange(start, end)]) if 0 < start < end else None


def _hole(subject: Subject, random: Random) -> Page | None:
    tokens = split(subject.source) if subject.format == "html" else []
    if len(tokens) < 10:
        return None
    if subject.is_list:
        gone = random.choice(elements(tokens))
        return as_before(subject, join(tokens[: gone.opening] + tokens[gone.closing + 1 :]))
    start = random.randrange(len(tokens))
    length = random.choice((1, 2, 3, 5, 8, 20, 50, len(tokens) // 2))
    return as_before(subject, join(tokens[:start] + tokens[start + length :]))


def _mandatory(subject: Subject, tokens: list[Token]) -> Iterator[tuple[int, int]]:
    """The blocks that hold title, day or body, and the metas that state them, as first and last token."""
    fields = subject.fields
    body = find_body(subject, tokens)
    if body:
        yield body
    for element in elements(tokens):
        if element.closing - element.opening > 12 or (body and body[0] < element.opening < body[1]):
            continue
        text = text_of(tokens[element.opening : element.closing])
        if text and (text == squeeze(fields.title) or (len(text) < 120 and _names_day(text, fields.day))):
            yield element.opening, element.closing
    for at, token in enumerate(tokens):
        if token.tag == "meta" and (fields.title in token.source or _names_day(token.source, fields.day)):
            yield at, at


def _names_day(text: str, day: date | None) -> bool:
    return day is not None and any(_day_of(found) == day for found in _DATE.finditer(text))


def _day_of(found: re.Match[str]) -> date | None:
    try:
        return date(int(found["year"]), int(found["month"]), int(found["day"]))
    except ValueError:
        return None


def _remove_block(subject: Subject, random: Random) -> Page | None:
    if subject.format != "html":
        return None
    tokens = split(subject.source)
    if subject.is_list:
        blocks = [(element.opening, element.closing) for element in elements(tokens)]
    else:
        blocks = list(_mandatory(subject, tokens))
    if not blocks:
        return None
    start, end = random.choice(blocks)
    return as_before(subject, join(tokens[:start] + tokens[end + 1 :]))


def _double_block(subject: Subject, random: Random) -> Page | None:
    """A mandatory block twice: the same again, or one with another text, behind it or in front of it."""
    blocks = []
    tokens = split(subject.source) if subject.format == "html" else []
    if not subject.is_list:
        blocks = list(_mandatory(subject, tokens))
    if not blocks:
        return None
    start, end = random.choice(blocks)
    copy = tokens[start : end + 1]
    if random.random() < 0.7:
        copy = [_other_text(token) for token in copy]
    at = random.choice((start, end + 1))
    return as_before(subject, join(tokens[:at] + copy + tokens[at:]))


def _other_text(token: Token) -> Token:
    if token.tag == "meta":
        return replace(token, source=re.sub(r'content="([^"]*)"', r'content="另一篇\1"', token.source))
    if token.kind != "text" or not token.source.strip():
        return token
    return replace(token, source=re.sub(r"\w{4,}", "另一篇文章的文字", token.source, count=1))


def _rename_classes(subject: Subject, random: Random) -> Page | None:
    """A new template: all classes and ids have other names, or every third."""
    if subject.format != "html":
        return None
    share = random.choice((1.0, 0.33))

    def renamed(attributes: list[tuple[str, str | None]]) -> list[tuple[str, str | None]]:
        return [
            (key, f"v2-{value}" if key in ("class", "id") and random.random() < share else value)
            for key, value in attributes
        ]

    tokens = split(subject.source)
    return as_before(
        subject, join(rewrite_tag(token, renamed) if token.kind == "open" else token for token in tokens)
    )


def _swap_body(subject: Subject, random: Random) -> Page | None:
    """The article's text and a menu in each other's place."""
    tokens = split(subject.source) if subject.format == "html" else []
    body = find_body(subject, tokens)
    menus = [
        (element.opening, element.closing)
        for element in elements(tokens)
        if body
        and not (body[0] <= element.opening <= body[1] or element.opening <= body[0] <= element.closing)
        and sum(
            token.kind == "open" and token.tag == "a" for token in tokens[element.opening : element.closing]
        )
        >= 3
    ]
    if body is None or not menus:
        return None
    menu = random.choice(menus)
    one, other = sorted((body, menu))
    return as_before(
        subject,
        join(
            tokens[: one[0] + 1]
            + tokens[other[0] + 1 : other[1]]
            + tokens[one[1] : other[0] + 1]
            + tokens[one[0] + 1 : one[1]]
            + tokens[other[1] :]
        ),
    )


def _empty_title(subject: Subject, random: Random) -> Page | None:
    """The title gone from one of the places that state it, or from all."""
    if subject.is_list:
        return None
    title = subject.fields.title
    spots = [found.start() for found in re.finditer(re.escape(title), subject.source)]
    if not spots or (subject.reader == "wechat" and find_body(subject, split(subject.source)) is None):
        return None  # WeChat's posts need no headline: they are called by their first line
    gone = spots if random.random() < 0.5 else [random.choice(spots)]
    source = subject.source
    for at in reversed(gone):
        source = source[:at] + source[at + len(title) :]
    return as_before(subject, source)


def _change_dates(
    change: Callable[[re.Match[str]], str], unix: str
) -> Callable[[Subject, Random], Page | None]:
    """Every statement of the article's day, or of all days of a list, outside the article's text."""

    def mutate(subject: Subject, _: Random) -> Page | None:
        days = {subject.fields.day, *(entry[2] for entry in subject.fields.entries)}

        def changed(found: re.Match[str]) -> str:
            return change(found) if _day_of(found) in days else found[0]

        def changed_number(found: re.Match[str]) -> str:
            seconds = int(found[0][:10])
            return unix if datetime.fromtimestamp(seconds, SHANGHAI).date() in days else found[0]

        titles = [subject.fields.title, *(title for _, title, _, _ in subject.fields.entries)]
        in_titles = re.compile("(" + "|".join(re.escape(title) for title in titles if title) + ")")

        def change_all(text: str) -> str:
            pieces = in_titles.split(text)
            pieces[::2] = [
                _EMPTY_BRACKETS.sub("", _UNIX.sub(changed_number, _DATE.sub(changed, piece)))
                for piece in pieces[::2]
            ]
            return "".join(pieces)

        if subject.format != "html":
            return as_before(subject, change_all(subject.source))
        tokens = split(subject.source)
        body = find_body(subject, tokens) or (0, 0)
        return as_before(
            subject,
            change_all(join(tokens[: body[0]]))
            + join(tokens[slice(*body)])
            + change_all(join(tokens[body[1] :])),
        )

    return mutate


def _impossible(found: re.Match[str]) -> str:
    clock = (found["clock"] or "").replace(":", ":9")
    return f"{found['year']}{found['one']}13{found['two']}45{found['three'] or ''}{clock}"


_without_date = _change_dates(lambda _: "", "0")
_with_impossible_date = _change_dates(_impossible, "9999999999")


def _date_of_footer(subject: Subject, random: Random) -> Page | None:
    """The date and its label gone; the footer says when the site was last changed."""
    page = _without_date(subject, random) if subject.format == "html" and not subject.is_list else None
    if page is None:
        return None
    source = _LABELS.sub("", replace(subject, page=page).source)
    day = (subject.page.fetched_at.astimezone(SHANGHAI) - timedelta(days=random.randrange(2, 30))).date()
    if day == subject.fields.day:
        return None
    footer = random.choice(
        ("网站更新：{}", "最后更新时间：{} 08:00", "版权所有 2009-2026　更新日期：{}", "今天是{}")
    )
    at = source.lower().rfind("</body")
    line = f'<div class="footer"><p>{footer.format(day.isoformat())}</p></div>'
    return as_before(subject, source[:at] + line + source[at:]) if at >= 0 else None


def _relabel_date(subject: Subject, random: Random) -> Page | None:
    if subject.is_list:
        return None
    return as_before(
        subject, _LABELS.sub(random.choice(("更新时间", "打印时间", "有效期至", "")), subject.source)
    )


def _without_links(subject: Subject, random: Random) -> Page | None:
    """A list whose rows no longer lead anywhere."""
    if not subject.is_list:
        return None
    source = re.sub(r"(<a\b[^>]*?)\shref\s*=\s*\\?[\"'][^\"']*[\"']", r"\1", subject.source, flags=re.I)
    if subject.format == "json":
        source = re.sub(r'("(?:url|URL|link)"\s*:\s*)"[^"]*"', r'\1""', source)
    return as_before(subject, source)


def _challenge(subject: Subject, random: Random) -> Page:
    return replace(subject.page, body=random.choice(_CHALLENGES).encode())


def _challenge_in_page(subject: Subject, random: Random) -> Page | None:
    """The page's frame as ever, and in the place of its content a demand or an error."""
    if subject.format != "html":
        return None
    tokens = split(subject.source)
    block = find_body(subject, tokens)
    if block is None:
        return None
    text = f"<p>{random.choice(_ERRORS)}</p>"
    return as_before(subject, join(tokens[: block[0] + 1]) + text + join(tokens[block[1] :]))


def _error_page(subject: Subject, random: Random) -> Page:
    text = random.choice(_ERRORS)
    if subject.format == "json":
        body = random.choice(
            (
                json.dumps({"code": 500, "success": False, "msg": text, "data": None}, ensure_ascii=False),
                text,
                "[]",
                "{}",
            )
        )
    else:
        body = (
            f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>{text}</title></head>'
            f"<body><div class='detail' id='zoom'><h1>{text}</h1><p>{text}</p></div></body></html>"
        )
    return replace(subject.page, body=body.encode())


def _concatenate(subject: Subject, random: Random) -> Page | None:
    """Two pages in one answer, or two articles in one page."""
    if subject.other is None:
        return None
    pages = [subject.page, subject.other]
    if subject.format == "html" and not subject.is_list and random.random() < 0.5:
        tokens = split(subject.source)
        inside = re.search(r"<body[^>]*>(.*)</body", replace(subject, page=subject.other).source, re.S | re.I)
        at = next(
            (at for at, token in enumerate(tokens) if token.kind == "close" and token.tag == "body"), None
        )
        start = next(
            (at for at, token in enumerate(tokens) if token.kind == "open" and token.tag == "body"), None
        )
        if inside is None or at is None or start is None:
            return None
        spot = random.choice((at, start + 1))
        return as_before(subject, join(tokens[:spot]) + inside[1] + join(tokens[spot:]))
    random.shuffle(pages)
    return replace(subject.page, body=pages[0].body + pages[1].body)


def _of_json(change: Callable[[Any, str], None]) -> Callable[[Subject, Random], Page | None]:
    """The JSON with one key, at every place where it stands, changed."""

    def mutate(subject: Subject, random: Random) -> Page | None:
        if subject.format != "json":
            return None
        value = json.loads(subject.source.lstrip("\ufeff"), strict=False)
        keys = sorted(set(_keys(value)))
        if not keys:
            return None
        _change_everywhere(value, random.choice(keys), change)
        return as_before(subject, json.dumps(value, ensure_ascii=False))

    return mutate


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _keys(part)


def _change_everywhere(value: Any, key: str, change: Callable[[Any, str], None]) -> None:
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _change_everywhere(part, key, change)
    if isinstance(value, dict) and key in value:
        change(value, key)


def _rename_key(part: Any, key: str) -> None:
    part[f"{key}_v2"] = part.pop(key)


def _drop_key(part: Any, key: str) -> None:
    del part[key]


def _retype_key(part: Any, key: str) -> None:
    value = part[key]
    part[key] = [value] if isinstance(value, str) else str(value) if isinstance(value, (int, float)) else 7


HARMFUL: dict[str, Callable[[Subject, Random], Page | None]] = {
    "truncated": _truncate,
    "truncated_in_content": _truncate_in_content,
    "hole": _hole,
    "block_removed": _remove_block,
    "block_doubled": _double_block,
    "classes_renamed": _rename_classes,
    "body_swapped": _swap_body,
    "title_emptied": _empty_title,
    "date_removed": _without_date,
    "date_impossible": _with_impossible_date,
    "date_of_footer": _date_of_footer,
    "date_relabelled": _relabel_date,
    "links_removed": _without_links,
    "challenge": _challenge,
    "challenge_in_page": _challenge_in_page,
    "error_page": _error_page,
    "concatenated": _concatenate,
    "json_renamed": _of_json(_rename_key),
    "json_missing": _of_json(_drop_key),
    "json_retyped": _of_json(_retype_key),
}
