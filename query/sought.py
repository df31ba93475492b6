"""Which part of a condition the search index can answer, and what is left to be looked up of the items it finds.

Words are in the index, and so is most of what is filtered by (`pipeline.store.marks`). Sums, days, parts of names and
the like are not.
"""

from __future__ import annotations

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
    if not found:
        return None, [condition]
    if all(isinstance(part, AnyPhrase) for part in found):
        phrases = (phrase for part in found if isinstance(part, AnyPhrase) for phrase in part.phrases)
        return AnyPhrase(tuple(dict.fromkeys(phrases))), [] if settled else [condition]
    return AnyOf(tuple(found)), [] if settled else [condition]


def _divide_facts(condition: HasFact) -> tuple[Sought | None, list[Condition]]:
    marks: list[str] = []
    settled = True
    for test in condition.tests:
        own = _marks_of(test)
        if not own:
            return None, [condition]
        marks += own
        settled &= _is_settled(test)
    return (any_mark(dict.fromkeys(marks)), [] if settled else [condition]) if marks else (None, [condition])


def _marks_of(test: FactTest) -> list[str]:
    """Marks one of which every item with such a fact has; none where there are no such marks."""
    if test.kind in UNMARKED_KINDS:
        return []
    if test.keys and not test.ends:
        return [key_mark(test.kind, key) for key in sorted(test.keys)]
    if test.courts:
        return [court_mark(test.kind, court) for court in sorted(test.courts)]
    for name, value in test.values:
        if name in MARKED_VALUES.get(test.kind, ()):
            return [value_mark(test.kind, name, str(value))]
    return []


def _is_settled(test: FactTest) -> bool:
    """Whether the marks of a test say all that it asks for."""
    asked = (test.keys is not None) + (test.courts is not None) + len(test.values)
    return asked == 1 and not test.ends and test.contains is None and test.least is None and test.most is None
