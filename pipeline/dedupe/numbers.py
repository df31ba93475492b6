"""Numbers that tell two notices apart, whichever way they are written.

Forms of case numbers: 最高人民法院《关于人民法院案件案号的若干规定》(法〔2015〕137号); of document numbers:
《党政机关公文格式》(GB/T 9704—2012), 7.2.5.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

from pipeline.dedupe.folding import Folded
from pipeline.dedupe.names import is_city
from pipeline.dedupe.remembered import remember

# What a lone 一 before it surely counts: 一年 is a term, 一些 is none.
_COUNTED = frozenset("年月日号届期")
_FORMS_OF_DIGITS = ("零〇", "一壹", "二贰两", "三叁", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖")
_DIGITS = {character: digit for digit, forms in enumerate(_FORMS_OF_DIGITS) for character in forms}
_UNITS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_MYRIADS = {"万": 10**4, "亿": 10**8}
_MOST_DIGITS_OF_AN_AMOUNT = 15
_ARABIC = r"(?:\d+(?:,\d{3})+(?:\.\d+)?|(?<![\d.])\d+\.\d+(?![\d.])|\d+)[十百千]?[万亿]{0,2}"
_CHINESE = (
    r"[零〇一二三四五六七八九十两][零〇一二三四五六七八九十百千万亿两]{0,20}"
    r"|[壹贰叁肆伍陆柒捌玖拾][零壹贰叁肆伍陆柒捌玖拾佰仟万亿]{1,20}"
)
_NUMBER = re.compile(f"({_ARABIC})|({_CHINESE})")
_NUMERAL = r"(?:\d{1,20}+|[零〇一二三四五六七八九十百千]{1,12}+)"
_DESIGNATION = re.compile(
    r"(?:[一-鿿]{0,4}[〔\[](?:19|20)\d\d[〕\]]|\((?:19|20)\d\d\)[^\W_]{0,14}?)?"
    rf"{_NUMERAL}(?:\.[\dx]|[a-z])?号(?:之{_NUMERAL})?"
    r"|(?<!\d)(?:19|20)?\d{9,12}\.[\dx]"
)
_LABELLED = re.compile(
    r"(?<!\d)(?:(?:\d{1,4}年)?(?:\d{1,2}月)?\d{1,2}日|(?:\d{1,4}年)?\d{1,2}(?:月|季度)|"
    r"\d{1,12}(?:号|年|期|批|次会议|届|版|集))"
)
_WORD = re.compile(r"[a-z]{2,}|(?<![a-z])[a-z](?![a-z])")


class Token(NamedTuple):
    """A number or Latin word: letters start..end of a folded text, and what it says (`50万` says 500000).

    `weak` marks a lone 一 that counts nothing, and is as often a word as a number.
    """

    start: int
    end: int
    value: str
    weak: bool = False


def find_numbers(text: Folded) -> list[Token]:
    """All numbers, in digits or in Chinese numerals; 九江 is none."""
    return _at_letters(text, _find_numbers(text.plain))


def find_words(text: Folded) -> list[Token]:
    """All words in Latin letters: brands, firms, codes."""
    return [
        Token(text.letter_index(match.start()), text.letter_index(match.end()), match[0])
        for match in _WORD.finditer(text.plain)
    ]


def find_designations(text: Folded) -> list[Token]:
    """Numbers that name one thing only: cases, documents, announcements, decisions, patents, marks."""
    return _at_letters(text, _find_designations(text.plain))


@remember
def _find_numbers(plain: str) -> list[Token]:
    return [
        Token(
            match.start(),
            match.end(),
            _value(match[0]),
            match[0] == "一" and plain[match.end() : match.end() + 1] not in _COUNTED,
        )
        for match in _NUMBER.finditer(plain)
        if not (len(match[0]) == 1 and is_city(plain[match.start() : match.end() + 1]))
    ]


@remember
def _find_designations(plain: str) -> list[Token]:
    return [Token(match.start(), match.end(), _spell(match[0])) for match in _DESIGNATION.finditer(plain)]


def _at_letters(text: Folded, found: list[Token]) -> list[Token]:
    """What was found at places of `plain`, by the letters that stand there."""
    return [
        Token(text.letter_index(token.start), text.letter_index(token.end), token.value, token.weak)
        for token in found
    ]


def find_labelled(text: Folded) -> dict[str, set[str]]:
    """The numbers of a headline that place it in a series, by label: `第612号` -> {"号": {"612号"}}."""
    found: dict[str, set[str]] = {}
    for match in _LABELLED.finditer(_spelled(text.plain)):
        found.setdefault(re.sub(r"\d+", "", match[0]), set()).add(match[0])
    return found


def mentions(text: Folded, labelled: str) -> bool:
    """Whether a text has a labelled number of a headline, in whatever numerals."""
    return re.search(rf"(?<![\d.]){re.escape(labelled)}", _spelled(text.plain)) is not None


def _spell(plain: str) -> str:
    """The text with all its numbers in digits."""
    return _NUMBER.sub(lambda number: _value(number[0]), plain)


_spelled = remember(_spell)


def _value(printed: str) -> str:
    if printed[0].isdecimal():
        digits = printed.rstrip("十百千万亿")
        return _times(digits.replace(",", ""), printed[len(digits) :])
    if all(character in _DIGITS for character in printed):
        return _plain("".join(str(_DIGITS[character]) for character in printed))
    return str(_spoken(printed))


def _times(digits: str, units: str) -> str:
    """`1.2`, `亿` -> `120000000`. More digits than any amount has are an identifier: no arithmetic."""
    if not units or len(digits) > _MOST_DIGITS_OF_AN_AMOUNT:
        return _plain(digits) + units
    number = Decimal(digits)
    for unit in units:
        number *= _UNITS.get(unit) or _MYRIADS[unit]
    return _plain(f"{number:f}")


def _plain(digits: str) -> str:
    """Without zeros that say nothing: 03 -> 3, 5.60 -> 5.6, 0 -> 0."""
    if "." in digits:
        digits = digits.rstrip("0").removesuffix(".")
    return digits.lstrip("0") or "0"


def _spoken(printed: str) -> int:
    total, section, digit = 0, 0, 0
    for character in printed:
        if character in _DIGITS:
            digit = _DIGITS[character]
        elif character in _UNITS:
            section += (digit or 1) * _UNITS[character]
            digit = 0
        else:
            total = (total + section + digit) * _MYRIADS[character]
            section, digit = 0, 0
    return total + section + digit
