"""Numbers as Chinese texts write them, read exactly: no float anywhere."""

from __future__ import annotations

import re
from decimal import Decimal

_DIGITS = dict(zip("零一二三四五六七八九", range(10), strict=True))
_DIGITS |= {"〇": 0, "两": 2}
_DIGITS |= dict(zip("壹贰叁肆伍陆柒捌玖", range(1, 10), strict=True))
_SMALL_UNITS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_LARGE_UNITS = {"万": 10**4, "亿": 10**8}
CHINESE_NUMERALS = "".join((*_DIGITS, *_SMALL_UNITS, *_LARGE_UNITS))

_MIXED = re.compile(r"(\d[\d,]*(?:\.\d+)?)([十百千万亿]*)")


def read_chinese_integer(raw: str) -> int | None:
    """Read 三百零五, 十五, 两千, 六七五 (digit by digit); None where the characters make no number.

    At most 24 characters are read, so that the work is bounded.
    """
    if not raw or len(raw) > 24:
        return None
    if all(character in _DIGITS for character in raw):
        if len(raw) > 1 and "两" in raw:
            return None
        return int("".join(str(_DIGITS[character]) for character in raw))
    total = section = 0
    digit: int | None = None
    least_large = 10**16
    least_small = 10**4
    before_digit = 10
    previous_unit = 10
    for character in raw:
        if character in _DIGITS:
            if digit is not None and digit != 0:
                return None
            before_digit = 10 if digit == 0 else previous_unit
            digit = _DIGITS[character]
        elif character in _SMALL_UNITS:
            unit = _SMALL_UNITS[character]
            if unit >= least_small:
                return None
            if digit is None or digit == 0:
                if unit != 10 or section:
                    return None
                digit = 1
            section += digit * unit
            digit, least_small, previous_unit = None, unit, unit
        elif character in _LARGE_UNITS:
            unit = _LARGE_UNITS[character]
            section += digit or 0
            if unit >= least_large and (total == 0 or unit != 10**8):
                return None
            if section == 0 and total == 0:
                return None
            total = (total + section) * unit if unit == 10**8 else total + section * unit
            section, digit, least_small, least_large, previous_unit = 0, None, 10**4, unit, unit
        else:
            return None
    # 三百五 is 350 and 一万二 is 12000, but 三百零五 is 305.
    return total + section + (digit or 0) * (before_digit // 10)


def read_multiplier(raw: str) -> int:
    """Read 万, 百万, 千万, 亿, 万亿 as a power of ten: the exponent."""
    return sum({"十": 1, "百": 2, "千": 3, "万": 4, "亿": 8}[character] for character in raw)


def read_number(raw: str) -> Decimal | None:
    """Read 1,200, 2.18, 35万, 3亿5000万 or 三百万 exactly; None where it is no number.

    The caller bounds the length: up to 28 significant digits are exact.
    """
    compact = raw.replace(" ", "")
    if not compact:
        return None
    if compact[0].isdecimal() and compact[0].isascii():
        total = Decimal(0)
        position = 0
        for match in _MIXED.finditer(compact):
            if match.start() != position:
                return None
            total += Decimal(match[1].replace(",", "")).scaleb(read_multiplier(match[2]))
            position = match.end()
        return total if position == len(compact) else None
    value = read_chinese_integer(compact)
    return None if value is None else Decimal(value)


def write_decimal(number: Decimal) -> str:
    """Write a number without exponent and without needless zeros: 350000, 2.18."""
    plain = format(number, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
