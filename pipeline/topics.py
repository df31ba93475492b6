"""Which texts concern intellectual property: the filter for channels that publish everything.

Courts, procuratorates and the State Council publish divorces, budgets and appointments beside patents. The words
that decide are data, in topics.toml; an operator may add and remove words with a file of their own:

    [add.trademark]
    alone = ["字号抢登"]
    pairs = [["老字号", "纠纷"]]

    [remove.copyright]
    beside = ["作品"]

    [body]
    mentions = 3

The rules:

1. A title decides when it holds a word that decides alone, or both words of a pair in one sentence.
2. A body decides when such a mention stands in its first characters (`opening`), or when it holds at least
   `mentions` of them, and one for each `per_mention` characters of its length; its last characters (`closing`)
   count for nothing, because legal notices stand there.
3. Phrases that are passed over (版权所有, 营商标准) hide the words inside of them, and so does a longer word that
   decides (数据知识产权 hides 知识产权).
4. Words that stand beside name further topics of a text that rule 1 or 2 has decided; they decide nothing.
"""

from __future__ import annotations

import math
import re
import tomllib
import unicodedata
from bisect import bisect_left
from dataclasses import dataclass, field, fields
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal

import ahocorasick
from opencc import OpenCC

from errors import ConfigurationError

Field = Literal["title", "body"]

_BUILT_IN = Path(__file__).with_name("topics.toml")
TOPICS: tuple[str, ...] = (
    "ip_general",
    "patent",
    "trademark",
    "copyright",
    "trade_secret",
    "unfair_competition",
    "plant_variety",
    "layout_design",
    "geographical_indication",
    "domain_name",
    "antitrust_ip",
    "data_ip",
    "technology_contract",
)
_LISTS = ("alone", "beside", "pairs")
_PASS_OVER_LISTS = ("everywhere", "body")
_SENTENCE_END = re.compile(r"[。！？!?；;\n]")
_BLANKS_AND_DASHES = dict.fromkeys("\t\n\r\xa0\u2002\u2003\u2009\u202f\u3000-‐‑–", " ")
_LETTERS_AND_DIGITS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
# Printed by another code but seen as the same: PDF readers give radicals for characters, forms are full-width.
_LOOKALIKES = (range(0x2E80, 0x2FE0), range(0xF900, 0xFB00), range(0xFF01, 0xFF5F))
_IDEOGRAPHS = range(0x3400, 0xA000)


@dataclass(frozen=True, slots=True)
class TopicMatch:
    """The first mention of a word of the lexicon in a title or a body.

    `term` is the word as the lexicon has it (simplified); `start` is the index of the mention in the title or body
    as given, which may print it in traditional or full-width characters.
    """

    topic: str
    term: str
    field: Field
    start: int


