"""What a person asks for, in any written form, as the keys of the facts that answer it (`fact_key`)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from pipeline.legal.case_numbers import find_case_numbers
from pipeline.legal.courts import find_courts
from pipeline.legal.document_numbers import find_document_numbers
from pipeline.legal.fact import Fact
from pipeline.legal.fact_key import MOST_MONEY, fact_key, squash
from pipeline.legal.folding import fold
from pipeline.legal.numerals import read_number
from pipeline.legal.pinyin import find_in_pinyin
from pipeline.legal.statutes import find_statutes

# As people type pinyin: in lower case, without brackets or "No.", with the character 号 spelled too.
_TYPED = re.compile(
    r"[(〔\[]?\s?(?P<year>\d{4})\s?[)〕\]]?\s?(?P<words>[A-Za-z][A-Za-z\d ]{2,60}?)\s?,?\s?(?:no\.?\s?)?"
    r"(?P<serial>\d{1,9})(?:\s?hao)?",
    re.IGNORECASE,
)
_SUPREME = re.compile(r"\bzui ?gao ?fa ?", re.IGNORECASE)
_BRANCHES = ("之一", "之二", "之三", "之四", "之五", "之六", "之七", "之八", "之九", "之十")


class AskedError(ValueError):
    """What a person asks for can't be read. Raised by the functions of this module; the message says which form can."""


@dataclass(frozen=True, slots=True)
class AskedCase:
    """Case numbers asked for: the keys of facts that are these cases or rulings within them (之一).

    `pinyin` are the spellings that leave the Chinese number open: every case spelled so may be meant.
    """

    keys: frozenset[str]
    pinyin: frozenset[str]

    def is_answered_by(self, facts: Iterable[Fact]) -> bool:
        """True when one of the facts is such a case number."""
        return any(
            fact.kind == "case_number"
            and (
                fact_key(fact.kind, fact.value).key in self.keys
                or (isinstance(fact.value.get("pinyin"), str) and fact.value["pinyin"] in self.pinyin)
            )
            for fact in facts
        )


@dataclass(frozen=True, slots=True)
class AskedCourt:
    """A court asked for: its squashed names (`FactKey.court`), and those of chambers (`FactKey.key`)."""

    names: frozenset[str]
    chambers: frozenset[str]

    def is_answered_by(self, facts: Iterable[Fact]) -> bool:
        """True when one of the facts names the court or is a case number of it."""
        keys = [fact_key(fact.kind, fact.value) for fact in facts if fact.kind in ("court", "case_number")]
        return any(key.court in self.names or key.key in self.chambers for key in keys)


@dataclass(frozen=True, slots=True)
class AskedStatute:
    """A statute asked for: the squashed official titles, each with an article or None for any."""

    titles: frozenset[tuple[str, int | None]]


def read_asked_case(text: str) -> AskedCase:
    """Read case numbers in any form: （2022）粤0192民初2187号, [2022]粤0192民初2187, (2022) Yue 0192 Min Chu No. 2187,
    (2022) yue 0192 min chu 2187.

    Raises AskedError for anything else.
    """
    plain = unicodedata.normalize("NFKC", text)
    facts = find_case_numbers(plain) + (find_in_pinyin(plain) or find_in_pinyin(_spell_pinyin(plain)))
    if not facts:
        raise AskedError(
            f"{text!r} is no case number that can be read; write (2022)粤0192民初2187号 or "
            "(2022) Yue 0192 Min Chu No. 2187."
        )
    keys: set[str] = set()
    pinyin: set[str] = set()
    for fact in facts:
        key, spelled = fact_key(fact.kind, fact.value).key, fact.value["pinyin"]
        if key is not None:
            keys |= {key} if fact.value["suffix"] else {key, *(key + branch for branch in _BRANCHES)}
        if isinstance(spelled, str):
            # A text that has only pinyin may leave the Chinese number open: then its key is the spelling.
            keys.add(squash(spelled))
            if fact.value["normalized"] is None:
                pinyin.add(spelled)
    return AskedCase(frozenset(keys), frozenset(pinyin))


def read_asked_court(text: str) -> AskedCourt:
    """Read a court's name or abbreviation: 广州互联网法院, 北知院, Supreme People's Court. Raises AskedError."""
    found = find_courts(unicodedata.normalize("NFKC", text))
    if not found:
        raise AskedError(
            f"{text!r} is no court's name that can be read; write it as courts do, such as 北京知识产权法院."
        )
    keys = [fact_key(fact.kind, fact.value) for fact in found]
    in_chambers = [key for key in keys if key.key != key.court]
    return AskedCourt(
        frozenset(key.court for key in keys if key.court and key not in in_chambers),
        frozenset(key.key for key in in_chambers if key.key),
    )


def read_asked_document(text: str) -> frozenset[str]:
    """Squashed document numbers; one that no rule knows is compared as it is written."""
    found = find_document_numbers(unicodedata.normalize("NFKC", text))
    keys = {key for fact in found if (key := fact_key(fact.kind, fact.value).key)}
    return frozenset(keys or {squash(text)})


def read_asked_statute(text: str) -> AskedStatute:
    """Read a title, short or official, Chinese or English, with or without an article: 专利法第六十五条.

    A title that the table doesn't know is compared as it is written.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    found = find_statutes(plain) or find_statutes(f"《{plain}》")
    titles: set[tuple[str, int | None]] = set()
    for fact in found:
        key, article = fact_key(fact.kind, fact.value).key, fact.value["article"]
        if key is not None:
            titles.add((key, article if isinstance(article, int) else None))
    return AskedStatute(frozenset(titles or {(squash(plain.strip("《》")), None)}))


def read_asked_amount(text: str) -> Decimal:
    """Read a sum: 350000, 1,200.50, 35万, 1.2億, 三百万. Exact. Raises AskedError."""
    plain = fold(unicodedata.normalize("NFKC", text)).strip()
    number = read_number(plain) if 0 < len(plain) <= 28 else None
    if number is None or not 0 <= number < MOST_MONEY:
        raise AskedError(f"{text!r} is no sum that can be read; write 350000, 35万 or 1.2亿.")
    return number


def _spell_pinyin(plain: str) -> str:
    """A case number as English texts print it, of one that was typed in short."""
    typed = _TYPED.fullmatch(plain.strip())
    if typed is None:
        return ""
    words = _SUPREME.sub("Zui Gao Fa ", typed["words"]).title()
    return f"({typed['year']}) {words} No. {typed['serial']}"
