"""What an item can be found by besides its words, as tokens of its search document.

A filter that is a token of the index costs what a word costs: it is counted together with the words and never checked
row by row. A mark begins with `§`, which no token of a text holds (`pipeline.store.tokens`), so that neither is taken
for the other. Everything but small letters and digits is written as a number, since SQLite's tokenizer splits at ASCII
punctuation and knows no capitals.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

BEGIN = "§"
UNMARKED_KINDS = frozenset(("amount", "party", "date", "statistic"))
"""Kinds of fact that are compared or looked for by a part of their key: a mark is found as a whole. Sums have marks of
their own, for the powers of ten between which they lie."""
MARKED_VALUES: dict[str, tuple[str, ...]] = {
    "court": ("level", "region"),
    "case_number": ("court_level", "court_region", "pinyin"),
}
"""Parts of a fact's value that are asked for by themselves, by kind of fact."""
_POWERS = tuple(Decimal(10) ** power for power in range(3, 13))
_CHINESE = re.compile("[\u4e00-\u9fff]")
_WRITTEN = re.compile("[^0-9a-z\u0080-\U0010ffff]|[§¶]")


@lru_cache(maxsize=4096)
def mark(*parts: str) -> str:
    """The token for what these parts name; different parts have different tokens."""
    return BEGIN + BEGIN.join(_WRITTEN.sub(lambda found: f"¶{ord(found[0]):x}¶", part) for part in parts)


def source_mark(key: str) -> str:
    """The token of the items of a source."""
    return mark("source", key)


def topic_mark(topic: str) -> str:
    """The token of the items of sources with a topic."""
    return mark("topic", topic)


def language_mark(language: str) -> str:
    """The token of the items whose title has a Chinese character (`zh`) or none (`en`)."""
    return mark("language", language)


def key_mark(kind: str, key: str) -> str:
    """The token of the items with a fact of this kind and key."""
    return mark("fact", kind, "key", key)


def court_mark(kind: str, court: str) -> str:
    """The token of the items with a fact of this kind that stands for a court, named as `fact.court` names it."""
    return mark("fact", kind, "court", court)


def value_mark(kind: str, name: str, value: str) -> str:
    """The token of the items with a fact of this kind whose value has this part (`MARKED_VALUES`)."""
    return mark("fact", kind, name, value)


def least_mark(currency: str, least: Decimal) -> tuple[str | None, bool]:
    """The token of the items with a sum of at least the greatest power of ten that is no more than this one, None where
    there is none; and whether that is this very sum. `currency` as `fact.key` has it."""
    power = max((power for power in _POWERS if power <= least), default=None)
    return (None, False) if power is None else (_sum_mark(currency, "least", power), power == least)


def most_mark(currency: str, most: Decimal) -> tuple[str | None, bool]:
    """The same of items with a sum of at most the smallest power of ten that is no less than this one."""
    power = min((power for power in _POWERS if power >= most), default=None)
    return (None, False) if power is None else (_sum_mark(currency, "most", power), power == most)


def _sum_mark(currency: str, bound: str, power: Decimal) -> str:
    return mark("sum", currency, bound, str(power.adjusted()))


def _marks_of_sum(currency: str, amount: Decimal) -> Iterator[str]:
    for power in _POWERS:
        if amount >= power:
            yield _sum_mark(currency, "least", power)
        if amount <= power:
            yield _sum_mark(currency, "most", power)


def marks_of(
    source_key: str, topics: Iterable[str], title: str, facts: Iterable[Mapping[str, Any]]
) -> list[str]:
    """The marks of an item, sorted. `facts` are rows of the table `fact`: `kind`, `key`, `court`, `amount`, `value`."""
    marks = {source_mark(source_key), language_mark("zh" if _CHINESE.search(title) else "en")}
    marks.update(topic_mark(str(topic)) for topic in topics)
    for fact in facts:
        kind = fact["kind"]
        if kind == "amount" and fact["key"] is not None and fact["amount"] is not None:
            marks.update(_marks_of_sum(fact["key"], fact["amount"]))
        if kind in UNMARKED_KINDS:
            continue
        if fact["key"] is not None:
            marks.add(key_mark(kind, fact["key"]))
        if fact["court"] is not None:
            marks.add(court_mark(kind, fact["court"]))
        for name in MARKED_VALUES.get(kind, ()):
            if (value := fact["value"].get(name)) is not None:
                marks.add(value_mark(kind, name, str(value)))
    return sorted(marks)
