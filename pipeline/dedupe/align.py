"""Which part of one text stands where in another: common blocks in the order of both.

Anchors are n-grams that occur once in each text, chained by the longest increasing run (patience diff), first
wide ones, then narrower ones between them. Linear in practice, where difflib is quadratic.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise
from typing import NamedTuple

WIDE, MIDDLE, NARROW = 8, 4, 2
_NARROW_LIMIT = 300
"""Pairs of characters are anchors only in gaps this short: in longer ones they meet by chance."""

_WEAK = 24
_ROUNDS = 400
_STRIDE = 64
"""Letters that are compared at once where two texts may go on alike."""


class Block(NamedTuple):
    """`size` equal letters from `a` in the one text and from `b` in the other."""

    a: int
    b: int
    size: int


class Gap(NamedTuple):
    """What stands between two blocks: letters a_start..a_end of the one text, b_start..b_end of the other."""

    a_start: int
    a_end: int
    b_start: int
    b_end: int


def align(a: str, b: str) -> list[Block]:
    """Common blocks of two strings of letters, from the first that is surely shared to the last.

    A short block far from its neighbour is left out at both ends: a phrase that a footer has in common with a
    part that the reprint cut off is no sign of where the reprint ends. What stands before the first and after
    the last block is head and tail, and is taken in when it agrees in half of its letters.
    """
    core = _trimmed(_chain(a, b, Gap(0, len(a), 0, len(b)), (WIDE,)))
    if not core:
        return []
    inner = [block for gap in find_gaps(core) for block in _chain(a, b, gap, (MIDDLE, NARROW))]
    first, last = core[0], core[-1]
    head_width = min(first.a, first.b, _NARROW_LIMIT)
    head = Gap(max(0, first.a - 2 * head_width), first.a, max(0, first.b - 2 * head_width), first.b)
    a_end, b_end = last.a + last.size, last.b + last.size
    tail_width = min(len(a) - a_end, len(b) - b_end, _NARROW_LIMIT)
    tail = Gap(a_end, min(len(a), a_end + 2 * tail_width), b_end, min(len(b), b_end + 2 * tail_width))
    ends = [
        block
        for gap, width in ((head, head_width), (tail, tail_width))
        for block in _agreeing(_chain(a, b, gap, (MIDDLE, NARROW)), width)
    ]
    return _joined(sorted([*core, *inner, *ends]))


def align_short(a: str, b: str) -> list[Block]:
    """Common blocks of two headlines or sentences, where a shared word is evidence enough."""
    return _chain(a, b, Gap(0, len(a), 0, len(b)), (MIDDLE, NARROW))


def find_gaps(blocks: list[Block]) -> list[Gap]:
    """What stands between neighbouring blocks, in either text or in both."""
    gaps = []
    for one, other in pairwise(blocks):
        gap = Gap(one.a + one.size, other.a, one.b + one.size, other.b)
        if gap.a_start < gap.a_end or gap.b_start < gap.b_end:
            gaps.append(gap)
    return gaps


def _agreeing(blocks: list[Block], width: int) -> list[Block]:
    return blocks if 2 * sum(block.size for block in blocks) >= width else []


def _chain(a: str, b: str, region: Gap, widths: tuple[int, ...]) -> list[Block]:
    blocks: list[Block] = []
    waiting = [(region, 0)]
    for _ in range(_ROUNDS):
        if not waiting:
            break
        gap, level = waiting.pop()
        gap = _taken_at_ends(a, b, gap, blocks)
        shorter = min(gap.a_end - gap.a_start, gap.b_end - gap.b_start)
        if shorter < widths[level] or (widths[level] == NARROW and shorter > _NARROW_LIMIT):
            if shorter and level + 1 < len(widths):
                waiting.append((gap, level + 1))
            continue
        found = _anchors(a, b, gap, widths[level])
        blocks += found
        if found:
            edges = [Block(gap.a_start, gap.b_start, 0), *found, Block(gap.a_end, gap.b_end, 0)]
            waiting += [
                (inner, level)
                for inner in find_gaps(edges)
                if inner.a_start < inner.a_end and inner.b_start < inner.b_end
            ]
        elif level + 1 < len(widths):
            waiting.append((gap, level + 1))
    return _joined(sorted(blocks))


def _taken_at_ends(a: str, b: str, gap: Gap, blocks: list[Block]) -> Gap:
    """Blocks for what the gap's sides have in common at their beginning and end; the rest of the gap."""
    a_start, a_end, b_start, b_end = gap
    limit = min(a_end - a_start, b_end - b_start)
    front = _count_ahead(a, a_start, b, b_start, limit)
    back = _count_back(a, a_end, b, b_end, limit)
    if front > back:
        back = min(back, limit - front)
    else:
        front = min(front, limit - back)
    if front:
        blocks.append(Block(a_start, b_start, front))
    if back:
        blocks.append(Block(a_end - back, b_end - back, back))
    return Gap(a_start + front, a_end - back, b_start + front, b_end - back)


