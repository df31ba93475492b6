"""The words by which intellectual property is recognised in a text, and the search for all of them at once.

The words are data, in topics.toml, which explains them; an operator may add and remove some with a file of their own:

    [add.trademark]
    alone = ["字号抢登"]
    pairs = [["老字号", "纠纷"]]

    [remove.copyright]
    beside = ["作品"]

    [body]
    mentions = 3

Texts are searched once, by an Aho-Corasick automaton, in a form that has one character for each printed one, so that
indices stay valid.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
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
_LETTERS_AND_DIGITS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_BLANKS_AND_DASHES = dict.fromkeys("\t\n\r\xa0\u2002\u2003\u2009\u202f\u3000-‐‑–", " ")
# Printed by another code but seen as the same: PDF readers give radicals for characters, forms are full-width.
_LOOKALIKES = (range(0x2E80, 0x2FE0), range(0xF900, 0xFB00), range(0xFF01, 0xFF5F))
_IDEOGRAPHS = range(0x3400, 0xA000)


@dataclass(frozen=True, slots=True)
class BodyRule:
    """Where a mention in a body must stand, in characters, and how many it takes (rule 2 of pipeline.topics)."""

    opening: int
    closing: int
    mentions: int
    per_mention: int


@dataclass(slots=True)
class Word:
    """One word of the lexicon and the parts that it plays."""

    term: str
    folded: str
    capitals: tuple[int, ...]  # indices of the letters that must be capitals in the text too
    alone: str | None = None
    beside: str | None = None
    pairs: set[int] = field(default_factory=set)
    passed_over: set[Field] = field(default_factory=set)

    @property
    def has_topic(self) -> bool:
        """Say whether the word does more than hide others."""
        return bool(self.alone or self.beside or self.pairs)

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
    pair_topics: tuple[str, ...]  # by the number of the pair
    _automaton: ahocorasick.Automaton
    _foldable: re.Pattern[str]

    def find_words(self, text: str, where: Field) -> list[tuple[int, Word]]:
        """Every mention, as index in `text` and word, in the order of the text.

        A word inside of a phrase that is passed over there, or of a longer word that decides alone, is no mention.
        """
        folded = _fold(text, self._foldable)
        found: list[tuple[int, int, Word]] = []
        word: Word
        for last, word in self._automaton.iter(folded):
            start = last + 1 - len(word.folded)
            if where in word.passed_over or (word.has_topic and word.stands_at(text, folded, start)):
                found.append((start, -last, word))
        mentions = []
        hidden_to = -1
        for start, minus_last, word in sorted(found, key=lambda hit: hit[:2]):
            if -minus_last <= hidden_to:
                continue
            if where in word.passed_over:
                hidden_to = -minus_last
                continue
            if word.alone:
                hidden_to = -minus_last
            mentions.append((start, word))
        return mentions


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
    words: dict[str, Word] = {}
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
    return Lexicon(lexicon["reviewed"], rule, tuple(pair_topics), _build(words), _find_foldable(words))


def _put(words: dict[str, Word], term: str) -> Word:
    folded = "".join(_folding().get(character, character) for character in term.lower())
    capitals = tuple(index for index, character in enumerate(term) if character.isupper())
    return words.setdefault(folded, Word(term, folded, capitals))


def _build(words: dict[str, Word]) -> ahocorasick.Automaton:
    automaton = ahocorasick.Automaton()
    for folded, word in words.items():
        automaton.add_word(folded, word)
    automaton.make_automaton()
    return automaton


def _find_foldable(words: dict[str, Word]) -> re.Pattern[str]:
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


def _joins_word(character: str) -> bool:
    """Say whether a character would continue a Latin word; an empty string doesn't."""
    return character in _LETTERS_AND_DIGITS or "\u00c0" <= character <= "\u024f"


def _ends_word(folded: str, end: int) -> bool:
    if folded[end : end + 1] == "s" and not folded[end - 1].isdigit():
        end += 1
    return not _joins_word(folded[end : end + 1])
