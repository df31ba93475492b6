"""What a word is widened to: its simplified and traditional forms, its synonyms, the names of the same court or body.

The words are data: `iprwatch tables synonyms`, `courts`, `court_codes` and `agencies` show them.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from opencc import OpenCC

from pipeline import legal
from pipeline.legal.court_codes import remember_courts, special_courts
from pipeline.normalize import fold

_FOLDER = Path(legal.__file__).parent
_TO_SIMPLIFIED = ("hk2s", "tw2s")
_TO_TRADITIONAL = ("s2t", "s2tw", "s2hk")


@cache
def _converter(variant: str) -> OpenCC:
    return OpenCC(variant)


def simplify(text: str) -> str:
    """Simplified characters for traditional ones of Hong Kong and Taiwan."""
    for variant in _TO_SIMPLIFIED:
        text = _converter(variant).convert(text)
    return text


def scripts(text: str) -> tuple[str, ...]:
    """A text as it is, simplified, and in the traditional characters of each place; each form once."""
    if text.isascii():
        return (text,)
    plain = simplify(text)
    return tuple(dict.fromkeys((text, plain, *(_converter(name).convert(plain) for name in _TO_TRADITIONAL))))


@remember_courts
def _groups() -> dict[str, tuple[str, ...]]:
    """The words that mean the same, by each of them, folded."""
    groups: dict[str, dict[str, None]] = {}
    courts = _read("courts")["abbreviations"]
    same = list(_read("synonyms")["words"].values())
    same += [[agency["zh"], agency["en"], *agency["names"]] for agency in _read("agencies")["national"]]
    same += [
        [name for name in (court.name_zh, court.name_en) if name]
        + [short for short, code in courts.items() if code == court.code]
        for court in special_courts().values()
    ]
    for words in same:
        for word in words:
            groups.setdefault(fold(word), {}).update(dict.fromkeys(words))
    return {word: tuple(others) for word, others in groups.items()}


def _read(table: str) -> dict[str, Any]:
    return tomllib.loads((_FOLDER / f"{table}.toml").read_text(encoding="utf-8"))


def is_known(text: str) -> bool:
    """True for a word that has others of the same meaning."""
    return fold(simplify(text)) in _groups()


def known_words() -> tuple[str, ...]:
    """Every word that has others of the same meaning, for suggestions."""
    return tuple(dict.fromkeys(word for words in _groups().values() for word in words))


def widen(text: str) -> tuple[str, ...]:
    """All forms by which a word is looked for, its own first."""
    same = _groups().get(fold(simplify(text)), ())
    return tuple(dict.fromkeys(form for word in (text, *same) for form in scripts(word)))
