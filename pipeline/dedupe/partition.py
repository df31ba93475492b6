"""Which items make one story: the same for every order in which they came.

The answer depends on nothing but the items, their keys, the links between their texts and what people decided.
Ties are broken by the items' identities, never by row numbers or times of arrival.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations

from pipeline.dedupe.story_keys import StoryKey

_WINDOW = timedelta(days=60)
"""Days within which equal parties and sums, or a patent in one procedure, are one event; without a date they aren't."""


@dataclass(frozen=True, slots=True)
class Member:
    """An item as far as stories depend on it. `day` is that of publication in China, None when unknown. `alone`: a
    person took it out of its story, and it stands by itself."""

    item_id: int
    identity: str
    day: date | None
    keys: tuple[StoryKey, ...] = ()
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Pair:
    """Two items with one text; `coverage` is the share of the longer one that both have."""

    one: int
    other: int
    coverage: float


def partition(
    members: Mapping[int, Member],
    same: Collection[Pair],
    apart: Collection[tuple[int, int]],
    by_hand: Collection[tuple[int, int]],
) -> list[frozenset[int]]:
    """Divide items into stories.

    Reasons to join are taken one after the other, the strongest first: one document or case number; one text, the
    more of it the sooner; the same parties and sum, or one patent in one procedure, at one time. A reason is passed
    over when it would bring together two items whose document or case numbers differ; all but a number also when a
    guard keeps two items apart. So an item that would fit two stories which must stay apart goes to one of them and
    doesn't join them. At last the stories that a person joined are joined, whatever they hold.
    """
    groups = {item_id: frozenset((item_id,)) for item_id in members}
    guarded: dict[int, set[int]] = {}
    for one, other in apart:
        guarded.setdefault(one, set()).add(other)
        guarded.setdefault(other, set()).add(one)

    def unite(one: int, other: int) -> None:
        united = groups[one] | groups[other]
        groups.update(dict.fromkeys(united, united))

    def join(one: int, other: int, *, guards: bool) -> None:
        a, b = groups[one], groups[other]
        if other in a or members[one].alone or members[other].alone:
            return
        if any(differ(members[left], members[right]) for left in a for right in b):
            return
        if guards and any(not b.isdisjoint(guarded.get(left, ())) for left in a):
            return
        unite(one, other)

    def identities(one: int, other: int) -> tuple[str, str]:
        first, second = sorted((members[one].identity, members[other].identity))
        return first, second

    for one, other in sorted(_of_one_number(members), key=lambda pair: identities(*pair)):
        join(one, other, guards=False)
    for pair in sorted(same, key=lambda pair: (-pair.coverage, identities(pair.one, pair.other))):
        join(pair.one, pair.other, guards=True)
    for one, other in sorted(_of_one_time(members), key=lambda pair: identities(*pair)):
        join(one, other, guards=True)
    for one, other in by_hand:
        unite(one, other)
    return sorted(set(groups.values()), key=lambda group: min(members[item_id].identity for item_id in group))


def differ(one: Member, other: Member) -> bool:
    """Whether two items are about different documents or cases by number."""
    return any(
        mine.kind == theirs.kind and None not in (mine.number, theirs.number) and mine.number != theirs.number
        for mine in one.keys
        for theirs in other.keys
    )


def _holders(members: Mapping[int, Member]) -> Iterator[tuple[StoryKey, list[Member]]]:
    """Each key with those that hold it, by identity; who stands alone holds none."""
    found: dict[tuple[str, str], tuple[StoryKey, list[Member]]] = {}
    for member in sorted(members.values(), key=lambda member: member.identity):
        for key in member.keys if not member.alone else ():
            found.setdefault((key.kind, key.key), (key, []))[1].append(member)
    yield from found.values()


def _of_one_number(members: Mapping[int, Member]) -> Iterator[tuple[int, int]]:
    for key, holders in _holders(members):
        if key.number is not None:
            yield from ((holders[0].item_id, other.item_id) for other in holders[1:])


def _of_one_time(members: Mapping[int, Member]) -> Iterator[tuple[int, int]]:
    for key, holders in _holders(members):
        if key.number is None:
            for one, other in combinations(holders, 2):
                if one.day and other.day and abs(one.day - other.day) <= _WINDOW:
                    yield one.item_id, other.item_id
