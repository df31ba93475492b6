"""Many conditions against one text: one pass finds which phrases of all of them it holds.

What a condition can't be met without decides whether it is looked at: a rule of which no word stands in a text
costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import ahocorasick

from pipeline.expression.conditions import All, Condition, FactTest, HasFact, Negation, OneOf, Words
from pipeline.expression.evaluate import is_met
from pipeline.expression.subject import Subject, patterns_of


class Matcher:
    """The conditions of all rules, ready to be held against one text after the other."""

    def __init__(self, conditions: Sequence[Condition]) -> None:
        self._conditions = tuple(conditions)
        self._always: list[int] = []
        waking: dict[str, list[int]] = {}
        for number, condition in enumerate(self._conditions):
            needed = _needed(condition)
            if needed is None:
                self._always.append(number)
            for pattern in needed or ():
                waking.setdefault(pattern, []).append(number)
        self._waking = waking
        self._by_facts = any(not key.startswith(" ") for key in waking)
        self._automaton = ahocorasick.Automaton()
        for pattern in {pattern for condition in self._conditions for pattern in _patterns(condition)}:
            self._automaton.add_word(pattern, pattern)
        if len(self._automaton):
            self._automaton.make_automaton()

    def find(self, subject: Subject) -> list[int]:
        """The conditions that the subject meets, by their place, in order."""
        held: set[str] = set()
        if len(self._automaton):
            held = {pattern for _, pattern in self._automaton.iter(subject.sequence)}
        waking = held | _keys_of(subject) if self._by_facts else held
        woken = {number for key in waking for number in self._waking.get(key, ())}
        return [
            number
            for number in sorted(woken.union(self._always))
            if is_met(self._conditions[number], subject, held.__contains__)
        ]


def _keys_of(subject: Subject) -> set[str]:
    """What facts wake: their kinds, and their kinds with their keys. No pattern is like it, for those begin blank."""
    kinds = subject.keyed_facts
    return {*kinds, *(f"{kind}={found.key}" for kind, facts in kinds.items() for _, found in facts)}


def _wakes(test: FactTest) -> set[str]:
    if test.keys is None or test.ends:
        return {test.kind}
    return {f"{test.kind}={key}" for key in test.keys}


def _patterns(condition: Condition) -> set[str]:
    match condition:
        case Words():
            return set(patterns_of(condition.phrases))
        case All() | OneOf():
            return {pattern for part in condition.parts for pattern in _patterns(part)}
        case Negation():
            return _patterns(condition.part)
    return set()


def _needed(condition: Condition) -> set[str] | None:
    """Patterns and keys of facts of which one must be there for the condition to be met; None where it may be met
    without any."""
    match condition:
        case Words():
            return set(patterns_of(condition.phrases))
        case HasFact():
            return {key for test in condition.tests for key in _wakes(test)}
        case OneOf():
            parts = [_needed(part) for part in condition.parts]
            if any(part is None for part in parts):
                return None
            return {pattern for part in parts if part for pattern in part}
        case All():
            known = [needed for part in condition.parts if (needed := _needed(part)) is not None]
            return min(known, key=len) if known else None
    return None