def _anchors(a: str, b: str, gap: Gap, width: int) -> list[Block]:
    """The longest chain of grams that are unique on both sides, each grown as far as the letters agree.

    Where nothing is unique on both sides (a page that prints its text twice), the first place in b counts.
    """
    in_a, twice_a = _places(a, gap.a_start, gap.a_end, width)
    in_b, twice_b = _places(b, gap.b_start, gap.b_end, width)
    shared = [(place, in_b[gram]) for gram, place in in_a.items() if gram in in_b and gram not in twice_a]
    pairs = [pair for pair in shared if b[pair[1] : pair[1] + width] not in twice_b] or shared
    blocks: list[Block] = []
    a_from, b_from = gap.a_start, gap.b_start
    for a_at, b_at in _longest_rising(pairs):
        if a_at < a_from or b_at < b_from:
            continue
        back = _count_back(a, a_at, b, b_at, min(a_at - a_from, b_at - b_from))
        size = _count_ahead(a, a_at, b, b_at, min(gap.a_end - a_at, gap.b_end - b_at))
        blocks.append(Block(a_at - back, b_at - back, size + back))
        a_from, b_from = a_at + size, b_at + size
    return blocks


def _count_ahead(a: str, a_at: int, b: str, b_at: int, limit: int) -> int:
    """How many letters agree from these places on, up to a limit."""
    count = 0
    while count + _STRIDE <= limit and a.startswith(b[b_at + count : b_at + count + _STRIDE], a_at + count):
        count += _STRIDE
    while count < limit and a[a_at + count] == b[b_at + count]:
        count += 1
    return count


def _count_back(a: str, a_end: int, b: str, b_end: int, limit: int) -> int:
    """How many letters agree before these places, up to a limit."""
    count = 0
    while count + _STRIDE <= limit and a.endswith(
        b[b_end - count - _STRIDE : b_end - count], 0, a_end - count
    ):
        count += _STRIDE
    while count < limit and a[a_end - count - 1] == b[b_end - count - 1]:
        count += 1
    return count


def _places(text: str, start: int, end: int, width: int) -> tuple[dict[str, int], set[str]]:
    """Where each gram stands first, and the grams that stand more than once."""
    places: dict[str, int] = {}
    twice = set()
    for place in range(start, end - width + 1):
        gram = text[place : place + width]
        if gram in places:
            twice.add(gram)
        else:
            places[gram] = place
    return places, twice


def _longest_rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest run of pairs that rises in both members (the pairs come in order of the first)."""
    ends: list[int] = []
    chosen: list[int] = []
    before: list[int] = []
    for index, (_, b_at) in enumerate(pairs):
        length = bisect_left(ends, b_at)
        before.append(chosen[length - 1] if length else -1)
        if length == len(ends):
            ends.append(b_at)
            chosen.append(index)
        else:
            ends[length] = b_at
            chosen[length] = index
    run = []
    index = chosen[-1] if chosen else -1
    while index >= 0:
        run.append(pairs[index])
        index = before[index]
    return run[::-1]


def _trimmed(blocks: list[Block]) -> list[Block]:
    first, last = 0, len(blocks)
    while last - first > 1 and _stray(blocks[first], blocks[first], blocks[first + 1]):
        first += 1
    while last - first > 1 and _stray(blocks[last - 1], blocks[last - 2], blocks[last - 1]):
        last -= 1
    return blocks[first:last]


def _stray(block: Block, one: Block, other: Block) -> bool:
    distance = max(other.a - one.a - one.size, other.b - one.b - one.size)
    return block.size < _WEAK and distance > 2 * block.size


def _joined(blocks: list[Block]) -> list[Block]:
    joined: list[Block] = []
    for block in blocks:
        if joined and joined[-1].a + joined[-1].size == block.a and joined[-1].b + joined[-1].size == block.b:
            joined[-1] = Block(joined[-1].a, joined[-1].b, joined[-1].size + block.size)
        else:
            joined.append(block)
    return joined
