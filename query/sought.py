"""Which part of a condition the search index can answer, and what is left to be looked up of the items it finds.

Words are in the index, and so is most of what is filtered by (`pipeline.store.marks`), sums as the powers of ten
between which they lie. Days, parts of names and the like are not.
"""

from __future__ import annotations

from collections.abc import Sequence

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
    Words,
)
from pipeline.store.marks import (
    MARKED_VALUES,
    UNMARKED_KINDS,
    court_mark,
    key_mark,
    language_mark,
    least_mark,
    most_mark,
    source_mark,
    topic_mark,
    value_mark,
)
from pipeline.store.search_index import AllOf, AnyOf, AnyPhrase, Sought, any_mark


def divide_condition(condition: Condition) -> tuple[Sought | None, list[Condition]]:
    """What every item that meets the condition meets in the index (None: it knows nothing of it), and conditions that,
    together with it, mean the same as the whole: none where the index knows it all, the whole where it knows nothing.
    """
    match condition:
        case Words():
            return AnyPhrase(condition.phrases), []
        case FromSources() if condition.keys:
            return any_mark(map(source_mark, condition.keys)), []
        case OnTopics() if condition.topics:
            return any_mark(map(topic_mark, condition.topics)), []
        case InLanguage():
            return any_mark((language_mark(condition.language),)), []
        case HasFact():
            return _divide_facts(condition)
        case All():
            return _divide_all(condition)
        case OneOf():
            return _divide_one(condition)
        case _:
            return None, [condition]


def _divide_all(condition: All) -> tuple[Sought | None, list[Condition]]:
    found: list[Sought] = []
    without: list[Sought] = []
    rest: list[Condition] = []
    absent: list[Condition] = []
    for part in condition.parts:
        if isinstance(part, Negation):
            sought, left = divide_condition(part.part)
            if sought is not None and not left:
                without.append(sought)
                absent.append(part)
            else:
                rest.append(part)
            continue
        sought, left = divide_condition(part)
        if sought is not None:
            found.append(sought)
        rest += left
    if not found:
        # An index says what is there: it can't be asked for what lacks something and nothing else.
        return None, [condition]
    if len(found) == 1 and not without:
        return found[0], rest
    return AllOf(tuple(found), tuple(without)), rest


def _divide_one(condition: OneOf) -> tuple[Sought | None, list[Condition]]:
    found: list[Sought] = []
    settled = True
    for part in condition.parts:
        sought, left = divide_condition(part)
        if sought is None:
            return None, [condition]
        found.append(sought)
        settled &= not left
    return _any_of(found), [] if settled and found else [condition]


def _any_of(found: Sequence[Sought]) -> Sought | None:
    if not found:
        return None
    if all(isinstance(part, AnyPhrase) for part in found):
        phrases = (phrase for part in found if isinstance(part, AnyPhrase) for phrase in part.phrases)
        return AnyPhrase(tuple(dict.fromkeys(phrases)))
    return AnyOf(tuple(found))


def _divide_facts(condition: HasFact) -> tuple[Sought | None, list[Condition]]:
    found: list[Sought] = []
    settled = True
    for test in condition.tests:
        own, alone = _seek_sum(test) if test.kind == "amount" else _seek_fact(test)
        if own is None:
            return None, [condition]
        found.append(own)
        settled &= alone
    return _any_of(found), [] if settled and found else [condition]


def _seek_fact(test: FactTest) -> tuple[Sought | None, bool]:
    """Marks one of which every item with such a fact has, None where there are none; and whether they say all that the
    test asks for."""
    if test.kind in UNMARKED_KINDS:
        return None, False
    asked = (test.keys is not None) + (test.courts is not None) + len(test.values)
    alone = (
        asked == 1 and not test.ends and test.contains is None and test.least is None and test.most is None
    )
    if test.keys and not test.ends:
        return any_mark(key_mark(test.kind, key) for key in sorted(test.keys)), alone
    if test.courts:
        return any_mark(court_mark(test.kind, court) for court in sorted(test.courts)), alone
    for name, value in test.values:
        if name in MARKED_VALUES.get(test.kind, ()):
            return any_mark((value_mark(test.kind, name, str(value)),)), alone
    return None, False


def _seek_sum(test: FactTest) -> tuple[Sought | None, bool]:
    """The same for a sum: which powers of ten items with such a one have below or above one of theirs."""
    if not test.keys or len(test.keys) != 1:
        return None, False
    (currency,) = test.keys
    least = least_mark(currency, test.least) if test.least is not None else (None, False)
    most = most_mark(currency, test.most) if test.most is not None else (None, False)
    marks = [any_mark((name,)) for name, _ in (least, most) if name is not None]
    if not marks:
        return None, False
    only = test.contains is None and not test.values and test.courts is None and not test.ends
    if test.most is None:
        alone = only and least[1] and test.least_counts
    else:
        alone = only and test.least is None and most[1] and test.most_counts
    return marks[0] if len(marks) == 1 else AllOf(tuple(marks)), alone
