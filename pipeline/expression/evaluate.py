"""Holds a condition against a text in memory."""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from decimal import Decimal

from pipeline.expression.conditions import (
    All,
    Condition,
    FactTest,
    FromSources,
    HasFact,
    InLanguage,
    Negation,
    OneOf,
    OnTopics,
    PublishedBy,
    PublishedOn,
    Words,
)
from pipeline.expression.subject import Subject
from pipeline.legal import Fact
from pipeline.legal.fact_key import FactKey
from pipeline.normalize import make_storable

Holds = Callable[[str], bool]
CHINESE = "\u4e00-\u9fff"
_CHINESE = re.compile(f"[{CHINESE}]")
_ASCII_SMALL = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def is_met(condition: Condition, subject: Subject, holds: Holds | None = None) -> bool:
    """True when the subject meets the condition.

    `holds` says of a pattern (`Phrase.pattern`) whether it stands in the subject's sequence; where many conditions are
    asked at once it was found out before (`pipeline.expression.matcher`).
    """
    holds = holds or subject.sequence.__contains__
    match condition:
        case Words():
            return any(holds(phrase.pattern) for phrase in condition.phrases)
        case All():
            return all(is_met(part, subject, holds) for part in condition.parts)
        case OneOf():
            return any(is_met(part, subject, holds) for part in condition.parts)
        case Negation():
            return not is_met(condition.part, subject, holds)
        case HasFact():
            return any(
                meets(fact, found, test)
                for test in condition.tests
                for fact, found in subject.keyed_facts.get(test.kind, ())
            )
        case FromSources():
            return subject.source_key in condition.keys
        case PublishedBy():
            names = [ascii_small(make_storable(name)) for name in subject.publishers]
            return any(ascii_small(part) in name for part in condition.parts for name in names)
        case InLanguage():
            return (_CHINESE.search(subject.title) is not None) == (condition.language == "zh")
        case PublishedOn():
            day = subject.published_on
            return (
                day is not None
                and (condition.first is None or day >= condition.first)
                and (condition.last is None or day <= condition.last)
            )
        case OnTopics():
            return any(topic in subject.topics for topic in condition.topics)


def ascii_small(text: str) -> str:
    """ASCII letters in lower case and all others as they are: what every database can do too."""
    return text.translate(_ASCII_SMALL)


def meets(fact: Fact, found: FactKey, test: FactTest) -> bool:
    """True when a fact of the test's kind is as the test says; `found` are its keys."""
    key = found.key
    if test.keys is not None and key not in test.keys and not (key and test.ends and key.endswith(test.ends)):
        return False
    if test.courts is not None and found.court not in test.courts:
        return False
    if test.contains is not None and (key is None or test.contains not in key):
        return False
    if any(fact.value.get(name) != value for name, value in test.values):
        return False
    if test.least is None and test.most is None:
        return True
    if found.amount is None:
        return False
    return _lies_between(stored_sum(found.amount), test)


def _lies_between(amount: Decimal, test: FactTest) -> bool:
    least = stored_sum(test.least) if test.least is not None else None
    most = stored_sum(test.most) if test.most is not None else None
    if least is not None and (amount < least or (amount == least and not test.least_counts)):
        return False
    return most is None or amount < most or (amount == most and test.most_counts)


def stored_sum(amount: Decimal) -> Decimal:
    """A sum as the database keeps it, with four digits behind the point."""
    return Decimal(format(amount, ".4f"))
