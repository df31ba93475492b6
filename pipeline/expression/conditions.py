"""What an expression means: conditions that a text in memory and a row of the database are held to alike.

The evaluator in memory is `pipeline.expression.evaluate`, that in SQL `query.conditions`. Whatever one of them knows,
the other must; a property test compares them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from pipeline.legal.fact import Value
from pipeline.store.tokens import Phrase


@dataclass(frozen=True, slots=True)
class Words:
    """One of the phrases stands in title, publisher, text or attachments. `forms` are the same as people write them."""

    phrases: tuple[Phrase, ...]
    forms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FactTest:
    """What one fact must be; what is None or empty isn't asked for. `keys`, `courts` and `currency` are squashed.

    `contains` is a part of the key, `ends` are ends of it that do as well as `keys`. `values` are parts of the fact's
    value. `least` and `most` are sums, the borders included where `least_counts` and `most_counts` say so.
    """

    kind: str
    keys: frozenset[str] | None = None
    courts: frozenset[str] | None = None
    contains: str | None = None
    ends: tuple[str, ...] = ()
    values: tuple[tuple[str, Value], ...] = ()
    least: Decimal | None = None
    most: Decimal | None = None
    least_counts: bool = True
    most_counts: bool = True


@dataclass(frozen=True, slots=True)
class HasFact:
    """A fact of title or text meets one of the tests."""

    tests: tuple[FactTest, ...]


@dataclass(frozen=True, slots=True)
class FromSources:
    """Found on one of these lists, by their keys."""

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PublishedBy:
    """One of these parts stands in a name of the publisher; ASCII letters are compared without case."""

    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InLanguage:
    """`zh`: the title has a Chinese character; `en`: it has none."""

    language: str


@dataclass(frozen=True, slots=True)
class PublishedOn:
    """Published in these days in China, first and last included; an unknown day is in none."""

    first: date | None
    last: date | None


@dataclass(frozen=True, slots=True)
class OnTopics:
    """Of a source with one of these topics."""

    topics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """The part isn't met."""

    part: Condition


@dataclass(frozen=True, slots=True)
class All:
    """Every part is met."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class OneOf:
    """A part is met."""

    parts: tuple[Condition, ...]


Condition = (
    Words | HasFact | FromSources | PublishedBy | InLanguage | PublishedOn | OnTopics | Negation | All | OneOf
)


def leaves(condition: Condition) -> Iterator[Condition]:
    """What a condition is made of, without what ties it together; also what must not be so."""
    match condition:
        case All() | OneOf():
            for part in condition.parts:
                yield from leaves(part)
        case Negation():
            yield from leaves(condition.part)
        case _:
            yield condition


def named_sources(condition: Condition) -> set[str]:
    """The keys of sources that a condition names."""
    return {key for leaf in leaves(condition) if isinstance(leaf, FromSources) for key in leaf.keys}


def named_topics(condition: Condition) -> set[str]:
    """The topics of sources that a condition names."""
    return {topic for leaf in leaves(condition) if isinstance(leaf, OnTopics) for topic in leaf.topics}
