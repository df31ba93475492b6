"""Which texts concern intellectual property: the filter for channels that publish everything.

Courts, procuratorates and the State Council publish divorces, budgets and appointments beside patents. The words
that decide are data, in topics.toml. The rules:

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
from bisect import bisect_left
from dataclasses import dataclass

from pipeline.topics.lexicon import TOPICS, BodyRule, Field, Lexicon, Word, load_lexicon

__all__ = ["TOPICS", "Lexicon", "TopicMatch", "TopicVerdict", "find_topics", "load_lexicon"]

_SENTENCE_END = re.compile(r"[。！？!?；;\n]")


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


# One match for a word that decides alone, two for a pair.
Mention = tuple[TopicMatch, ...]


@dataclass(frozen=True, slots=True)
class _Scan:
    """What a title or body holds: every mention that could decide, and the words that only stand beside."""

    deciding: tuple[Mention, ...]
    beside: tuple[TopicMatch, ...]


def find_topics(title: str, body: str, lexicon: Lexicon | None = None) -> TopicVerdict:
    """Decide whether a title and body concern intellectual property, by the built-in words unless others are given.

    Any strings will do, empty ones too; nothing is raised.
    """
    lexicon = lexicon or load_lexicon()
    in_title = _scan(title, "title", lexicon)
    in_body = _scan(body, "body", lexicon)
    if in_title.deciding:
        concerned, reason = True, f"The title says {_quote(min(in_title.deciding, key=len))}."
    else:
        concerned, reason = _judge_body(in_body, len(body), lexicon.body_rule)
    matches: list[TopicMatch] = []
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
        late = _quote(min(scan.deciding, key=len))
        return False, f"Only the last {rule.closing} characters of the text say {late}."
    opening = [mention for mention in counted if mention[0].start < rule.opening]
    if opening:
        clearest = _quote(min(opening, key=len))
        return True, f"The first {rule.opening} characters of the text say {clearest}."
    needed = max(rule.mentions, math.ceil(length / rule.per_mention))
    found = f"The text mentions intellectual property {len(counted)} times, first with {_quote(counted[0])}"
    if len(counted) < needed:
        return False, f"{found}; for {length} characters it would take {needed}.".replace(" 1 times", " once")
    return True, f"{found}."


def _quote(mention: Mention) -> str:
    return " and ".join(f"“{match.term}”" for match in mention)


def _scan(text: str, where: Field, lexicon: Lexicon) -> _Scan:
    words = lexicon.find_words(text, where)
    deciding: list[Mention] = [
        (TopicMatch(word.alone, word.term, where, start),) for start, word in words if word.alone
    ]
    deciding += _find_pairs(words, text, where, lexicon)
    beside = tuple(TopicMatch(word.beside, word.term, where, start) for start, word in words if word.beside)
    return _Scan(tuple(sorted(deciding, key=lambda mention: mention[0].start)), beside)


def _find_pairs(words: list[tuple[int, Word]], text: str, where: Field, lexicon: Lexicon) -> list[Mention]:
    """Each pair whose words stand in one sentence, once a sentence, where they stand there first."""
    parts = [(start, word) for start, word in words if word.pairs]
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
