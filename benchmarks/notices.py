"""Notices and articles for the near-duplicate benchmark, filled from `notices.toml` by a seeded generator."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

TEXTS: dict[str, Any] = tomllib.loads(Path(__file__).with_name("notices.toml").read_text(encoding="utf-8"))
WORDS: dict[str, list[str]] = {name: words.split() for name, words in TEXTS["words"].items()}


@dataclass(frozen=True, slots=True)
class Form:
    """A notice with fields. `identity` are the fields of which each alone makes it another notice."""

    title: str
    body: str
    identity: tuple[str, ...]


FORMS: dict[str, Form] = {
    name: Form(form["title"], form["body"], tuple(form["identity"])) for name, form in TEXTS["forms"].items()
}


def draw(random: Random, field: str) -> str:
    """A value for a field; its name up to the digit says the kind (`person1`, `date2`)."""
    kind = field.rstrip("0123456789")
    return _DRAWS[kind](random) if kind in _DRAWS else random.choice(WORDS[kind])


def fill(form: Form, values: dict[str, str]) -> tuple[str, str]:
    """Title and body of the form."""
    return form.title.format_map(values), form.body.format_map(values)


def fields_of(text: str) -> tuple[str, ...]:
    """The names of a text's fields, in order of appearance."""
    return tuple(dict.fromkeys(piece.split("}", 1)[0] for piece in text.split("{")[1:]))


def write_article(random: Random) -> tuple[str, str]:
    """A news article of some 150 to 1,500 characters: title and body."""
    values = {name: draw(random, name) for name in ("city", "firm1", "firm2", "person1", "person2", "court")}
    sentences = random.sample(TEXTS["sentences"], random.choice((4, 6, 9, 14, 20, 28, 36)))
    paragraphs = []
    while sentences:
        take = random.choice((1, 2, 2, 3))
        paragraphs.append("".join(_fill_sentence(random, sentence, values) for sentence in sentences[:take]))
        sentences = sentences[take:]
    return _fill_sentence(random, random.choice(TEXTS["headlines"]), values), "\n".join(paragraphs)


def _fill_sentence(random: Random, sentence: str, values: dict[str, str]) -> str:
    return sentence.format_map({name: values.get(name) or draw(random, name) for name in fields_of(sentence)})


def _word(random: Random, kind: str) -> str:
    return random.choice(WORDS[kind])


def _person(random: Random) -> str:
    return _word(random, "surname") + "".join(random.sample(WORDS["given"], random.choice((1, 2, 2))))


def _masked(random: Random) -> str:
    return _word(random, "surname") + random.choice(("某", "某某", "某甲", f"某{_word(random, 'given')}"))


def _firm(random: Random) -> str:
    kind = random.choice(("有限公司", "股份有限公司"))
    return f"{_word(random, 'city')}{_word(random, 'brand')}{_word(random, 'trade')}{kind}"


def _court(random: Random) -> str:
    kind = random.choice(("知识产权法院", "市中级人民法院", "互联网法院", "市高级人民法院"))
    return f"{_word(random, 'city')}{kind}"


def _date(random: Random) -> str:
    return f"{random.randint(2024, 2026)}年{random.randint(1, 12)}月{random.randint(1, 28)}日"


def _chinese_date(random: Random) -> str:
    numerals = ("一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二")
    year = "".join("〇一二三四五六七八九"[int(digit)] for digit in str(random.randint(2024, 2026)))
    return f"{year}年{random.choice(numerals)}月{random.choice(numerals)}日"


def _amount(random: Random) -> str:
    return random.choice(
        (
            f"{random.randint(2, 900)}万元",
            f"{random.randint(10, 99)}.{random.randint(1, 9)}万元",
            f"{random.randint(1, 9)}.{random.randint(1, 9)}亿元",
            f"{random.randint(10, 99)},{random.randint(100, 999)}元",
        )
    )


def _patent(random: Random) -> str:
    kind, serial = random.randint(1, 3), random.randint(100_000, 999_999)
    return f"ZL20{random.randint(10, 24)}{kind}0{serial}.{random.randint(0, 9)}"


def _between(low: int, high: int) -> Callable[[Random], str]:
    return lambda random: str(random.randint(low, high))


_DRAWS: dict[str, Callable[[Random], str]] = {
    "person": _person,
    "masked": _masked,
    "firm": _firm,
    "mark": lambda random: _word(random, "brand"),
    "court": _court,
    "case": lambda random: (
        f"({random.randint(2024, 2026)}){_word(random, 'docket')}{random.randint(2, 4999)}号"
    ),
    "date": _date,
    "signed": _chinese_date,
    "amount": _amount,
    "patent": _patent,
    "percent": lambda random: f"{random.randint(1, 60)}.{random.randint(1, 9)}%",
    "room": lambda random: f"第{random.choice('一二三四五六七八九')}法庭",
    "batch": lambda random: random.choice("二三四五六七八九十"),
    "year": _between(2015, 2027),
    "month": _between(1, 12),
    "days": _between(3, 60),
    "count": _between(3, 9_800),
    "serial": _between(100, 999),
    "decision": _between(40_000, 79_999),
    "long": _between(10_000_000, 79_999_999),
}
