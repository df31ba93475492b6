"""Objections to a merge: evidence, in the part that two texts share, that they tell of two things.

Every guard sees the alignment of the two texts and returns one clause for a person, or None. Numbers outside
the shared part (a reprint's header, footer, other items of a digest) object only where both texts have one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from pipeline.dedupe.align import Block, Gap, align_short, find_gaps
from pipeline.dedupe.folding import Folded
from pipeline.dedupe.names import (
    ENGLISH_PARTICLES,
    are_fields,
    explain_longer_name,
    explain_two_names,
    has_party,
    starts_as_edit,
)
from pipeline.dedupe.numbers import (
    Token,
    find_designations,
    find_labelled,
    find_numbers,
    find_words,
    mentions,
)

_CONTEXT = 24
_PAIRED_ENDS = 60
"""Letters that both texts may have before (or after) their shared part: a header that was exchanged."""

_NAME_LETTERS, _NAME_LETTERS_AT_ENDS = 24, 12
_DATE = 6
"""Letters of a date's part that may stand before the shared part: 5月 of 5月10日, where the other says 10月18日."""

_CUT_OFF = 20
"""Letters that at least are missing from a text that ends within a number."""

_EDIT_LETTERS = 6
_EDITS_LEAST, _EDITS_SHARE, _EDITS_MOST = 4, 0.03, 40
"""Letters that light edits may exchange: a few, and a few more in a long text."""

_BRIEF, _BRIEFEST = 150, 60
"""A text of fewer letters is a form with little to fill in: a word exchanged in it makes another notice, in the
shortest ones a single letter."""

_PHRASES = ((400, 3), (800, 4))
"""In a text of fewer letters a phrase of so many, exchanged for one with hardly a letter in common, makes another
notice."""

_EXCLUSIVE_LEAST, _EXCLUSIVE_SHARE, _EXCLUSIVE_MOST = 30, 0.15, 200
"""Letters that each text may have within the shared part that the other lacks."""

# What English adds to a word: infringe, infringing. Of Northgate and Northern it leaves what tells them apart.
_INFLECTION = re.compile("(?<=[a-z]{3})(?:e?[sd]|e|ing|ions?|ments?|[eo]rs?|y|ie[sd]|ly|al)$")
_CUT = "..."
_MARK = re.compile(r"[。.!?;:|]")
_DRAFT = re.compile(r"征求意见稿|公开征求意见|送审稿|草案|\bdraft\b")


@dataclass(frozen=True, slots=True)
class Aligned:
    """Two folded texts, the blocks that they share, and the tokens of each that no block may cut."""

    a: Folded
    b: Folded
    blocks: tuple[Block, ...]
    numbers: tuple[tuple[Token, ...], tuple[Token, ...]]
    words: tuple[tuple[Token, ...], tuple[Token, ...]]
    gaps: tuple[Gap, ...]

    @property
    def shared(self) -> int:
        """Letters in common."""
        return sum(block.size for block in self.blocks)

    @property
    def ends(self) -> tuple[Gap, Gap]:
        """What stands before the first and after the last block."""
        first, last = self.blocks[0], self.blocks[-1]
        return (
            Gap(0, first.a, 0, first.b),
            Gap(last.a + last.size, len(self.a.letters), last.b + last.size, len(self.b.letters)),
        )

    def within(self) -> Gap:
        """The shared part, from the first block to the last, with what stands between."""
        head, tail = self.ends
        return Gap(head.a_end, tail.a_start, head.b_end, tail.b_start)


def guard_tokens(a: Folded, b: Folded, blocks: list[Block]) -> Aligned:
    """The alignment without the blocks' parts that agree only with a piece of a number or a word (61 of 612)."""
    numbers = tuple(find_numbers(a)), tuple(find_numbers(b))
    words = tuple(find_words(a)), tuple(find_words(b))
    whole = _without_pieces(blocks, numbers[0] + words[0], numbers[1] + words[1])
    return Aligned(a, b, tuple(whole), numbers, words, tuple(find_gaps(whole)))


