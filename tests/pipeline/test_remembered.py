"""Results kept at hand: the same as without, made once while they fit, and never more than fit."""

from __future__ import annotations

from pipeline.dedupe.remembered import remember


def test_a_text_asked_for_again_is_made_once() -> None:
    made: list[str] = []
    find = remember(lambda text: made.append(text) or text.upper(), most=100)  # type: ignore[func-returns-value]
    assert [find(text) for text in ("a", "b", "a", "b")] == ["A", "B", "A", "B"]
    assert made == ["a", "b"]


def test_what_was_not_asked_for_longest_goes_first() -> None:
    made: list[str] = []
    find = remember(lambda text: made.append(text) or len(text), most=10)  # type: ignore[func-returns-value]
    for text in ("aaaa", "bbbb", "aaaa", "cccc", "aaaa", "bbbb"):
        find(text)
    assert made == ["aaaa", "bbbb", "cccc", "bbbb"]


def test_a_text_longer_than_the_bound_is_answered_and_not_kept() -> None:
    made: list[str] = []
    find = remember(lambda text: made.append(text) or len(text), most=3)  # type: ignore[func-returns-value]
    assert [find("abcd"), find("abcd")] == [4, 4]
    assert made == ["abcd", "abcd"]
