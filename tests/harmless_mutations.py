"""Mutations after which a page looks and means what it did: a reader should read it as before."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from crawlers.page import Page
from tests.markup_tokens import BLOCKS, VOID, Token, join, rewrite_tag, split
from tests.mutation_subjects import Subject, as_before, find_body

_CHARSET = re.compile(r"(<meta\b[^>]*?charset\s*=\s*[\"']?)([\w-]+)", re.I)
_XML_ENCODING = re.compile(r"(<\?xml[^>]*encoding\s*=\s*[\"'])([\w-]+)", re.I)
_NAMED = {"“": "&ldquo;", "”": "&rdquo;", "—": "&mdash;", "…": "&hellip;", "·": "&middot;", "、": "&#x3001;"}


def _of_tokens(
    change: Callable[[list[Token], Random], list[Token]],
) -> Callable[[Subject, Random], Page | None]:
    def mutate(subject: Subject, random: Random) -> Page | None:
        if subject.format != "html":
            return None
        return as_before(subject, join(change(split(subject.source), random)))

    return mutate


def _space_blocks(tokens: list[Token], random: Random) -> list[Token]:
    """White space before and after the tags of blocks, where none is ever shown."""
    spaced = []
    for token in tokens:
        around = ["", ""]
        if token.tag in BLOCKS:
            around = [random.choice(("", "", "\n", "\n\t\t", "  ", " \n \n")) for _ in around]
        spaced.append(replace(token, source=around[0] + token.source + around[1]))
    return spaced


def _space_attributes(tokens: list[Token], random: Random) -> list[Token]:
    def change(token: Token) -> Token:
        if token.kind != "open" or random.random() < 0.5:
            return token
        gap = random.choice(("  ", "\n    ", "\t"))
        return replace(token, source=re.sub(r'" (?=[\w-]+=")', '"' + gap, token.source))

    return [change(token) for token in tokens]


def _order_attributes(tokens: list[Token], random: Random) -> list[Token]:
    def shuffled(attributes: list[tuple[str, str | None]]) -> list[tuple[str, str | None]]:
        return random.sample(attributes, len(attributes))

    return [rewrite_tag(token, shuffled) if token.kind == "open" else token for token in tokens]


def _quote_attributes(tokens: list[Token], random: Random) -> list[Token]:
    """Double quotes become single ones, or go where nothing needs them."""

    def requoted(found: re.Match[str]) -> str:
        value = found[2]
        if re.fullmatch(r"[\w.-]+", value) and random.random() < 0.5:
            return f"{found[1]}={value}"
        return found[0] if "'" in value else f"{found[1]}='{value}'"

    return [
        replace(token, source=re.sub(r'(\s[\w:-]+)="([^"]*)"(?!/)', requoted, token.source))
        if token.kind == "open"
        else token
        for token in tokens
    ]


def _raise_tags(tokens: list[Token], random: Random) -> list[Token]:
    """Tags, and some names of attributes, in capitals."""

    def change(token: Token) -> Token:
        if token.kind not in ("open", "close"):
            return token
        source = re.sub(r"^</?[\w:-]+", lambda name: name[0].upper(), token.source)
        if random.random() < 0.5:
            source = re.sub(r'(\s)([\w-]+)(=")', lambda name: name[1] + name[2].upper() + name[3], source)
        return replace(token, source=source)

    return [change(token) for token in tokens]


def _comment(tokens: list[Token], random: Random) -> list[Token]:
    remarks = (
        "<!-- /row -->",
        "<!--[if lt IE 9]><div class='old'>请升级浏览器</div><![endif]-->",
        '<!-- <div class="related"><a href="/old.html">旧闻</a> 2011-01-01</div> -->',
        "<!---->",
    )
    changed = []
    for token in tokens:
        if token.kind in ("open", "close", "text") and random.random() < 0.1:
            changed.append(Token("comment", random.choice(remarks)))
        changed.append(token)
    return changed


def _break_forms(tokens: list[Token], random: Random) -> list[Token]:
    """`<br>`, `<br/>` and `<br />`, and the same for all elements without an end."""
    return [
        replace(token, source=re.sub(r"\s*/?>$", random.choice((">", "/>", " />")), token.source))
        if token.kind == "open" and token.tag in VOID and not re.search(r"=[^\s\"'>]+/?>$", token.source)
        else token
        for token in tokens
    ]


def _escape(tokens: list[Token], random: Random) -> list[Token]:
    """Some characters of texts, and of attributes that hold text, as entities."""

    def escaped(text: str) -> str:
        pieces = re.split(r"(&#?\w+;)", text)
        return "".join(
            piece if piece.startswith("&") else "".join(_entity(letter, random) for letter in piece)
            for piece in pieces
        )

    def change(token: Token) -> Token:
        if token.kind == "text":  # white space alone may stand where a character would be text
            return token if token.source.isspace() else replace(token, source=escaped(token.source))
        if token.kind != "open":
            return token
        return replace(
            token,
            source=re.sub(
                r'(\s(?:title|content|alt)=")([^"]*)(")',
                lambda found: (
                    found[1] + escaped(found[2]) + found[3] if "charset" not in found[2] else found[0]
                ),
                token.source,
            ),
        )

    return [change(token) for token in tokens]


def _entity(letter: str, random: Random) -> str:
    if letter == " " and random.random() < 0.3:
        return "&nbsp;"
    if (letter.isspace() and letter != "\u3000") or random.random() < 0.8:
        return letter
    return _NAMED.get(letter) or random.choice((f"&#{ord(letter)};", f"&#x{ord(letter):x};"))


def _add_classes(tokens: list[Token], random: Random) -> list[Token]:
    def added(attributes: list[tuple[str, str | None]]) -> list[tuple[str, str | None]]:
        name = random.choice(("v-2026", "js-ready", "mt20", "clearfix"))
        if all(key.lower() != "class" for key, _ in attributes):
            return [*attributes, ("class", name)]
        return [
            (key, random.choice((f"{value} {name}", f"{name} {value}")) if key.lower() == "class" else value)
            for key, value in attributes
        ]

    return [
        rewrite_tag(token, added)
        if token.kind == "open" and token.tag in BLOCKS | {"a", "span"} and random.random() < 0.4
        else token
        for token in tokens
    ]


def _wrap_page(tokens: list[Token], random: Random) -> list[Token]:
    """All that the page shows inside one more element."""
    start = next((at for at, token in enumerate(tokens) if token.kind == "open" and token.tag == "body"), -1)
    end = next(
        (at for at, token in enumerate(tokens) if token.kind == "close" and token.tag == "body"), len(tokens)
    )
    opening, closing = random.choice(
        (('<div id="app">', "</div>"), ('<div class="w1200"><div>', "</div></div>"))
    )
    return [
        *tokens[: start + 1],
        Token("open", opening, "div"),
        *tokens[start + 1 : end],
        Token("close", closing, "div"),
        *tokens[end:],
    ]


def _wrap_body(subject: Subject, random: Random) -> Page | None:
    """The article's text inside one more element within its own."""
    tokens = split(subject.source) if subject.format == "html" else []
    block = find_body(subject, tokens)
    if block is None:
        return None
    name = random.choice(("inner", "text-wrap"))
    return as_before(
        subject,
        join(tokens[: block[0] + 1])
        + f'<div class="{name}">'
        + join(tokens[block[0] + 1 : block[1]])
        + "</div>"
        + join(tokens[block[1] :]),
    )