@dataclass(frozen=True, slots=True)
class TopicVerdict:
    """Whether a text concerns intellectual property, and why.

    `matches` are the title's, then the body's, in the order of the text. A text that isn't concerned may have
    matches that did not suffice. `reason` is one sentence for people.
    """

    concerns_ip: bool
    matches: tuple[TopicMatch, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class BodyRule:
    """Where a mention in a body must stand, in characters, and how many it takes (rule 2 of this module)."""

    opening: int
    closing: int
    mentions: int
    per_mention: int


@dataclass(slots=True)
class _Word:
    """One word of the lexicon and the parts that it plays."""

    term: str
    folded: str
    capitals: tuple[int, ...]
    alone: str | None = None
    beside: str | None = None
    pairs: set[int] = field(default_factory=set)
    passed_over: set[Field] = field(default_factory=set)

    def stands_at(self, text: str, folded: str, start: int) -> bool:
        """Say whether the characters at `start` are the word itself: whole Latin words, capitals where it has them."""
        if self.folded[0] in _LETTERS_AND_DIGITS and _joins_word(folded[start - 1 : start]):
            return False
        end = start + len(self.folded)
        if self.folded[-1] in _LETTERS_AND_DIGITS and not _ends_word(folded, end):
            return False
        return all(text[start + index].isupper() for index in self.capitals)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The words, ready to search; made by `load_lexicon`."""

    reviewed: date
    body_rule: BodyRule
    automaton: ahocorasick.Automaton
    foldable: re.Pattern[str]
    pair_topics: tuple[str, ...]  # by the number of the pair


@dataclass(frozen=True, slots=True)
class _Scan:
    """What a title or body holds: every mention that could decide, and the words that only stand beside."""

    deciding: tuple[tuple[TopicMatch, ...], ...]  # one match, or the two of a pair
    beside: tuple[TopicMatch, ...]


def find_topics(title: str, body: str, lexicon: Lexicon | None = None) -> TopicVerdict:
    """Decide whether a title and body concern intellectual property, by the built-in words unless others are given.

    Any strings will do, empty ones too; nothing is raised.
    """
    lexicon = lexicon or load_lexicon()
    in_title = _scan(title, "title", lexicon)
    in_body = _scan(body, "body", lexicon)
    if in_title.deciding:
        concerned, reason = True, f"The title says {_quote(in_title.deciding[0])}."
    else:
        concerned, reason = _judge_body(in_body, len(body), lexicon.body_rule)
    matches = []
    for scan in (in_title, in_body):
        found = [match for mention in scan.deciding for match in mention]
        found += scan.beside if concerned else ()
        first: dict[tuple[str, str], TopicMatch] = {}
        for match in sorted(found, key=lambda match: match.start):
            first.setdefault((match.topic, match.term), match)
        matches += first.values()
    return TopicVerdict(concerned, tuple(matches), reason)


def _judge_body(scan: _Scan, length: int, rule: BodyRule) -> tuple[bool, str]:
    if not scan.deciding:
        return False, "No word of intellectual property stands in the title or the text."
    closing_at = max(rule.opening, length - rule.closing)
    counted = [mention for mention in scan.deciding if mention[0].start < closing_at]
    if not counted:
        return (
            False,
            f"{_quote(scan.deciding[0])} stands only in the last {rule.closing} characters of the text.",
        )
    if counted[0][0].start < rule.opening:
        return True, f"{_quote(counted[0])} stands in the first {rule.opening} characters of the text."
    needed = max(rule.mentions, math.ceil(length / rule.per_mention))
    found = f"The text mentions intellectual property {len(counted)} times, first with {_quote(counted[0])}"
    if len(counted) < needed:
        return False, f"{found}; for {length} characters it would take {needed}.".replace(" 1 times", " once")
    return True, f"{found}."


def _quote(mention: tuple[TopicMatch, ...]) -> str:
    return " and ".join(f"“{match.term}”" for match in mention)


def _scan(text: str, where: Field, lexicon: Lexicon) -> _Scan:
    folded = _fold(text, lexicon.foldable)
    found: list[tuple[int, int, _Word]] = []
    word: _Word
    for last, word in lexicon.automaton.iter(folded):
        start = last + 1 - len(word.folded)
        if where in word.passed_over or (
            (word.alone or word.beside or word.pairs) and word.stands_at(text, folded, start)
        ):
            found.append((start, -last, word))
    if not found:
        return _Scan((), ())
    seen: list[tuple[int, _Word]] = []
    hidden_to = -1
    for start, minus_last, word in sorted(found, key=lambda hit: hit[:2]):
        if -minus_last <= hidden_to:
            continue
        if where in word.passed_over or word.alone:
            hidden_to = -minus_last
        if where not in word.passed_over:
            seen.append((start, word))
    mentions = [(TopicMatch(word.alone, word.term, where, start),) for start, word in seen if word.alone]
    mentions += _find_pairs(seen, text, where, lexicon)
    beside = tuple(TopicMatch(word.beside, word.term, where, start) for start, word in seen if word.beside)
    return _Scan(tuple(sorted(mentions, key=lambda mention: mention[0].start)), beside)


def _find_pairs(
    seen: list[tuple[int, _Word]], text: str, where: Field, lexicon: Lexicon
) -> list[tuple[TopicMatch, ...]]:
    """Each pair whose words stand in one sentence, once a sentence, where they stand there first."""
    parts = [(start, word) for start, word in seen if word.pairs]
    if len(parts) < 2:
        return []
    ends = [match.start() for match in _SENTENCE_END.finditer(text)]
    places: dict[tuple[int, int], dict[str, int]] = {}
    for start, word in parts:
        for pair in word.pairs:
            places.setdefault((bisect_left(ends, start), pair), {}).setdefault(word.term, start)
    return [
        tuple(
            TopicMatch(lexicon.pair_topics[pair], term, where, start)
            for term, start in sorted(both.items(), key=lambda item: item[1])
        )
        for (_, pair), both in places.items()
        if len(both) == 2
    ]


def _joins_word(character: str) -> bool:
    """Say whether a character would continue a Latin word; an empty string doesn't."""
    return character in _LETTERS_AND_DIGITS or "\u00c0" <= character <= "\u024f"


def _ends_word(folded: str, end: int) -> bool:
    if folded[end : end + 1] == "s" and not folded[end - 1].isdigit():
        end += 1
    return not _joins_word(folded[end : end + 1])


def _fold(text: str, foldable: re.Pattern[str]) -> str:
    """The form that is searched, character for character: small letters, simplified, half width, plain blanks."""
    lowered = text.lower()
    if len(lowered) != len(text):  # İ becomes two
        lowered = "".join(low if len(low := character.lower()) == 1 else character for character in text)
    table = _folding()
    return foldable.sub(lambda match: table[match[0]], lowered)


@cache
def _folding() -> dict[str, str]:
    """Characters that are printed in more than one form, and the one form in which they are searched."""
    ideographs = [chr(code) for code in _IDEOGRAPHS]
    converted = "\n".join(ideographs)
    for variant in ("hk2s", "tw2s", "t2s"):
        converted = OpenCC(variant).convert(converted)
    table = dict(zip(ideographs, converted.split("\n"), strict=True))
    for code in (code for codes in _LOOKALIKES for code in codes):
        form = unicodedata.normalize("NFKC", chr(code))
        if len(form) == 1:
            table[chr(code)] = table.get(form, form)
    table |= {"’": "'", "‘": "'"} | _BLANKS_AND_DASHES
    return {printed: form for printed, form in table.items() if printed != form and len(form) == 1}


def load_lexicon(path: Path | None = None) -> Lexicon:
    """The built-in lexicon, changed by the operator's own file if one is given.

    Raises ConfigurationError, which names file, key and fault, for a file that can't be read, isn't TOML, has a key
    or topic that doesn't exist, a word that is too short, removes a word that isn't there, or gives a word a second
    topic.
    """
    return _load_built_in() if path is None else _load(path)


@cache
def _load_built_in() -> Lexicon:
    return _load(None)


def _load(path: Path | None) -> Lexicon:
    lexicon = _read(_BUILT_IN)
    where = path or _BUILT_IN
    if path is not None:
        _change(lexicon, _read(path), path)
    rule = BodyRule(**lexicon["body"])
    words: dict[str, _Word] = {}
    pair_topics: list[str] = []
    for topic in TOPICS:
        table = lexicon[topic]
        for part in ("alone", "beside"):
            for term in table.get(part, []):
                word = _put(words, term)
                earlier = word.alone or word.beside
                if earlier:
                    raise ConfigurationError(
                        f"{where}: {topic}.{part}: “{term}” already belongs to {earlier}."
                    )
                setattr(word, part, topic)
        for pair in table.get("pairs", []):
            for term in pair:
                _put(words, term).pairs.add(len(pair_topics))
            pair_topics.append(topic)
    for phrase in lexicon["pass_over"]["everywhere"]:
        _put(words, phrase).passed_over |= {"title", "body"}
    for phrase in lexicon["pass_over"]["body"]:
        _put(words, phrase).passed_over.add("body")
    if not words:
        raise ConfigurationError(f"{where}: remove: no word is left; leave some.")
    return Lexicon(lexicon["reviewed"], rule, _build(words), _find_foldable(words), tuple(pair_topics))


def _put(words: dict[str, _Word], term: str) -> _Word:
    folded = term.lower().translate(str.maketrans(_folding()))
    capitals = tuple(index for index, character in enumerate(term) if character.isupper())
    return words.setdefault(folded, _Word(term, folded, capitals))


def _build(words: dict[str, _Word]) -> ahocorasick.Automaton:
    automaton = ahocorasick.Automaton()
    for folded, word in words.items():
        automaton.add_word(folded, word)
    automaton.make_automaton()
    return automaton


def _find_foldable(words: dict[str, _Word]) -> re.Pattern[str]:
    """Only characters that matter to these words need folding."""
    alphabet = set("".join(words)) | _LETTERS_AND_DIGITS
    printed = [printed for printed, form in _folding().items() if form in alphabet]
    return re.compile("[" + re.escape("".join(printed)) + "]")


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: the lexicon can't be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: not a TOML file in UTF-8: {error}.") from error


def _change(lexicon: dict[str, Any], changes: dict[str, Any], path: Path) -> None:
    """Put an operator's additions into the built-in tables, and take their removals out."""
    _require_keys(changes, ("add", "remove", "body"), path, "")
    for action in ("add", "remove"):
        tables = _require_table(changes.get(action, {}), path, action)
        _require_keys(tables, (*TOPICS, "pass_over"), path, f"{action}.")
        for name, table in tables.items():
            lists = _PASS_OVER_LISTS if name == "pass_over" else _LISTS
            _require_keys(_require_table(table, path, f"{action}.{name}"), lists, path, f"{action}.{name}.")
            for part, entries in table.items():
                key = f"{action}.{name}.{part}"
                _require_entries(entries, path, key, pairs=part == "pairs")
                present = lexicon[name].setdefault(part, [])
                if action == "add":
                    present += [entry for entry in entries if entry not in present]
                    continue
                for entry in entries:
                    if entry not in present:
                        raise ConfigurationError(f"{path}: {key}: {entry!r} is not in the built-in lexicon.")
                    present.remove(entry)
    body = _require_table(changes.get("body", {}), path, "body")
    _require_keys(body, tuple(setting.name for setting in fields(BodyRule)), path, "body.")
    for name, value in body.items():
        least = 1 if name in ("mentions", "per_mention") else 0
        if type(value) is not int or value < least:
            raise ConfigurationError(
                f"{path}: body.{name}: a whole number from {least} was expected, not {value!r}."
            )
    lexicon["body"] |= body


def _require_table(value: object, path: Path, key: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigurationError(f"{path}: {key}: a table was expected, not {value!r}.")
    return value


def _require_keys(table: dict[str, Any], known: tuple[str, ...], path: Path, prefix: str) -> None:
    for key in table:
        if key not in known:
            raise ConfigurationError(f"{path}: {prefix}{key}: no such key; known are {', '.join(known)}.")


def _require_entries(entries: object, path: Path, key: str, *, pairs: bool) -> None:
    kind = "a list of pairs of words" if pairs else "a list of words"
    if not isinstance(entries, list):
        raise ConfigurationError(f"{path}: {key}: {kind} was expected, not {entries!r}.")
    for entry in entries:
        terms = entry if pairs else [entry]
        if (
            not isinstance(terms, list)
            or len(terms) != (2 if pairs else 1)
            or len({str(term) for term in terms}) != len(terms)
        ):
            raise ConfigurationError(f"{path}: {key}: {kind} was expected; this is none: {entry!r}.")
        for term in terms:
            if not isinstance(term, str) or len(term.strip()) < 2 or term != term.strip():
                raise ConfigurationError(
                    f"{path}: {key}: {term!r} is no word of at least two characters without blanks around it."
                )
