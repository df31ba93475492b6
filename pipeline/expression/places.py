"""Where a text says what an expression or a word asks for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial

from pipeline.expression.conditions import All, Condition, HasFact, OneOf, Words
from pipeline.expression.evaluate import meets
from pipeline.expression.subject import Subject
from pipeline.normalize import fold, fold_in_place
from pipeline.sentence import Excerpt, Place, cut_sentence
from pipeline.store.tokens import CJK, Phrase

_IS_CHINESE = re.compile(f"[{CJK}]")
_IS_LETTER = re.compile(rf"[^\W_{CJK}]")
_ASCII_WORD = re.compile(r"[a-z0-9]")


@dataclass(frozen=True, slots=True)
class Places:
    """The places in an item's title and text by which it is found, each in order; none overlaps another."""

    title: tuple[Place, ...] = ()
    body: tuple[Place, ...] = ()


def asked_for(condition: Condition) -> Iterator[Words | HasFact]:
    """The words and facts by which a condition can be met, without what must not be so."""
    match condition:
        case Words() | HasFact():
            yield condition
        case All() | OneOf():
            for part in condition.parts:
                yield from asked_for(part)


def find_places(condition: Condition, subject: Subject) -> Places:
    """The places of title and body by which the condition is met; none for what was asked not to be there, nor for
    what stands in an attachment alone."""
    found: dict[str, list[Place]] = {"title": [], "body": []}
    for leaf in asked_for(condition):
        if isinstance(leaf, HasFact):
            for test in leaf.tests:
                for fact, keys in subject.keyed_facts.get(test.kind, ()):
                    if fact.start < fact.end and meets(fact, keys, test):
                        name = "title" if any(fact is one for one in subject.title_facts) else "body"
                        found[name].append((fact.start, fact.end))
        else:
            for name, text in (("title", subject.title), ("body", subject.body)):
                found[name] += _find((_read_phrase(phrase).find for phrase in leaf.phrases), text)
    return Places(_without_overlap(found["title"]), _without_overlap(found["body"]))


def find_patterns(patterns: Iterable[re.Pattern[str]], title: str, body: str) -> Places:
    """The places of words (`word_pattern`) in title and body."""
    finders = [partial(_find_pattern, pattern) for pattern in patterns]
    return Places(_without_overlap(_find(finders, title)), _without_overlap(_find(finders, body)))


def show_places(places: Places, subject: Subject) -> Excerpt:
    """The sentence of the first place in the body, else in the title; empty where there is no place."""
    if places.body:
        return cut_sentence(subject.body, places.body)
    return cut_sentence(subject.title, places.title) if places.title else Excerpt("")


def word_pattern(word: str) -> re.Pattern[str]:
    """Finds a folded word in folded text; a Latin one as a whole word only."""
    head = r"(?<![a-z0-9])" if _ASCII_WORD.match(word[0]) else ""
    tail = r"(?![a-z0-9])" if _ASCII_WORD.match(word[-1]) else ""
    return re.compile(head + re.escape(word) + tail)


def _find(finders: Iterable[Callable[[str], Iterable[Place]]], text: str) -> list[Place]:
    folded, at = _fold_with_places(text)
    return [(at[start], at[end - 1] + 1) for find in finders for start, end in find(folded)]


def _find_pattern(pattern: re.Pattern[str], folded: str) -> Iterator[Place]:
    return (match.span() for match in pattern.finditer(folded))


def _without_overlap(places: Iterable[Place]) -> tuple[Place, ...]:
    merged: list[Place] = []
    for start, end in sorted(places):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


@dataclass(frozen=True, slots=True)
class _Runs:
    """What a phrase looks like in folded text, and whether it begins or ends with a Latin word, which is to be whole.

    That is not part of the pattern: it takes milliseconds to compile what names all Chinese characters.
    """

    pattern: re.Pattern[str]
    begins_latin: bool
    ends_latin: bool

    def find(self, folded: str) -> Iterator[Place]:
        """The places of the phrase, in order."""
        place = 0
        while match := self.pattern.search(folded, place):
            start, end = match.span()
            cut = (self.begins_latin and start and _IS_LETTER.match(folded, start - 1)) or (
                self.ends_latin and _IS_LETTER.match(folded, end)
            )
            if not cut:
                yield start, end
            place = start + 1 if cut else end


@cache
def _read_phrase(phrase: Phrase) -> _Runs:
    """Pairs that overlap are one run of characters again; between two runs there may be anything but letters."""
    runs: list[str] = []
    open_run = ended = latin = False
    for token in phrase.tokens:
        was_latin, latin = latin, not _IS_CHINESE.match(token)
        if open_run and not latin and runs[-1][-1] == token[0]:
            # A run's last character is a token of its own, which ends it.
            runs[-1] += token[1:]
        else:
            if runs:
                # Without anything in between, two words would be one, and a run that has ended would go on.
                apart = (was_latin and latin) or (ended and not latin)
                runs.append(r"[\W_]+" if apart else r"[\W_]*")
            runs.append(re.escape(token))
        open_run = not latin and len(token) == 2
        ended = not latin and not open_run
    first, last = phrase.tokens[0], phrase.tokens[-1]
    return _Runs(re.compile("".join(runs)), not _IS_CHINESE.match(first), not _IS_CHINESE.match(last))


@lru_cache(maxsize=8)
def _fold_with_places(text: str) -> tuple[str, Sequence[int]]:
    """A text folded character by character, spaces in a row as one, and where each character of that stands in it."""
    folded = fold_in_place(text)
    if folded is not None:
        return folded, range(len(text))
    characters: list[str] = []
    at: list[int] = []
    for place, character in enumerate(text):
        form = _FOLDED[ord(character)]
        if form == " " and characters and characters[-1] == " ":
            continue
        characters.extend(form)
        at.extend([place] * len(form))
    return "".join(characters), at


class _FoldedCharacters(dict[int, str]):
    """What each character becomes, by its number, filled as they are met; what would vanish becomes a space."""

    def __missing__(self, code: int) -> str:
        self[code] = fold(chr(code)) or " "
        return self[code]


_FOLDED = _FoldedCharacters()