def _add_navigation(tokens: list[Token], random: Random) -> list[Token]:
    """A menu and scripts in front of everything, links and scripts behind it."""
    start = next((at for at, token in enumerate(tokens) if token.kind == "open" and token.tag == "body"), -1)
    end = next(
        (at for at, token in enumerate(tokens) if token.kind == "close" and token.tag == "body"), len(tokens)
    )
    number = random.randrange(1000)
    before = (
        f'<div class="skip{number}"><ul><li><a href="/about/">关于本站</a></li><li><a href="/help/">帮助</a></li>'
        f"</ul></div><script>var stamp{number} = '2020-01-01 08:00'; if (1 < 2) {{ var t = '<div>'; }}</script>"
    )
    after = (
        '<div class="relate"><a href="/map/">站点地图</a><a href="/rss/">订阅</a></div>'
        "<script>document.write('<p>' + new Date() + '</p>')</script>"
    )
    return [
        *tokens[: start + 1],
        Token("other", before),
        *tokens[start + 1 : end],
        Token("other", after),
        *tokens[end:],
    ]


def _add_metas(tokens: list[Token], random: Random) -> list[Token]:
    metas = [
        '<meta name="theme-color" content="#c00">',
        '<meta property="og:site_name" content="本站">',
        '<meta name="generator" content="CMS 9.1">',
        '<meta http-equiv="Cache-Control" content="no-transform">',
        '<meta name="robots" content="index,follow">',
    ]
    end = next((at for at, token in enumerate(tokens) if token.kind == "close" and token.tag == "head"), 0)
    if not end:
        return tokens
    spots = [
        at for at in range(end) if tokens[at].kind == "open" and tokens[at].tag in ("meta", "link", "head")
    ]
    at = random.choice(spots) + 1
    chosen = random.sample(metas, 3)
    return [*tokens[:at], Token("other", "".join(chosen)), *tokens[at:]]


