"""Bar charts as SVG, by hand: labels are text, so that a browser renders Chinese with the fonts of its machine."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from html import escape
from unicodedata import east_asian_width

_ROW = 24
_BAR = 16
_WIDE = 640
_TOP = 48
_FONT = "'Noto Sans CJK SC', 'Source Han Sans SC', 'PingFang SC', 'Microsoft YaHei', 'WenQuanYi Micro Hei', sans-serif"
_CHARACTER = 7
_LONGEST = 30


def bar_chart(title: str, bars: Sequence[tuple[str, int | Decimal]]) -> str:
    """One bar for each label and number (not negative), from the top; drawn to scale from zero. A whole document.

    It holds no script, link, or style from elsewhere; labels are escaped.
    """
    labels = [_short(label) for label, _ in bars]
    left = 16 + _CHARACTER * max((_columns(label) for label in labels), default=0)
    largest = max((number for _, number in bars), default=0)
    width, height = left + _WIDE + 120, _TOP + _ROW * len(bars) + 16
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" font-family="{escape(_FONT)}" font-size="13">',
        f"<title>{_text(title)}</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="16" y="28" font-size="16" fill="#1a1a1a">{_text(title)}</text>',
    ]
    for place, (label, (whole, number)) in enumerate(zip(labels, bars, strict=True)):
        y = _TOP + _ROW * place
        length = round(float(Decimal(number) / Decimal(largest)) * _WIDE, 1) if largest else 0.0
        parts += [
            f"<g><title>{_text(whole)}: {number:,}</title>",
            f'<text x="{left - 8}" y="{y + 13}" text-anchor="end" fill="#1a1a1a">{_text(label)}</text>',
            f'<rect x="{left}" y="{y}" width="{length}" height="{_BAR}" fill="#2f6f9f"/>',
            f'<text x="{left + length + 6:.1f}" y="{y + 13}" fill="#1a1a1a">{number:,}</text></g>',
        ]
    return "\n".join([*parts, "</svg>", ""])


def _text(text: str) -> str:
    # XML takes no control characters.
    return escape("".join(character for character in text if character.isprintable()))


def _columns(text: str) -> int:
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def _short(label: str) -> str:
    return label if len(label) <= _LONGEST else label[: _LONGEST - 1] + "…"
