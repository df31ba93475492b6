"""What changed from one version of a text to the next, as a person reads it: character by character, as text.

Paragraphs are no boundary: a text that was only parted otherwise has not changed. What makes no edit (`is_edit`:
white space, widths, counters, buttons) is not shown as a change.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.dedupe.align import Block, Gap, align_short, find_gaps
from pipeline.dedupe.compare import Text
from pipeline.dedupe.folding import fold_wording_at
from pipeline.dedupe.furniture import strip_noise

_SMALLEST_KEPT = 4
"""A shorter run of equal characters between two changes is a chance: both are shown as one change."""

_CONTEXT = 16
_BRIEF_CONTEXT = 8
_BRIEF_LENGTH = 60
_TELLING = 4
"""Fewer characters that came or went say nothing without what stands around them: 三十万 → 三万."""

_BRIEF_CHANGES = 4
_WORD = re.compile(r"[0-9A-Za-z.,%]")
_SENTENCE_END = re.compile(r"[。！？；\n]")
_CLAUSE_END = re.compile(r"[。！？；：，:;\n]")


@dataclass(frozen=True, slots=True)
class Change:
    """One place where two versions differ.

    `removed` stood in the older version, `added` stands in the newer; one of them may be empty. `before` and `after`
    are what stands around it in both, cut. `paragraph` counts from 1, in the newer version's body; 0 in a title.
    """

    field: Literal["title", "body"]
    paragraph: int
    before: str
    removed: str
    added: str
    after: str

    def describe(self) -> dict[str, str | int]:
        """As JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


def find_changes(old: Text, new: Text) -> tuple[Change, ...]:
    """Every place where title or body differ, in order; nothing for two texts that are no edit of one another."""
    return (
        *_differences("title", html.unescape(old.title), html.unescape(new.title)),
        *_differences("body", strip_noise(html.unescape(old.body)), strip_noise(html.unescape(new.body))),
    )


def render_change(change: Change) -> str:
    """A change on one line, the removed in [-…-] and the added in {+…+}, with what stands around them."""
    removed = f"[-{_flat(change.removed)}-]" if change.removed else ""
    added = f"{{+{_flat(change.added)}+}}" if change.added else ""
    return f"{_flat(change.before)}{removed}{added}{_flat(change.after)}"


def summarise_changes(changes: Sequence[Change]) -> str:
    """What changed, in one line of a few hundred characters at most; "" for no changes."""
    shown = [_brief(change) for change in changes[:_BRIEF_CHANGES]]
    if len(changes) > _BRIEF_CHANGES:
        shown.append(f"and {len(changes) - _BRIEF_CHANGES} more places")
    return "; ".join(shown)


def _brief(change: Change) -> str:
    field = "title: " if change.field == "title" else ""
    alone = max(len(change.removed), len(change.added)) >= _TELLING
    if alone and not change.removed:
        return f"{field}added “{_cut(change.added)}”"
    if alone and not change.added:
        return f"{field}removed “{_cut(change.removed)}”"
    before = _CLAUSE_END.split(change.before)[-1].lstrip("…")[-_BRIEF_CONTEXT:]
    after = _CLAUSE_END.split(change.after)[0].rstrip("…")[:_BRIEF_CONTEXT]
    old, new = (f"{before}{_cut(part)}{after}" for part in (change.removed, change.added))
    return f"{field}“{_flat(old)}” → “{_flat(new)}”"


def _cut(text: str) -> str:
    text = _flat(text)
    return text if len(text) <= _BRIEF_LENGTH else text[: _BRIEF_LENGTH - 1] + "…"


def _flat(text: str) -> str:
    return " ".join(text.split())


def _differences(field: Literal["title", "body"], old: str, new: str) -> Iterator[Change]:
    (a, a_at), (b, b_at) = fold_wording_at(old), fold_wording_at(new)
    if a == b:
        return
    for gap in _gaps(a, b):
        removed = _piece(old, a_at, gap.a_start, gap.a_end)
        added = _piece(new, b_at, gap.b_start, gap.b_end)
        start = b_at[gap.b_start] if gap.b_start < len(b_at) else len(new)
        before = _piece(new, b_at, max(0, gap.b_start - _CONTEXT), gap.b_start)
        after = _piece(new, b_at, gap.b_end, min(len(b), gap.b_end + _CONTEXT))
        yield Change(
            field,
            0 if field == "title" else new.count("\n", 0, start) + 1,
            ("…" if gap.b_start > _CONTEXT else "") + before,
            removed,
            added,
            after + ("…" if gap.b_end + _CONTEXT < len(b) else ""),
        )


def _piece(text: str, at: list[int], start: int, end: int) -> str:
    return text[at[start] : at[end - 1] + 1] if start < end else ""


def _gaps(a: str, b: str) -> Iterator[Gap]:
    """What differs, whole words and numbers, and what only chance would keep apart as one."""
    edges = [Block(0, 0, 0), *align_short(a, b), Block(len(a), len(b), 0)]
    joined: list[Gap] = []
    for gap in find_gaps(edges):
        gap = _whole_words(a, b, gap)
        last = joined[-1] if joined else None
        if last and _is_chance(a[last.a_end : gap.a_start], last, gap):
            joined[-1] = Gap(last.a_start, gap.a_end, last.b_start, gap.b_end)
        else:
            joined.append(gap)
    yield from joined


def _is_chance(between: str, one: Gap, other: Gap) -> bool:
    if _SENTENCE_END.search(between):
        return False
    return len(between) < _SMALLEST_KEPT and len(between) <= min(_size(one), _size(other))


def _size(gap: Gap) -> int:
    return max(gap.a_end - gap.a_start, gap.b_end - gap.b_start)


def _whole_words(a: str, b: str, gap: Gap) -> Gap:
    """The gap with the rest of the numbers and Latin words at its edges: 3500 → 3600, not 5 → 6."""
    a_start, a_end, b_start, b_end = gap
    if _in_word(a[a_start:a_end][:1] or b[b_start:b_end][:1]):
        while a_start and b_start and a[a_start - 1] == b[b_start - 1] and _in_word(a[a_start - 1]):
            a_start, b_start = a_start - 1, b_start - 1
    if _in_word(a[a_start:a_end][-1:] or b[b_start:b_end][-1:]):
        while a_end < len(a) and b_end < len(b) and a[a_end] == b[b_end] and _in_word(a[a_end]):
            a_end, b_end = a_end + 1, b_end + 1
    return Gap(a_start, a_end, b_start, b_end)


def _in_word(character: str) -> bool:
    return _WORD.fullmatch(character) is not None
