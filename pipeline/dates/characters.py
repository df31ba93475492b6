"""Characters that mean the same in a date: widths, dashes, brackets, spaces, traditional forms, numerals.

Folding replaces one character by one, so that a position in the folded text is the position in the raw text.
It serves reading only; the stored text keeps its characters.
"""

from __future__ import annotations

_TRADITIONAL = str.maketrans(
    "發佈時間號點週後剛鐘鍾個來編輯兩開實執頒決審訂閱讀瀏覽擊訪問禮過聞關閉廣際權衛處門報網電級準轉載數體"
    "於責記機構單導檢資訊攝專題欄類標採結",
    "发布时间号点周后刚钟钟个来编辑两开实执颁决审订阅读浏览击访问礼过闻关闭广际权卫处门报网电级准转载数体"
    "于责记机构单导检资讯摄专题栏类标采结",
)
_SAME = {
    " ": "\u00a0\u00ad\u1680\u180e\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b"
    "\u200c\u200d\u200e\u200f\u202f\u205f\u2060\u3000\ufeff",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212",
    "~": "\u301c\u223c",
    ":": "\u2236\ufe30",
    ",": "\u3001",
    "(": "\ufe59",
    ")": "\ufe5a",
    "[": "\u3010\u3014\u300c\u300e",
    "]": "\u3011\u3015\u300d\u300f",
    "|": "\u4e28\u2502\u2503\ufe31",
    # ○ ◯ 零 and the Greek and the Cyrillic O are printed for 〇.
    "\u3007": "\u25cb\u25ef\u96f6\u039f\u03bf\u041e\u043e",
    "年": "\uf98e",
    # Radicals, which text taken out of a PDF holds instead of the characters.
    "月": "\u2f49",
    "日": "\u2f47",
    "一": "\u2f00",
    "二": "\u2f06",
    "八": "\u2f0b",
    "十": "\u2f17",
}
_FOLDED = (
    {0xFF01 + offset: chr(0x21 + offset) for offset in range(94)}
    | _TRADITIONAL
    | {ord(other): character for character, others in _SAME.items() for other in others}
)

DIGITS = "〇O一二三四五六七八九"
_DIGIT = {"〇": 0, "O": 0, "o": 0, "0": 0} | {digit: at for at, digit in enumerate("一二三四五六七八九", 1)}
_TENS = {"十": 10, "二十": 20, "廿": 20, "三十": 30, "卅": 30, "四十": 40, "五十": 50}


def _small_numerals() -> dict[str, int]:
    units = {word: number for word, number in _DIGIT.items() if number}
    numbers = {word: number for word, number in _DIGIT.items() if word not in "Oo0"}
    numbers |= {"〇" + word: number for word, number in units.items()}
    numbers |= _TENS | {"两": 2, "一十": 10}
    numbers |= {ten + word: tens + number for ten, tens in _TENS.items() for word, number in units.items()}
    return numbers


_SMALL = _small_numerals()


def fold(text: str) -> str:
    """`text` with full-width, traditional and look-alike characters replaced, position by position."""
    return text if text.isascii() else text.translate(_FOLDED)


def read_number(text: str) -> int | None:
    """A number below 60 in ASCII digits or Chinese numerals (`廿一`, `零五`, `十 一`); None for other words."""
    return int(text) if text.isascii() and text.isdigit() else _SMALL.get(text.replace(" ", ""))


def read_year(text: str) -> int | None:
    """A year written digit by digit (`2026`, `二〇二六`, `二OO六`); None for other words."""
    year = 0
    for character in text.replace(" ", ""):
        digit = int(character) if "0" <= character <= "9" else _DIGIT.get(character)
        if digit is None:
            return None
        year = year * 10 + digit
    return year