def find_objection(aligned: Aligned) -> str | None:
    """What the first guard that objects has to say of two bodies."""
    for guard in GUARDS:
        if objection := guard(aligned):
            return objection
    return None


def find_title_objection(one: Folded, other: Folded, bodies: Aligned, title: Aligned | None) -> str | None:
    """What two headlines have against a merge of their bodies.

    A headline may be rewritten freely; but two places in a series (第612号, 第613号; 2025年, 2026年) that the
    other text doesn't know, two names in one phrase, or words that are exchanged in headline and body alike, make
    two things. So do a draft and what may be its final text. `title` is the headlines' alignment, or None where
    they have less than half in common.
    """
    one_body, other_body = bodies.a, bodies.b
    labelled, other_labelled = find_labelled(one), find_labelled(other)
    for label in sorted(labelled.keys() & other_labelled.keys()):
        mine, theirs = labelled[label] - other_labelled[label], other_labelled[label] - labelled[label]
        if (
            mine
            and theirs
            and not any(mentions(other_body, value) for value in mine)
            and not any(mentions(one_body, value) for value in theirs)
        ):
            return f"the titles say {_listed(mine)} and {_listed(theirs)}"
    if title is None:
        return None
    for headline, text in (
        (one, f"{other.plain} {other_body.plain}"),
        (other, f"{one.plain} {one_body.plain}"),
    ):
        for draft in _DRAFT.findall(headline.plain):
            if draft not in text:
                return f"only one title says {draft}"
    for a, b in sorted(_exchanged(title) & _exchanged(bodies)):
        if are_fields(a, b):
            return f"the one says {a} in headline and text where the other says {b}"
    return guard_names(title)


def guard_designations(aligned: Aligned) -> str | None:
    """Two case, document, announcement, decision, patent or mark numbers never merge."""
    designations = find_designations(aligned.a), find_designations(aligned.b)
    for place in (aligned.within(), *_paired(aligned)):
        mine = {token.value for token in _inside(designations[0], place.a_start, place.a_end)}
        theirs = {token.value for token in _inside(designations[1], place.b_start, place.b_end)}
        if mine - theirs and theirs - mine:
            return f"one says {_listed(mine - theirs)} where the other says {_listed(theirs - mine)}"
    return None


def guard_numbers(aligned: Aligned) -> str | None:
    """At one place, two dates, amounts, counts: two things. So are two texts that each have numbers within the
    shared part that the other lacks. Numbers that only one of them added or left out are no conflict.
    """
    mine_only: Counter[str] = Counter()
    theirs_only: Counter[str] = Counter()
    for gap in aligned.gaps:
        mine, theirs = _values(aligned, gap)
        if not _agree(mine, theirs):
            return _contrast(aligned, gap)
        if "".join(mine) != "".join(theirs):
            mine_only += Counter(mine) - Counter(theirs)
            theirs_only += Counter(theirs) - Counter(mine)
    opening = _beside(aligned)
    if (opening.a_start < opening.a_end) != (opening.b_start < opening.b_end) and _length(opening) <= _DATE:
        mine, theirs = _values(aligned, opening)
        mine_only += Counter(mine)
        theirs_only += Counter(theirs)
    if mine_only - theirs_only and theirs_only - mine_only:
        lacking = f"{_listed(mine_only)}; {_listed(theirs_only)}"
        return f"each has a number within the shared part that the other lacks ({lacking})"
    for gap in dict.fromkeys((*_paired(aligned), *_paired_in_line(aligned))):
        shorter, longer = sorted((gap.a_end - gap.a_start, gap.b_end - gap.b_start))
        if longer <= min(2 * _PAIRED_ENDS, 3 * shorter) and not _agree(*_values(aligned, gap)):
            return _contrast(aligned, gap)
    return None


