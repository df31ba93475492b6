"""Places of China before a word such as 人民法院: read from right to left with the table of divisions.

Names of bodies have no left edge in Chinese (由浙江省杭州市余杭区人民法院审理); the divisions give it: the
county, then the city that it lies in, then the province.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from pipeline.legal.court_codes import PROVINCES, divisions, region_of

_KIND = re.compile(r"(?:新区|区|县|市|旗|地区|盟)$")
# Short names that are everyday words as well.
_WORDS = frozenset(
    "合作 互助 和平 平安 通道 同心 安定 永和 建设 东方 民和 中方 广大 长子 大同 阳光 公安 长治".split()
)


@dataclass(frozen=True, slots=True)
class Place:
    """A place: where its name starts, the division codes that it can mean, and their level.

    `codes` holds two digits for a province, four for a prefecture, six for a county; several where the name alone
    leaves open which one is meant.
    """

    start: int
    codes: tuple[str, ...]
    level: str


@dataclass(frozen=True, slots=True)
class _Names:
    """Places by name, and by the last two characters of a name the lengths that such names have, longest first."""

    codes: dict[str, tuple[str, ...]]
    lengths: dict[str, tuple[int, ...]]


def _index(names: dict[str, list[str]]) -> _Names:
    lengths: dict[str, set[int]] = {}
    for name in names:
        lengths.setdefault(name[-2:], set()).add(len(name))
    return _Names(
        {name: tuple(codes) for name, codes in names.items()},
        {ending: tuple(sorted(found, reverse=True)) for ending, found in lengths.items()},
    )


@cache
def _provinces() -> _Names:
    names: dict[str, list[str]] = {}
    for code, chinese, _ in PROVINCES.values():
        names[chinese] = names[region_of(chinese)] = [code]
    return _index(names)


def _add(names: dict[str, list[str]], name: str, code: str) -> None:
    if len(name) > 1 and code not in names.setdefault(name, []):
        names[name].append(code)


@cache
def _prefectures() -> _Names:
    """Full and short names."""
    names: dict[str, list[str]] = {}
    for code, (chinese, _) in divisions().items():
        if len(code) == 4:
            _add(names, chinese, code)
            short = _KIND.sub("", chinese)
            if short not in _WORDS:
                _add(names, short, code)
    return _index(names)


@cache
def _counties() -> _Names:
    """Full names, and short ones that no prefecture or province has: 长沙 is the city, not 长沙县."""
    names: dict[str, list[str]] = {}
    for code, (chinese, _) in divisions().items():
        if len(code) == 6:
            _add(names, chinese, code)
            short = _KIND.sub("", chinese)
            if short not in _WORDS | _prefectures().codes.keys() | _provinces().codes.keys():
                _add(names, short, code)
    return _index(names)


def _longest_suffix(folded: str, end: int, names: _Names) -> tuple[int, tuple[str, ...]] | None:
    for length in names.lengths.get(folded[max(0, end - 2) : end], ()):
        codes = names.codes.get(folded[max(0, end - length) : end])
        if codes:
            return max(0, end - length), codes
    return None


def province_before(folded: str, end: int) -> Place | None:
    """Read the province whose name ends at `end`."""
    found = _longest_suffix(folded, end, _provinces())
    return Place(found[0], found[1], "province") if found else None


def prefecture_before(folded: str, end: int) -> Place | None:
    """Read the prefecture whose name ends at `end`, with its province if that is named."""
    found = _longest_suffix(folded, end, _prefectures())
    return _widen(folded, Place(found[0], found[1], "prefecture")) if found else None


def county_before(folded: str, end: int) -> Place | None:
    """Read the county, district or county-level city whose name ends at `end`, with what it lies in if named."""
    found = _longest_suffix(folded, end, _counties())
    if found is None:
        return None
    place = Place(found[0], found[1], "county")
    city = _longest_suffix(folded, place.start, _prefectures())
    if city:
        inside = tuple(code for code in place.codes if code[:4] in city[1])
        if inside:
            place = Place(city[0], inside, "county")
    return _widen(folded, place)


def _widen(folded: str, place: Place) -> Place:
    province = _longest_suffix(folded, place.start, _provinces())
    if province:
        inside = tuple(code for code in place.codes if code[:2] in province[1])
        if inside:
            return Place(province[0], inside, place.level)
    return place


@cache
def province_of(code: str) -> tuple[str, str, str]:
    """Return the one-character name, the Chinese name and the English name of the province of a division."""
    for name, (number, chinese, english) in PROVINCES.items():
        if number == code[:2]:
            return name, chinese, english
    raise KeyError(code)
