"""An expression read to the end: its text, its tree, and the condition that it stands for."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.expression.conditions import All, Condition, FactTest, HasFact, Negation, OneOf, Words
from pipeline.expression.errors import ExpressionError
from pipeline.expression.fields import CHINESE_NAMES, FIELDS, NAMES, read_filter
from pipeline.expression.lexemes import speaks_language
from pipeline.expression.parse import parse
from pipeline.expression.tree import And, Filter, Node, Not, Or, Term
from pipeline.expression.widening import is_known, widen
from pipeline.legal.agencies import find_agencies
from pipeline.legal.asked import read_asked_case
from pipeline.legal.case_numbers import find_case_numbers
from pipeline.legal.courts import find_courts
from pipeline.legal.document_numbers import find_document_numbers
from pipeline.legal.fact import Fact
from pipeline.legal.fact_key import fact_key
from pipeline.legal.folding import fold
from pipeline.legal.patents import find_patents
from pipeline.legal.pinyin import find_in_pinyin
from pipeline.store.tokens import Phrase, read_phrase

_LONGEST_NAME = 60  # characters of a word that may name a court, a body or a number


@dataclass(frozen=True, slots=True)
class Widened:
    """What a word or field was read as: `text` as written, at `start`; `forms` are the words that are looked for,
    `facts` say which facts do as well."""

    text: str
    start: int
    forms: tuple[str, ...]
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """An expression that can be held against texts. Made by `read_query`."""

    text: str
    tree: Node
    condition: Condition
    widened: tuple[Widened, ...]


def read_query(text: str) -> Query:
    """Read an expression. Raises ExpressionError, which names the place."""
    tree = parse(text, NAMES)
    reader = _Reader(text)
    condition = reader.read(tree)
    return Query(text, tree, condition, tuple(reader.widened))


def read_words(words: Sequence[str]) -> Query | None:
    """The query of a command's arguments, each a word, a phrase or a part of an expression; None when there are none.

    An argument with a space and nothing of the language in it is a phrase. Raises ExpressionError.
    """
    if not words:
        return None
    written = [f'"{word}"' if len(word.split()) > 1 and not speaks_language(word) else word for word in words]
    return read_query(" ".join(written))


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self.widened: list[Widened] = []

    def read(self, node: Node) -> Condition:
        match node:
            case Term():
                return self._term(node)
            case Filter():
                return self._filter(node)
            case Not():
                return Negation(self.read(node.part))
            case Or():
                return OneOf(tuple(map(self.read, node.parts)))
            case And():
                return self._both(node)

    def _both(self, node: And) -> Condition:
        """All parts; words beside each other that are one known term (trade secret) may be its synonyms too."""
        parts: list[Condition] = []
        place = 0
        while place < len(node.parts):
            run = self._known_run(node.parts, place)
            own = tuple(map(self.read, node.parts[place : place + max(run, 1)]))
            if run:
                words = [part for part in node.parts[place : place + run] if isinstance(part, Term)]
                whole = Term(" ".join(word.text for word in words), False, words[0].start, words[-1].end)
                parts.append(OneOf((All(own), self._term(whole))))
            else:
                parts += own
            place += max(run, 1)
        return All(tuple(parts)) if len(parts) > 1 else parts[0]

    def _known_run(self, parts: tuple[Node, ...], place: int) -> int:
        """How many bare words from this place on, next to each other, are one known term; 0 for none."""
        words: list[str] = []
        longest = 0
        for part in parts[place : place + 6]:
            if not isinstance(part, Term) or part.exact:
                break
            words.append(part.text)
            if len(words) > 1 and is_known(" ".join(words)):
                longest = len(words)
        return longest

    def _term(self, term: Term) -> Condition:
        forms = (term.text,) if term.exact else widen(term.text)
        phrases: dict[Phrase, str] = {}
        for form in forms:
            phrase = read_phrase(form)
            if phrase is not None:
                phrases.setdefault(phrase, form)
        if not phrases:
            raise ExpressionError(
                f"The word {term.text!r} has no letter or digit to search for.", self._text, term.start
            )
        words = Words(tuple(phrases), tuple(phrases.values()))
        tests = () if term.exact else _tests_of(term.text)
        self.widened.append(
            Widened(
                term.text, term.start, words.forms, tuple(dict.fromkeys(_describe(test) for test in tests))
            )
        )
        return OneOf((words, HasFact(tests))) if tests else words

    def _filter(self, node: Filter) -> Condition:
        name = CHINESE_NAMES.get(node.field, node.field.lower())
        field = FIELDS.get(name)
        if field is None:
            near = difflib.get_close_matches(name, FIELDS, n=1)
            hint = f" Did you mean “{near[0]}”?" if near else ""
            raise ExpressionError(
                f"There is no field “{node.field}”.{hint} The fields are {', '.join(FIELDS)}; words with a colon "
                "are searched for in quotes.",
                self._text,
                node.start,
            )
        try:
            condition = read_filter(field, node.operator, node.value, quoted=node.quoted)
        except ValueError as error:
            raise ExpressionError(str(error), self._text, node.value_start) from None
        tests = condition.tests if isinstance(condition, HasFact) else ()
        described = tuple(dict.fromkeys(_describe(test) for test in tests))
        self.widened.append(Widened(self._text[node.start : node.end], node.start, (), described))
        return condition


def _tests_of(text: str) -> tuple[FactTest, ...]:
    """The facts that a word names when all of it is a number of a case, document or patent, a court or a body."""
    if not 2 < len(text) <= _LONGEST_NAME:
        return ()
    tests: list[FactTest] = []
    if _is_whole(text, find_case_numbers(text)) or _in_pinyin(text):
        asked = read_asked_case(text)
        tests.append(FactTest("case_number", keys=asked.keys))
        tests += [FactTest("case_number", values=(("pinyin", one),)) for one in sorted(asked.pinyin)]
    for kind, found in (
        ("document_number", find_document_numbers(text)),
        ("patent", find_patents(text)),
        ("court", find_courts(text)),
        ("agency", find_agencies(text)),
    ):
        if _is_whole(text, found):
            keys = frozenset(key for fact in found if (key := fact_key(fact.kind, fact.value).key))
            if keys:
                tests.append(FactTest(kind, keys=keys))
    return tuple(tests)


def _in_pinyin(text: str) -> bool:
    """True for a case number in pinyin, which alone of all words begins with a year in brackets and Latin letters."""
    folded = fold(text)
    if not folded.isascii() or not folded.startswith("("):
        return False
    return bool(find_in_pinyin(folded)) or _reads_as_case(folded)


def _reads_as_case(text: str) -> bool:
    try:
        read_asked_case(text)
    except ValueError:
        return False
    return True


def _is_whole(text: str, facts: list[Fact]) -> bool:
    return len({(fact.start, fact.end) for fact in facts}) == 1 and len(facts[0].raw) == len(text.strip())


def _describe(test: FactTest) -> str:
    """A test in words, for people."""
    said = [min(sorted(test.keys), key=len)] if test.keys else []
    said += [", ".join(sorted(test.courts))] if test.courts else []
    said += [f"with {test.contains}"] if test.contains else []
    said += [f"{name} {value}" for name, value in test.values]
    if test.least is not None:
        said.append(f"{'≥' if test.least_counts else '>'} {test.least}")
    if test.most is not None:
        said.append(f"{'≤' if test.most_counts else '<'} {test.most}")
    return f"{test.kind.replace('_', ' ')} {' '.join(said)}".strip()