def guard_words(aligned: Aligned) -> str | None:
    """Two Latin names or codes at one place; endings may differ (infringe, infringing), and so may English words that
    name nothing."""
    for gap in (*aligned.gaps, *_opening(aligned)):
        mine = _names(aligned.words[0], gap.a_start, gap.a_end)
        theirs = _names(aligned.words[1], gap.b_start, gap.b_end)
        if mine and theirs and "".join(mine) != "".join(theirs) and _stems(mine) != _stems(theirs):
            return f"one says {_listed(mine)} where the other says {_listed(theirs)}"
    return None


def guard_names(aligned: Aligned) -> str | None:
    """Two names at one place, and one word exchanged for another throughout, as a form's fields are."""
    seen: Counter[tuple[str, str]] = Counter()
    places = [(gap, _NAME_LETTERS) for gap in aligned.gaps]
    places += [(gap, _NAME_LETTERS_AT_ENDS) for gap in _paired_in_line(aligned)]
    for gap, longest in places:
        a, b = _words_only(aligned, gap)
        if not a and not b:
            continue
        seen[a, b] += 1
        if a and b and seen[a, b] > 1 and are_fields(a, b):
            return f"the one says {a} wherever the other says {b}"
        for text, start, end in ((aligned.a, gap.a_start, gap.a_end), (aligned.b, gap.b_start, gap.b_end)):
            left, right = text.around(start, end, _CONTEXT)
            if a and b:
                why = explain_two_names(a, b, left, right) if max(len(a), len(b)) <= longest else None
            else:
                why = explain_longer_name(a or b, left, right)
            if why:
                return f"{_short(a) or 'nothing'} and {_short(b) or 'nothing'} are {why}"
    return None


def guard_parties(aligned: Aligned) -> str | None:
    """Texts that share their law and each open (or close) with parties of their own."""
    for gap in _paired(aligned):
        a, b = _excerpts(aligned, gap)
        if has_party(a) and has_party(b):
            return f"each names parties of its own outside the shared part ({_short(a)}; {_short(b)})"
    return None


def guard_contents(aligned: Aligned) -> str | None:
    """More that differs, on both sides, than an exchanged header or light edits explain."""
    for gap in aligned.ends:
        paired = min(gap.a_end - gap.a_start, gap.b_end - gap.b_start)
        if paired > _PAIRED_ENDS or 2 * paired > aligned.shared:
            return f"both go on for {paired} characters or more outside the shared part"
    exchanged = 0
    is_brief = aligned.shared < _BRIEF
    for gap in (*aligned.gaps, *(_opening(aligned) if is_brief else ())):
        a, b = _words_only(aligned, gap)
        if a and b:
            is_word = min(len(a), len(b)) > 1 and not starts_as_edit(a) and not starts_as_edit(b)
            is_letter = aligned.shared < _BRIEFEST and not (starts_as_edit(a) and starts_as_edit(b))
            if (is_brief and is_word) or is_letter:
                return f"so short a text says {_short(a)} where the other says {_short(b)}"
            if _is_another_phrase(a, b, aligned.shared):
                return f"one says {_short(a)} where the other says {_short(b)}, which is no light edit"
            exchanged += (
                max(len(a), len(b)) if max(len(a), len(b)) <= _EDIT_LETTERS else 2 * min(len(a), len(b))
            )
    if exchanged > min(_EDITS_LEAST + _EDITS_SHARE * aligned.shared, _EDITS_MOST):
        return f"{exchanged} characters are exchanged for others, more than light edits do"
    core = aligned.within()
    exclusive = min(core.a_end - core.a_start, core.b_end - core.b_start) - aligned.shared
    if exclusive > min(_EXCLUSIVE_LEAST + _EXCLUSIVE_SHARE * aligned.shared, _EXCLUSIVE_MOST):
        return f"each has {exclusive} characters or more within the shared part that the other lacks"
    return None


GUARDS: tuple[Callable[[Aligned], str | None], ...] = (
    guard_designations,
    guard_numbers,
    guard_words,
    guard_names,
    guard_parties,
    guard_contents,
)


