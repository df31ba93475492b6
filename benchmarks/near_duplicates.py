"""Reposts found and look-alikes merged: iprwatch against SimHash, MinHash, MinHash-LSH and plain containment.

    python -m benchmarks.near_duplicates [--pairs 1800] [--seed 1] [--own]

Each method judges the same pairs of texts that `reposts.py` makes from `notices.toml`; a method that needs a
threshold has the usual one. The run is the same for one seed, but for the times.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable
from hashlib import blake2b
from random import Random

from benchmarks.reposts import Pair, make_look_alikes, make_reposts
from pipeline.dedupe import SHARED_FOR_CANDIDATE, Text, compare, sketch

_GRAM = 5
_BITS = 64
_BANDS, _ROWS = 32, 4
_RANDOM = Random(2)
_MASKS = [_RANDOM.getrandbits(_BITS) for _ in range(_BANDS * _ROWS)]

Method = Callable[[Text, Text], bool]


def judge_simhash(a: Text, b: Text) -> bool:
    """SimHash of 64 bits over 5-grams; equal when at most 3 bits differ."""
    return (_simhash(a.body) ^ _simhash(b.body)).bit_count() <= 3


def judge_minhash(a: Text, b: Text) -> bool:
    """MinHash of 64 values over 5-grams; equal when half of the values agree."""
    one, other = _minhash(a.body, 64), _minhash(b.body, 64)
    return 2 * sum(left == right for left, right in zip(one, other, strict=True)) >= len(one)


def judge_lsh(a: Text, b: Text) -> bool:
    """MinHash-LSH: one of 32 bands of 4 values is equal."""
    one, other = _minhash(a.body, len(_MASKS)), _minhash(b.body, len(_MASKS))
    return any(one[at : at + _ROWS] == other[at : at + _ROWS] for at in range(0, len(one), _ROWS))


def judge_containment(a: Text, b: Text) -> bool:
    """Half of the shorter text's 5-grams are in the longer one."""
    one, other = _grams(a.body), _grams(b.body)
    return 2 * len(one & other) >= min(len(one), len(other))


def judge_candidates(a: Text, b: Text) -> bool:
    """iprwatch's first step alone: sketches with enough values in common."""
    return len(set(sketch(a.body)) & set(sketch(b.body))) >= SHARED_FOR_CANDIDATE


def judge_comparison(a: Text, b: Text) -> bool:
    """iprwatch's second step alone."""
    return compare(a, b).verdict == "repost"


def judge_both(a: Text, b: Text) -> bool:
    """iprwatch as it runs: what the sketch finds is compared."""
    return judge_candidates(a, b) and judge_comparison(a, b)


METHODS: dict[str, Method] = {
    "SimHash, 3 bits": judge_simhash,
    "MinHash >= 0.5": judge_minhash,
    "MinHash-LSH, 32 x 4": judge_lsh,
    "containment >= 0.5": judge_containment,
    "iprwatch: sketch alone": judge_candidates,
    "iprwatch: comparison alone": judge_comparison,
    "iprwatch": judge_both,
}


def _grams(body: str) -> set[str]:
    letters = "".join(body.split())
    return {letters[at : at + _GRAM] for at in range(max(1, len(letters) - _GRAM + 1))}


def _hashes(body: str) -> list[int]:
    return [int.from_bytes(blake2b(gram.encode(), digest_size=8).digest(), "big") for gram in _grams(body)]


def _simhash(body: str) -> int:
    hashes = _hashes(body)
    return sum(
        1 << bit for bit in range(_BITS) if 2 * sum(value >> bit & 1 for value in hashes) > len(hashes)
    )


def _minhash(body: str, size: int) -> list[int]:
    hashes = _hashes(body)
    return [min([value ^ mask for value in hashes]) for mask in _MASKS[:size]]


def main() -> None:
    """Print one line a method, then iprwatch's result for each kind of pair."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=1800, help="pairs of reposts, and as many look-alikes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--own", action="store_true", help="only iprwatch, not what it is compared with")
    options = parser.parse_args()
    pairs = [*make_reposts(options.seed, options.pairs), *make_look_alikes(options.seed + 1, options.pairs)]
    characters = sum(len(pair.a.body) + len(pair.b.body) for pair in pairs) / (2 * len(pairs))
    print(
        f"{options.pairs} reposts, {options.pairs} look-alikes, seed {options.seed}, {characters:.0f} characters a text"
    )
    print(f"\n{'method':<28}{'recall':>8}{'false merges':>14}{'precision':>11}{'µs a pair':>11}")
    for name, method in METHODS.items():
        if options.own and not name.startswith("iprwatch"):
            continue
        _print_method(name, method, pairs)
    print(f"\nµs a sketch: {_time_sketches(pairs):.0f}")
    _print_kinds(pairs)


def _print_method(name: str, method: Method, pairs: list[Pair]) -> None:
    start = time.perf_counter()
    merged = [pair.is_repost for pair in pairs if method(pair.a, pair.b)]
    microseconds = (time.perf_counter() - start) / len(pairs) * 1e6
    right = sum(merged)
    recall = right / sum(pair.is_repost for pair in pairs)
    precision = right / len(merged) if merged else 1.0
    print(f"{name:<28}{recall:>8.3f}{len(merged) - right:>14}{precision:>11.3f}{microseconds:>11.0f}")


def _time_sketches(pairs: list[Pair]) -> float:
    bodies = [pair.a.body for pair in pairs]
    start = time.perf_counter()
    for body in bodies:
        sketch(body)
    return (time.perf_counter() - start) / len(bodies) * 1e6


def _print_kinds(pairs: list[Pair]) -> None:
    merged: Counter[tuple[bool, str]] = Counter()
    made: Counter[tuple[bool, str]] = Counter()
    for pair in pairs:
        made[pair.is_repost, pair.kind] += 1
        merged[pair.is_repost, pair.kind] += judge_both(pair.a, pair.b)
    for is_repost, heading in ((True, "reposts found"), (False, "look-alikes merged")):
        print(f"\n{heading}")
        for (truth, kind), count in made.items():
            if truth is is_repost:
                print(f"  {kind:<28}{merged[truth, kind]:>5} of {count}")


if __name__ == "__main__":
    main()
