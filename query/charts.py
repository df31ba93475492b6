"""Bar charts as SVG, by hand: labels are text, so that a browser renders Chinese with the fonts of its machine."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from html import escape
from unicodedata import east_asian_width

_ROW = 24
_BAR = 16
_WIDE = 640
_EDGE = 16
_SIZE = 13
_TITLE_SIZE = 16
_TITLE_ROW = 22
_LONGEST = 420
_FONT = "'Noto Sans CJK SC', 'Source Han Sans SC', 'PingFang SC', 'Microsoft YaHei', 'WenQuanYi Micro Hei', sans-serif"


def bar_chart(title: str, bars: Sequence[tuple[str, int | Decimal]]) -> str:
    """One bar for each label and number (not negative), from the top; drawn to scale from zero. A whole document.

    It holds no script, link, or style from elsewhere; labels are escaped.
    """
    labels = [_short(label, _SIZE, _LONGEST) for label, _ in bars]
    numbers = [f"{Decimal(number).normalize():,f}" for _, number in bars]
    left = _EDGE + _widest(labels) + 8
    width = left + _WIDE + 6 + _widest(numbers) + _EDGE
    heading = _lines(title, _TITLE_SIZE, width - 2 * _EDGE)
    top = 26 + _TITLE_ROW * len(heading)
    height = top + _ROW * len(bars) + _EDGE
    largest = max((number for _, number in bars), default=0)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" font-family="{escape(_FONT)}" font-size="{_SIZE}">',
        f"<title>{_text(title)}</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    parts += [
        f'<text x="{_EDGE}" y="{28 + _TITLE_ROW * place}" font-size="{_TITLE_SIZE}" fill="#1a1a1a">{_text(line)}</text>'
        for place, line in enumerate(heading)
    ]
    for place, (label, shown, (whole, number)) in enumerate(zip(labels, numbers, bars, strict=True)):
        y = top + _ROW * place
        length = round(float(Decimal(number) / Decimal(largest)) * _WIDE, 1) if largest else 0.0
        parts += [
            f"<g><title>{_text(whole)}: {shown}</title>",
            f'<text x="{left - 8}" y="{y + 13}" text-anchor="end" fill="#1a1a1a">{_text(label)}</text>',
            f'<rect x="{left}" y="{y}" width="{length}" height="{_BAR}" fill="#2f6f9f"/>',
            f'<text x="{left + length + 6:.1f}" y="{y + 13}" fill="#1a1a1a">{shown}</text></g>',
        ]
    return "\n".join([*parts, "</svg>", ""])


def _text(text: str) -> str:
    # XML takes no control characters.
    return escape("".join(character for character in text if character.isprintable()))


def _width(text: str, size: int) -> float:
    """About how wide a text is, rather too wide: which font draws it isn't known here."""
    return size * sum(map(_ems, text))


def _ems(character: str) -> float:
    if east_asian_width(character) in "WFA" or character in "mwMW@%":
        return 1.0
    return 0.78 if character.isupper() else 0.65


def _widest(texts: Sequence[str]) -> int:
    return round(max((_width(text, _SIZE) for text in texts), default=0))


def _short(text: str, size: int, room: int) -> str:
    if _width(text, size) <= room:
        return text
    text = text[:room]  # no character is narrower than a pixel, and the text may be endless
    while text and _width(f"{text}…", size) > room:
        text = text[:-1]
    return f"{text}…"


def _lines(text: str, size: int, room: int) -> list[str]:
    """A text in lines; between Chinese characters a line may end anywhere."""
    lines = [""]
    for part in re.findall("[!-~]+|.", text):
        if lines[-1] and _width(lines[-1] + part, size) > room:
            lines.append("")
        lines[-1] += part
    return [_short(line.strip(), size, room) for line in lines]
