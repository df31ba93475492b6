"""A few numbers that stand for a text, by which a database finds its near-duplicates.

Bottom-k sketch (A. Broder, "On the resemblance and containment of documents", 1997): the smallest hashes of a
text's 5-grams. Unlike MinHash bands it keeps finding a text that was cut to a third or set inside another.
"""

from __future__ import annotations

from hashlib import blake2b
from heapq import nsmallest
from zlib import crc32

from pipeline.dedupe.folding import fold_letters

SKETCH_SIZE = 16
SHARED_FOR_CANDIDATE = 2
"""Two texts are candidates when their sketches share at least this many values."""

GRAM = 5
_WIDTH = 2 * GRAM  # bytes of a gram in UTF-16
_SORTED = 4 * SKETCH_SIZE  # hashes that are to be expected below the bound
LEAST_LETTERS = 20
"""A text with fewer letters has no sketch: five-grams of a closing formula would make candidates of everything."""


def sketch(text: str) -> tuple[int, ...]:
    """The `SKETCH_SIZE` smallest of the text's 5-gram hashes, ascending; empty for a text that is too short.

    The hashes are signed 64-bit integers (SQL BIGINT) and the same on every machine: CRC-32 in the upper half,
    because it orders all grams and must be cheap, BLAKE2b in the lower half, only for the grams that stay.
    """
    letters = fold_letters(text)
    if len(letters) < LEAST_LETTERS:
        return ()
    data = letters.encode("utf-16-le")
    starts = range(0, len(data) - _WIDTH + 1, 2)
    # Nearly always the smallest are among those below a bound that few are below: only these are sorted.
    order = _order(data, starts, (_SORTED << 32) // len(starts))
    if len(order) < SKETCH_SIZE:
        order = _order(data, starts, 1 << 32)
    return tuple(
        sorted(
            (high << 32) + _low_half(data[order[high] : order[high] + _WIDTH]) - 2**63
            for high in nsmallest(SKETCH_SIZE, order)
        )
    )


def _order(data: bytes, starts: range, bound: int) -> dict[int, int]:
    """Where the grams start whose hashes are below the bound, by their hashes."""
    return {high: start for start in starts if (high := crc32(data[start : start + _WIDTH])) < bound}


def find_grams(letters: str) -> set[str]:
    """The distinct 5-grams of folded letters."""
    return {letters[start : start + GRAM] for start in range(len(letters) - GRAM + 1)}


def _low_half(gram: bytes) -> int:
    return int.from_bytes(blake2b(gram, digest_size=4).digest(), "big")
