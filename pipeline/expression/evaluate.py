"""Holds a condition against a text in memory, and says where it is met."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache

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
from pipeline.expression.subject import Subject, pattern_of
from pipeline.legal import Fact
from pipeline.legal.fact_key import FactKey
from pipeline.normalize import fold, make_storable
from pipeline.store.tokens import Phrase

Holds = Callable[[str], bool]
CHINESE = "\u4e00-\u9fff"
_CHINESE = re.compile(f"[{CHINESE}]")
_IS_CHINESE = re.compile("[\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
_ASCII_SMALL = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_SENTENCE_END = re.compile(r"[。！？!?；;\n]|\.(?=\s)")
_LONGEST_SENTENCE = 160
MARKS = ("【", "】")


@dataclass(frozen=True, slots=True)
class Span:
    """A place of a text: `field` is `title` or `body`."""

    field: str
    start: int
    end: int


def is_met(condition: Condition, subject: Subject, holds: Holds | None = None) -> bool:
    """True when the subject meets the condition.

    `holds` says of a pattern (`pattern_of`) whether it stands in the subject's sequence; where many conditions are
    asked at once it was found out before (`pipeline.expression.matcher`).
    """
    holds = holds or subject.sequence.__contains__
    match condition:
        case Words():
            return any(holds(pattern_of(phrase)) for phrase in condition.phrases)
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


def find_spans(condition: Condition, subject: Subject) -> list[Span]:
    """The places of title and body by which the condition is met, in the order of the text; none for what was
    asked not to be there, nor for what stands in an attachment alone."""
    found: set[Span] = set()
    for leaf in _leaves(condition):
        if isinstance(leaf, HasFact):
            for test in leaf.tests:
                for fact, keys in subject.keyed_facts.get(test.kind, ()):
                    if fact.start < fact.end and meets(fact, keys, test):
                        name = "title" if any(fact is one for one in subject.title_facts) else "body"
                        found.add(Span(name, fact.start, fact.end))
        else:
            for name, text in (("title", subject.title), ("body", subject.body)):
                found |= {
                    Span(name, start, end)
                    for phrase in leaf.phrases
                    if pattern_of(phrase) in subject.sequence
                    for start, end in find_phrase(phrase, text)
                }
    return sorted(found, key=lambda span: (span.field != "title", span.start, -span.end))


def _leaves(condition: Condition) -> Iterator[Words | HasFact]:
    match condition:
        case Words() | HasFact():
            yield condition
        case All() | OneOf():
            for part in condition.parts:
                yield from _leaves(part)


def find_words(condition: Condition) -> list[Words]:
    """The words by which the condition can be met, without those that must not stand there."""
    return [leaf for leaf in _leaves(condition) if isinstance(leaf, Words)]


def find_phrase(phrase: Phrase, text: str) -> Iterator[tuple[int, int]]:
    """Where a phrase stands in a text as printed."""
    folded, at = _fold_at(text)
    for match in _pattern(phrase).finditer(folded):
        yield at[match.start()], at[match.end() - 1] + 1


@cache
def _pattern(phrase: Phrase) -> re.Pattern[str]:
    """Pairs that overlap are one run of characters again; between two runs there may be anything but letters."""
    runs: list[str] = []
    open_run = False
    for token in phrase.tokens:
        if not _IS_CHINESE.match(token):
            runs.append(rf"(?<![a-z0-9]){re.escape(token)}(?![a-z0-9])")
            open_run = False
        elif open_run and runs[-1][-1] == token[0]:
            # A run's last character is a token of its own, which ends it.
            runs[-1] += token[1:]
            open_run = len(token) == 2
        else:
            runs.append(token)
            open_run = len(token) == 2
    return re.compile(r"[\W_]*".join(runs))


@lru_cache(maxsize=8)
def _fold_at(text: str) -> tuple[str, Sequence[int]]:
    """A text folded character by character, and where each character of that stands in the text."""
    folded = text.translate(_FOLDED)
    if len(folded) == len(text):
        # No character became several, and none vanishes.
        return folded, range(len(text))
    return folded, [place for place, character in enumerate(text) for _ in _FOLDED[ord(character)]]


class _FoldedCharacters(dict[int, str]):
    """What each character becomes, by its number, filled as they are met; what would vanish becomes a space."""

    def __missing__(self, code: int) -> str:
        self[code] = fold(chr(code)) or " "
        return self[code]


_FOLDED = _FoldedCharacters()


def mark_sentence(spans: Iterable[Span], subject: Subject) -> str:
    """The sentence of the first place in the body, else in the title, with every place in it between marks; empty
    where there is no place."""
    ordered = sorted(spans, key=lambda span: (span.field == "title", span.start, -span.end))
    if not ordered:
        return ""
    name = ordered[0].field
    text = subject.title if name == "title" else subject.body
    ends = [0, *(match.end() for match in _SENTENCE_END.finditer(text)), len(text)]
    first = ordered[0]
    begin = max(end for end in ends if end <= first.start)
    stop = min(end for end in ends if end >= first.end)
    begin = max(begin, first.start - _LONGEST_SENTENCE // 2)
    stop = min(stop, max(first.end, begin + _LONGEST_SENTENCE))
    shown, place = "…" if begin and text[begin - 1] not in "。！？!?；;\n" else "", begin
    for span in ordered:
        if span.field == name and place <= span.start and span.end <= stop:
            shown += text[place : span.start] + MARKS[0] + text[span.start : span.end] + MARKS[1]
            place = span.end
    return " ".join((shown + text[place:stop]).split())