def _is_another_phrase(a: str, b: str, shared: int) -> bool:
    """Whether so many characters were exchanged in one place that it is no light edit of a text of this length.
    Latin words have a guard of their own."""
    least = next((letters for below, letters in _PHRASES if shared < below), None)
    shorter = min(len(a), len(b))
    if least is None or shorter < least or len(set(a) & set(b)) > shorter / 4:
        return False
    return not any(text.isascii() or starts_as_edit(text) for text in (a, b))


def _without_pieces(blocks: list[Block], a_tokens: Iterable[Token], b_tokens: Iterable[Token]) -> list[Block]:
    a_spans = {(token.start, token.end, token.value) for token in a_tokens}
    b_spans = {(token.start, token.end, token.value) for token in b_tokens}
    kept = []
    for block in blocks:
        shift = block.b - block.a
        end = block.a + block.size
        mine = {span for span in a_spans if span[0] < end and span[1] > block.a}
        theirs = {
            (start - shift, stop - shift, value)
            for start, stop, value in b_spans
            if start - shift < end and stop - shift > block.a
        }
        whole = {span for span in mine & theirs if block.a <= span[0] and span[1] <= end}
        at = block.a
        for start, stop, _ in sorted((mine | theirs) - whole):
            if start > at:
                kept.append(Block(at, at + shift, start - at))
            at = max(at, min(stop, end))
        if at < end:
            kept.append(Block(at, at + shift, end - at))
    return kept


def _paired(aligned: Aligned) -> Iterator[Gap]:
    """Head and tail, where both texts have one. A text that was cut within a word or number has no tail."""
    head, tail = aligned.ends
    if head.a_start < head.a_end and head.b_start < head.b_end:
        yield head
    if tail.a_start < tail.a_end and tail.b_start < tail.b_end:
        few, many = sorted((aligned.a.letters[tail.a_start :], aligned.b.letters[tail.b_start :]), key=len)
        if not (many.startswith(few) and len(many) >= _CUT_OFF):
            yield tail


def _beside(aligned: Aligned) -> Gap:
    """What stands before the shared part in the line that the shared part begins in; headers have their own lines."""
    head, _ = aligned.ends
    return Gap(aligned.a.line_start(head.a_end), head.a_end, aligned.b.line_start(head.b_end), head.b_end)


def _opening(aligned: Aligned) -> Iterator[Gap]:
    """That part of the line, where in both texts it begins a sentence that the shared part goes on with. A dateline or
    a credit ends in a mark."""
    gap = _beside(aligned)
    for text, start, end in ((aligned.a, gap.a_start, gap.a_end), (aligned.b, gap.b_start, gap.b_end)):
        goes_on = text.around(start, end, 2)[1].lstrip()[:1].isalnum()
        if start == end or not goes_on or _MARK.search(text.excerpt(start, end)):
            return
    yield gap


def _paired_in_line(aligned: Aligned) -> Iterator[Gap]:
    """Of head and tail what stands in one line with the shared part, where both texts have some; else all of it.
    Where a line ends with the shared part, the next one tells something only if it is worded alike (a date); where
    a text was cut (…), what follows tells nothing."""
    head, _ = aligned.ends
    a, b = aligned.a, aligned.b
    for gap in _paired(aligned):
        if gap == head:
            near = _beside(aligned)
            is_footer = False
        else:
            near = gap._replace(a_end=a.line_end(gap.a_start), b_end=b.line_end(gap.b_start))
            is_end = gap.a_start in a.lines or gap.b_start in b.lines
            is_cut = any(_CUT in text for text in _excerpts(aligned, near))
            is_footer = is_cut or (is_end and len(set(_words_only(aligned, near))) > 1)
        if near.a_start == near.a_end or near.b_start == near.b_end or is_footer:
            yield gap
        else:
            yield from _parts(aligned, near)


