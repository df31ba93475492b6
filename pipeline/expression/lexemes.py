"""The smallest parts of an expression: brackets, operators, phrases, fields with their values, words.

The text is read in a form with one character for each printed one, so that positions stay valid: full-width forms
are half-width, and every double quotation mark is the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.expression.errors import ExpressionError
from pipeline.legal.asked import AskedError, read_asked_case
from pipeline.legal.case_numbers import PINYIN_OF_COURTS

_FORMS = (
    {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
    | {0x3000: ord(" "), 0xA0: ord(" ")}
    | {ord(mark): ord('"') for mark in "“”„‟＂「」『』"}
)
# A year in brackets belongs to the number of a case or document that it stands in, and opens no group.
_YEAR = r"[(〔\[﹝]\s?(?:19|20)\d\d\s?[)〕\]﹞]"
_COURTS = "|".join(
    sorted((name.replace(" ", r"\s?") for name in set(PINYIN_OF_COURTS.values())), key=len, reverse=True)
)
_PINYIN = re.compile(
    rf"{_YEAR}\s?(?:{_COURTS}|Shaan)\s?\d{{0,4}}\s?[A-Za-z]{{1,20}}(?:\s[A-Za-z]{{1,20}}){{0,6}}"
    r"\s?(?:,?\s?No\.?\s?)?\d{1,9}(?:\s?hao)?(?!\w)",
    re.IGNORECASE,
)
_SPACES = re.compile(r"\s+")
_WORD = re.compile(rf'(?:{_YEAR}|[^\s()"|])+')
_FIELD = re.compile(
    r"(?P<name>[A-Za-z_]+|[\u4e00-\u9fff]{2,4})(?P<gap>\s*)(?P<operator>>=|<=|≥|≤|:|=|>|<)\s*"
)
# What stands in no text that people search for, and means something in a regular expression.
_REGULAR = re.compile(r"\.[*+]|\\[bdswBDSW]|\[\^|\A\^|\A/.+/\Z")
_SIGNS = {"≥": ">=", "≤": "<=", "=": ":"}
_OPERATORS = frozenset(("AND", "OR", "NOT"))
_LANGUAGE = re.compile(r'[()"|:<>=≥≤]|(?:^|\s)(?:AND|OR|NOT)(?:\s|$)|(?:^|\s)-\S')


@dataclass(frozen=True, slots=True)
class Lexeme:
    """A part: `kind` is `(`, `)`, `AND`, `OR`, `NOT`, `phrase`, `word`, `field` or `end`.

    Of a field `text` is the value, `name` and `operator` stand before it; `quoted` says that the value was in quotes.
    """

    kind: str
    text: str
    start: int
    end: int
    name: str = ""
    operator: str = ""
    value_start: int = 0
    quoted: bool = False


def plain_form(text: str) -> str:
    """The form that is read: half-width, one kind of quotation mark; as many characters as before."""
    return text.translate(_FORMS)


def speaks_language(text: str) -> bool:
    """True when a text has an operator, a bracket, a quotation mark or a field, so that it isn't words alone."""
    return _LANGUAGE.search(plain_form(text)) is not None


def split_lexemes(text: str, fields: frozenset[str]) -> Iterator[Lexeme]:
    """The parts of an expression in order, the last of the kind `end`. Raises ExpressionError.

    `fields` are the known names; a Chinese word before a colon that is none of them is a word.
    """
    plain = plain_form(text)
    place = 0
    while True:
        if space := _SPACES.match(plain, place):
            place = space.end()
        if place >= len(plain):
            yield Lexeme("end", "", len(text), len(text))
            return
        lexeme = _read_lexeme(text, plain, place, fields)
        yield lexeme
        place = lexeme.end


def _read_lexeme(text: str, plain: str, place: int, fields: frozenset[str]) -> Lexeme:
    sign = plain[place]
    if (end := _number_end(plain, place)) is not None:
        return Lexeme("word", text[place:end], place, end)
    if sign == '"':
        start, end = _read_quoted(text, plain, place)
        return Lexeme("phrase", text[start:end], place, end + 1)
    if sign == "|":
        return Lexeme("OR", sign, place, place + (2 if plain.startswith("||", place) else 1))
    if sign == "-" and plain[place + 1 : place + 2].strip():
        return Lexeme("NOT", sign, place, place + 1)
    field = _FIELD.match(plain, place)
    if field and _is_field(field, fields):
        return _read_field(text, plain, field)
    word = _WORD.match(plain, place)
    if word is None:
        return Lexeme(sign, sign, place, place + 1)
    if _REGULAR.search(word[0]):
        raise ExpressionError(
            f"“{text[word.start() : word.end()]}” looks like a regular expression, and there are none here: write "
            "words, OR between them, or quotes around what is to be found as it is.",
            text,
            place,
        )
    kind = word[0] if word[0] in _OPERATORS else "word"
    return Lexeme(kind, text[word.start() : word.end()], *word.span())


def _is_field(match: re.Match[str], fields: frozenset[str]) -> bool:
    """A space may stand before a comparison; before a colon it would be a word that is followed by one."""
    if match["gap"] and match["operator"] in (":", "="):
        return False
    return match["name"].lower() in fields or match["name"].isascii()


def _read_field(text: str, plain: str, field: re.Match[str]) -> Lexeme:
    operator = _SIGNS.get(field["operator"], field["operator"])
    start, quoted = field.end(), False
    if plain.startswith('"', start):
        begin, stop = _read_quoted(text, plain, start)
        value, end, quoted = text[begin:stop], stop + 1, True
    elif (number := _number_end(plain, start)) is not None:
        value, end = text[start:number], number
    elif word := _WORD.match(plain, start):
        value, end = text[start : word.end()], word.end()
    else:
        raise ExpressionError(f"After “{field[0].strip()}” a value was expected.", text, start)
    return Lexeme("field", value, field.start(), end, field["name"], operator, start, quoted)


def _read_quoted(text: str, plain: str, place: int) -> tuple[int, int]:
    end = plain.find('"', place + 1)
    if end < 0:
        raise ExpressionError("The quotation mark that opens here is not closed.", text, place)
    return place + 1, end


def _number_end(plain: str, place: int) -> int | None:
    """Where a case number in pinyin ends that begins here, None where none does."""
    match = _PINYIN.match(plain, place)
    if match is None:
        return None
    try:
        read_asked_case(match[0])
    except AskedError:
        return None
    return match.end()