def _break_lines(subject: Subject, _: Random) -> Page | None:
    return as_before(subject, re.sub(r"\r?\n", "\r\n", subject.source))


def _encode(
    name: str, *, declared: str | None, mark: bytes = b""
) -> Callable[[Subject, Random], Page | None]:
    """The page in an encoding, with a declaration in header and markup, or none. JSON declares in the header only."""

    def mutate(subject: Subject, _: Random) -> Page | None:
        source = subject.source.lstrip("\ufeff")
        if declared is None:
            source = re.sub(r"<meta\b[^>]*charset[^>]*>|^\s*<\?xml[^>]*>\s*", "", source, flags=re.I)
        for pattern in (_CHARSET, _XML_ENCODING):
            source = pattern.sub(lambda found: found[1] + str(declared), source)
        headers = {key: value for key, value in subject.page.headers.items() if key != "content-type"}
        kind = subject.page.headers.get("content-type", "text/html").split(";")[0]
        headers["content-type"] = f"{kind}; charset={declared}" if declared else kind
        return replace(subject.page, body=mark + source.encode(name), headers=headers)

    return mutate


def _of_json(change: Callable[[Any, Random], str]) -> Callable[[Subject, Random], Page | None]:
    def mutate(subject: Subject, random: Random) -> Page | None:
        if subject.format != "json":
            return None
        return as_before(subject, change(json.loads(subject.source.lstrip("\ufeff"), strict=False), random))

    return mutate


def _print_anew(value: Any, random: Random) -> str:
    return json.dumps(value, ensure_ascii=random.random() < 0.5, indent=random.choice((None, 1, "\t")))


def _order_keys(value: Any, random: Random) -> str:
    def shuffled(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: shuffled(part[key]) for key in random.sample(list(part), len(part))}
        return [shuffled(item) for item in part] if isinstance(part, list) else part

    return json.dumps(shuffled(value), ensure_ascii=False)


def _add_keys(value: Any, random: Random) -> str:
    def more(part: Any) -> Any:
        if isinstance(part, dict):
            return {
                f"_x{random.randrange(99)}": None,
                **{key: more(inner) for key, inner in part.items()},
                "_v": 2,
            }
        return [more(item) for item in part] if isinstance(part, list) else part

    return json.dumps(more(value), ensure_ascii=False)


HARMLESS: dict[str, Callable[[Subject, Random], Page | None]] = {
    "white_space": _of_tokens(_space_blocks),
    "attribute_space": _of_tokens(_space_attributes),
    "attribute_order": _of_tokens(_order_attributes),
    "attribute_quotes": _of_tokens(_quote_attributes),
    "upper_case_tags": _of_tokens(_raise_tags),
    "comments": _of_tokens(_comment),
    "break_forms": _of_tokens(_break_forms),
    "entities": _of_tokens(_escape),
    "more_classes": _of_tokens(_add_classes),
    "page_wrapped": _of_tokens(_wrap_page),
    "body_wrapped": _wrap_body,
    "more_navigation": _of_tokens(_add_navigation),
    "more_metas": _of_tokens(_add_metas),
    "crlf": _break_lines,
    "gb18030": _encode("gb18030", declared="gb18030"),
    "gb18030_as_gb2312": _encode("gb18030", declared="gb2312"),
    "gb18030_undeclared": _encode("gb18030", declared=None),
    "gb18030_as_utf8": _encode("gb18030", declared="utf-8"),
    "gb18030_as_latin1": _encode("gb18030", declared="iso-8859-1"),
    "utf8_as_gb2312": _encode("utf-8", declared="gb2312"),
    "utf8_bom": _encode("utf-8", declared="utf-8", mark=codecs.BOM_UTF8),
    "utf16_bom": _encode("utf-16-le", declared=None, mark=codecs.BOM_UTF16_LE),
    "json_print": _of_json(_print_anew),
    "json_order": _of_json(_order_keys),
    "json_more_keys": _of_json(_add_keys),
}