def _parts(aligned: Aligned, gap: Gap) -> list[Gap]:
    """Where the two sides differ, if they have a third of the shorter one in common; else the whole gap."""
    a = aligned.a.letters[gap.a_start : gap.a_end]
    b = aligned.b.letters[gap.b_start : gap.b_end]
    blocks = align_short(a, b) if min(len(a), len(b)) <= _PAIRED_ENDS else []
    if 3 * sum(block.size for block in blocks) < min(len(a), len(b)):
        return [gap]
    edges = [Block(0, 0, 0), *blocks, Block(len(a), len(b), 0)]
    return [
        Gap(
            gap.a_start + part.a_start,
            gap.a_start + part.a_end,
            gap.b_start + part.b_start,
            gap.b_start + part.b_end,
        )
        for part in find_gaps(edges)
    ]


def _names(words: Iterable[Token], start: int, end: int) -> list[str]:
    return [token.value for token in _inside(words, start, end) if token.value not in ENGLISH_PARTICLES]


def _stems(words: Iterable[str]) -> list[str]:
    return [_INFLECTION.sub("", word) for word in words]


def _inside(tokens: Iterable[Token], start: int, end: int) -> list[Token]:
    return [token for token in tokens if start <= token.start and token.end <= end]


def _values(aligned: Aligned, gap: Gap) -> tuple[list[str], list[str]]:
    """The numbers of both sides of a gap. A lone 一 counts only against another number."""
    mine = _inside(aligned.numbers[0], gap.a_start, gap.a_end)
    theirs = _inside(aligned.numbers[1], gap.b_start, gap.b_end)
    lone = len(mine) == len(theirs) == 1
    return (
        [token.value for token in mine if lone or not token.weak],
        [token.value for token in theirs if lone or not token.weak],
    )


def _agree(mine: list[str], theirs: list[str]) -> bool:
    """Whether one side's numbers come within the other's, in order; 5 756 and 5756 are one number."""
    few, many = sorted((mine, theirs), key=len)
    rest = iter(many)
    return all(value in rest for value in few) or "".join(few) == "".join(many)


def _contrast(aligned: Aligned, gap: Gap) -> str:
    one = _shown(aligned.a, gap.a_start, gap.a_end)
    other = _shown(aligned.b, gap.b_start, gap.b_end)
    return f"one says {one} where the other says {other}"


def _exchanged(aligned: Aligned) -> set[tuple[str, str]]:
    """What the one text says where the other says something else, also at beginning and end."""
    places = (*aligned.gaps, *_paired(aligned))
    words = [_words_only(aligned, gap) for gap in places if _length(gap) <= _NAME_LETTERS]
    return {(a, b) for a, b in words if a and b}


def _excerpts(aligned: Aligned, gap: Gap) -> tuple[str, str]:
    return aligned.a.excerpt(gap.a_start, gap.a_end), aligned.b.excerpt(gap.b_start, gap.b_end)


def _length(gap: Gap) -> int:
    return max(gap.a_end - gap.a_start, gap.b_end - gap.b_start)


def _words_only(aligned: Aligned, gap: Gap) -> tuple[str, str]:
    """The two sides of a gap without their numbers, which have a guard of their own."""
    return (
        _cut(aligned.a, gap.a_start, gap.a_end, aligned.numbers[0]),
        _cut(aligned.b, gap.b_start, gap.b_end, aligned.numbers[1]),
    )


def _cut(text: Folded, start: int, end: int, numbers: Iterable[Token]) -> str:
    pieces, at = [], start
    for number in _inside(numbers, start, end):
        if not number.weak:
            pieces.append(text.letters[at : number.start])
            at = number.end
    pieces.append(text.letters[at:end])
    return "".join(pieces)


def _shown(text: Folded, start: int, end: int) -> str:
    left, right = text.around(start, end, 4)
    return _short(f"{left}{text.excerpt(start, end)}{right}")


def _listed(values: Iterable[str]) -> str:
    return _short(", ".join(sorted(values)))


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"
