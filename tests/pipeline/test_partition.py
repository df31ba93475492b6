"""Which items make one story, whatever the order in which they are given."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from pipeline.dedupe.partition import Member, Pair, differ, partition
from pipeline.dedupe.story_keys import KeyKind, StoryKey

DAY = date(2026, 11, 18)


def case(number: str, stage: str = "ruling") -> StoryKey:
    return StoryKey("case_number", f"{number} {stage}", number)


def document(number: str) -> StoryKey:
    return StoryKey("document_number", number, number)


def parties(names: str = "甲/乙,1cny,first") -> StoryKey:
    return StoryKey("parties", names, None)


def items(*keys: Iterable[StoryKey], days: Iterable[date | None] = (), alone: int = 0) -> dict[int, Member]:
    given_days = [*days, *[DAY] * len(keys)]
    return {
        number: Member(number, f"site:{number}", given_days[number - 1], tuple(held), number == alone)
        for number, held in enumerate(keys, start=1)
    }


def stories(
    members: dict[int, Member],
    same: Iterable[tuple[int, int, float]] = (),
    apart: Iterable[tuple[int, int]] = (),
    by_hand: Iterable[tuple[int, int]] = (),
) -> list[list[int]]:
    pairs = [Pair(*pair) for pair in same]
    return sorted(sorted(group) for group in partition(members, pairs, list(apart), list(by_hand)))


def test_items_without_anything_in_common_are_stories_of_their_own() -> None:
    assert stories(items([], [], [])) == [[1], [2], [3]]


def test_one_case_number_at_one_stage_is_one_story() -> None:
    assert stories(items([case("87")], [case("88")], [case("87")], [case("87", "hearing")])) == [
        [1, 3],
        [2],
        [4],
    ]


def test_one_text_is_one_story_through_a_third() -> None:
    assert stories(items([], [], []), [(1, 2, 0.9), (2, 3, 0.6)]) == [[1, 2, 3]]


def test_two_numbers_never_come_together_and_what_fits_both_goes_to_the_closer() -> None:
    members = items([case("87")], [], [case("88")])
    assert stories(members, [(1, 2, 0.6), (2, 3, 0.9)]) == [[1], [2, 3]]


def test_a_guard_keeps_apart_what_a_third_text_would_join() -> None:
    assert stories(items([], [], []), [(1, 2, 0.9), (2, 3, 0.6)], apart=[(1, 3)]) == [[1, 2], [3]]


def test_a_number_joins_what_a_guard_keeps_apart() -> None:
    assert stories(items([case("87")], [case("87")]), apart=[(1, 2)]) == [[1, 2]]


def test_stages_of_one_case_may_share_a_text() -> None:
    assert stories(items([case("87")], [case("87", "hearing")]), [(1, 2, 1.0)]) == [[1, 2]]


def test_parties_and_sum_count_within_two_months_and_with_known_days() -> None:
    days = [DAY, date(2026, 12, 30), date(2027, 5, 1), None]
    assert stories(items(*[[parties()]] * 4, days=days)) == [[1, 2], [3], [4]]


def test_parties_do_not_join_two_case_numbers() -> None:
    assert stories(items([case("87"), parties()], [case("88"), parties()])) == [[1], [2]]


def test_what_stands_alone_joins_nothing_and_connects_nothing() -> None:
    members = items([case("87")], [case("87")], [case("87")], alone=1)
    assert stories(members, [(1, 2, 1.0)]) == [[1], [2, 3]]


def test_stories_joined_by_hand_are_one_with_all_that_they_hold() -> None:
    members = items([case("87")], [case("87")], [case("88")], [case("88")])
    assert stories(members, apart=[(2, 3)], by_hand=[(1, 4)]) == [[1, 2, 3, 4]]


numbers = st.sampled_from(["87", "88", "89"])
keys = st.one_of(
    st.builds(document, numbers).map(lambda key: [key]),
    st.lists(
        st.one_of(
            st.builds(case, numbers, st.sampled_from(["ruling", "hearing"])), st.builds(parties, numbers)
        ),
        max_size=2,
        unique_by=lambda key: key.kind,
    ),
)


@st.composite
def situations(draw: st.DrawFn) -> tuple[dict[int, Member], list[Pair], list[tuple[int, int]]]:
    size = draw(st.integers(1, 8))
    members = {
        number: Member(
            number,
            f"site:{number}",
            draw(st.sampled_from([DAY, date(2027, 6, 1), None])),
            tuple(draw(keys)),
            draw(st.booleans()) and draw(st.booleans()),
        )
        for number in range(size)
    }
    pair = st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)).filter(
        lambda pair: pair[0] < pair[1]
    )
    linked = (
        draw(st.dictionaries(pair, st.sampled_from(["apart", 0.5, 0.9, 0.9]), max_size=12))
        if size > 1
        else {}
    )
    same = [Pair(*pair, kind) for pair, kind in linked.items() if not isinstance(kind, str)]
    return members, same, [pair for pair, kind in linked.items() if kind == "apart"]


@given(situations(), st.randoms(use_true_random=False), st.permutations(range(8)))
def test_the_order_of_items_and_links_and_their_row_numbers_change_nothing(
    situation: tuple[dict[int, Member], list[Pair], list[tuple[int, int]]],
    random: object,
    renumbered: list[int],
) -> None:
    members, same, apart = situation
    expected = {frozenset(group) for group in partition(members, same, apart, [])}
    shuffled = [
        Member(renumbered[one.item_id], one.identity, one.day, one.keys[::-1], one.alone)
        for one in members.values()
    ]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    pairs = [Pair(renumbered[pair.other], renumbered[pair.one], pair.coverage) for pair in same[::-1]]
    found = partition(
        {member.item_id: member for member in shuffled},
        pairs,
        [(renumbered[other], renumbered[one]) for one, other in apart],
        [],
    )
    back = {new: old for old, new in enumerate(renumbered)}
    assert {frozenset(back[item_id] for item_id in group) for group in found} == expected


@given(situations())
def test_every_item_is_in_one_story_and_no_story_holds_two_numbers(
    situation: tuple[dict[int, Member], list[Pair], list[tuple[int, int]]],
) -> None:
    members, same, apart = situation
    groups = partition(members, same, apart, [])
    assert sorted(item_id for group in groups for item_id in group) == sorted(members)
    for group in groups:
        assert not any(differ(members[one], members[other]) for one in group for other in group)


def test_kinds_of_numbers_do_not_contradict_each_other() -> None:
    kind: KeyKind = "document_number"
    assert stories(items([StoryKey(kind, "87", "87")], [case("87")]), [(1, 2, 1.0)]) == [[1, 2]]
