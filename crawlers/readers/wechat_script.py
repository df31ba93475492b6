"""Values out of the scripts that WeChat's server prints into its pages.

Two shapes carry them: variables (`var mid = "" || "2247484420" || "";`, `window.biz = '' || 'Mzg…';`,
`var nickname = htmlDecode("…");`) and, since autumn 2025 in every kind of article, one object literal
(`window.cgiDataNew = {…}`) whose values are wrapped (`JsDecode('…')`, `'8' * 1`) or, in pages saved while
logged in, plain quoted strings. Nothing is executed here; an expression that would need it
(`'' === 'true'`, `a ? b : c`) reads as None.
"""

from __future__ import annotations

import html
import re
from typing import TypeAlias

Value: TypeAlias = "str | list[Value] | dict[str, Value] | None"

_KEY = re.compile(r"\s*(?:(\})|,|([\w$]+|'[^']*'|\"[^\"]*\")\s*:)")
_PLAIN_STRING = re.compile(r"\s*(?:JsDecode\()?'([^'\\]*)'\)?(?:\s*\*\s*1)?\s*(?=[,}\]])")
_PIECE = re.compile(r"\s*(?:([,;}\]]|$)|(['\"])|([()])|([^\s'\"{}\[\],;()]+))")
_NEEDS_EXECUTION = frozenset(("?", "===", "!==", "==", "!=", "+", "&&", "!"))
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))", re.S)
_SURROGATE = re.compile("[\ud800-\udfff]")
_LETTER_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}


def read_object(source: str, start: int) -> dict[str, Value]:
    """Read the object literal that opens at `source[start]`; strings stay escaped as printed.

    Of several strings joined by `||` the first that is not empty is the value. Raises ValueError where the
    text is no such literal.
    """
    if source[start : start + 1] != "{":
        raise ValueError(f"no object at offset {start}")
    try:
        return _object(source, start + 1)[0]
    except RecursionError:
        raise ValueError(f"an object nested too deep, from offset {start}") from None


def read_variable(source: str, name: str) -> str | None:
    """The first `var name = "…"` or `window.name = "…"` with a text, unescaped; None where there is none."""
    opening = rf"(?<![\w.$])(?:var\s+|window\.){re.escape(name)}\s*=\s*(?=(?:\w+\()?['\"])"
    for found in re.finditer(opening, source):
        try:
            value, _ = _expression(source, found.end())
        except ValueError:
            continue
        if value:
            return plain(value)
    return None


def text_of(values: dict[str, Value], key: str) -> str:
    """The unescaped text under a key, "" where the key is missing or holds no text."""
    value = values.get(key)
    return plain(value) if isinstance(value, str) else ""


def script_near(body: bytes, mark: bytes, start: int = 0, end: int | None = None) -> str:
    """The script around the first `mark` between two offsets, "" where there is none.

    Not more than 4 KB before and 16 KB behind the mark: some scripts are half a megabyte long.
    """
    at = body.find(mark, start, len(body) if end is None else end)
    if at < 0:
        return ""
    opening = body.rfind(b"<script", max(start, at - 4_096), at)
    closing = body.find(b"</script", at, at + 16_384)
    piece = body[
        opening if opening >= 0 else max(start, at - 4_096) : closing if closing >= 0 else at + 16_384
    ]
    return piece.decode("utf-8", "replace")


def plain(raw: str) -> str:
    r"""A printed string as a person reads it: `\xNN` and its kin first, then HTML entities, at most twice.

    WeChat escapes some fields once and some twice (`\x26amp;quot;`).
    """
    text = raw
    if "\\" in text:
        text = _ESCAPE.sub(_unescape, text)
        if _SURROGATE.search(text):
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    for _ in range(2):
        if "&" not in text:
            break
        text = html.unescape(text)
    return text


def _unescape(found: re.Match[str]) -> str:
    code = found[1] or found[2]
    if code:
        return chr(int(code, 16))
    return _LETTER_ESCAPES.get(found[3], found[3])


def _object(source: str, position: int) -> tuple[dict[str, Value], int]:
    values: dict[str, Value] = {}
    while True:
        found = _KEY.match(source, position)
        if found is None:
            raise ValueError(f"no key at offset {position}: {source[position : position + 40]!r}")
        position = found.end()
        if found[1]:
            return values, position
        if found[2]:
            values[found[2].strip("'\"")], position = _value(source, position)


def _array(source: str, position: int) -> tuple[list[Value], int]:
    values: list[Value] = []
    while True:
        while source[position : position + 1].isspace() or source[position : position + 1] == ",":
            position += 1
        if source[position : position + 1] == "]":
            return values, position + 1
        value, position = _value(source, position)
        values.append(value)


def _value(source: str, position: int) -> tuple[Value, int]:
    short = _PLAIN_STRING.match(source, position)
    if short:
        return short[1], short.end()
    while source[position : position + 1].isspace():
        position += 1
    opening = source[position : position + 1]
    if opening == "{":
        return _object(source, position + 1)
    if opening == "[":
        return _array(source, position + 1)
    return _expression(source, position)


def _expression(source: str, position: int) -> tuple[str | None, int]:
    """A scalar up to the comma, semicolon or bracket that ends it, which is left standing."""
    strings: list[str] = []
    words: list[str] = []
    depth = 0
    while True:
        found = _PIECE.match(source, position)
        if found is None:
            raise ValueError(f"no value at offset {position}: {source[position : position + 40]!r}")
        if found[1] is not None and not (depth and found[1] == ","):
            if not strings and not words:
                raise ValueError(f"an empty value at offset {position}")
            break
        position = found.end()
        if found[2]:
            end = _end_of_string(source, position, found[2])
            strings.append(source[position:end])
            position = end + 1
        elif found[3]:
            depth += 1 if found[3] == "(" else -1
        elif found[4]:
            words.append(found[4])
    if not _NEEDS_EXECUTION.isdisjoint(words):
        return None, found.start(1)
    if strings:
        return next(filter(None, strings), ""), found.start(1)
    return " ".join(words), found.start(1)


def _end_of_string(source: str, start: int, quote: str) -> int:
    end = source.find(quote, start)
    while end >= 0:
        slashes = end
        while slashes > start and source[slashes - 1] == "\\":
            slashes -= 1
        if (end - slashes) % 2 == 0:
            return end
        end = source.find(quote, end + 1)
    raise ValueError(f"a string that never ends, from offset {start}")
