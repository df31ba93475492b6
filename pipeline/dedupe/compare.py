"""The verdict on two texts, with the evidence that decided it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from pipeline.dedupe.align import align, align_short
from pipeline.dedupe.folding import Folded, fold_letters, fold_text, fold_wording
from pipeline.dedupe.furniture import split_frame, strip_credits, strip_noise
from pipeline.dedupe.guards import Aligned, find_objection, find_title_objection, guard_tokens
from pipeline.dedupe.remembered import remember
from pipeline.dedupe.sketch import LEAST_LETTERS, find_grams

Verdict = Literal["same", "edited", "repost", "different"]

LEAST_CONTAINMENT = 0.5
"""Share of the shorter text's 5-grams that the longer one must have."""

_SHORT = 30
_SHORT_RATIO = 0.5
"""A text of fewer letters is a repost only of one at most twice as long: a closing formula stands in many."""

_HEADER = 60
"""Letters that may stand before a text which is the beginning of another."""


@dataclass(frozen=True, slots=True)
class Text:
    """What is compared of an item. `identity` names its page (see `Record.identity`); None: unknown."""

    title: str
    body: str
    identity: str | None


@dataclass(frozen=True, slots=True)
class Shared:
    """What two texts have in common, where they are alike in wording.

    `longer` is the text with more letters. `coverage` is the share of its letters that stand in the other one too.
    `from_start`: the shared part begins both, but for a header. `letters` counts the shared part.
    `titles_agree`: the headlines have half of the longer one in common.
    """

    longer: Text
    coverage: float
    from_start: bool
    letters: int
    titles_agree: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """`reason` is one English sentence with the evidence that decided. `shared` is None where two texts aren't alike,
    and for two copies of one page; with the verdict `different` it says that a guard keeps alike texts apart."""

    verdict: Verdict
    reason: str
    shared: Shared | None = None


class _Letters(NamedTuple):
    """A body folded to letters. `text` is what was folded: the body without its credits; with them where nothing else
    is there."""

    text: str
    letters: str


def compare(a: Text, b: Text) -> Comparison:
    """Compare two texts; never raises, and the verdict doesn't depend on their order.

    - `same`: one page (equal identity), nothing that a person would call an edit
    - `edited`: one page whose title or body changed
    - `repost`: two pages, one text, maybe with another headline, header or footer, in traditional characters,
      lightly edited, cut short, or inside a longer text
    - `different`: anything else, and whatever a guard objects to
    """
    if a.identity is not None and a.identity == b.identity:
        return _compare_versions(a, b)
    one, other = sorted((a, b), key=lambda text: (len(text.body), text.body, text.title))
    return _compare_pages(one, other)


def is_edit(old_body: str, new_body: str) -> bool:
    """Whether a body changed in a way that a person would call an edit.

    White space, character width, entities, counters (阅读数), one-time tokens in links, buttons and neighbours'
    links are not edits; nor is a line of the page's template (来源, 责任编辑 …) that comes or goes, or a list of other
    articles below the text. Any other letter, digit or mark is, also in such a line that says something else.
    """
    if old_body == new_body or fold_wording(strip_noise(old_body)) == fold_wording(strip_noise(new_body)):
        return False
    (old, old_frame), (new, new_frame) = split_frame(old_body), split_frame(new_body)
    if fold_wording(old) != fold_wording(new):
        return True
    both = old_frame.keys() & new_frame.keys()
    return any(fold_wording(old_frame[label]) != fold_wording(new_frame[label]) for label in both)


def _compare_versions(a: Text, b: Text) -> Comparison:
    changed = [
        name
        for name, is_changed in (
            ("title", fold_wording(a.title) != fold_wording(b.title)),
            ("body", is_edit(a.body, b.body)),
        )
        if is_changed
    ]
    if changed:
        return Comparison("edited", f"The same page ({a.identity}), and its {' and '.join(changed)} changed.")
    return Comparison("same", f"The same page ({a.identity}), and neither title nor body changed.")


def _compare_pages(one: Text, other: Text) -> Comparison:
    few, many = _fold_letters(one.body), _fold_letters(other.body)
    if not few.letters or not many.letters:
        return Comparison("different", "One of the two has no text to compare.")
    if len(few.letters) > len(many.letters):
        few, many, one, other = many, few, other, one
    length, other_length = len(few.letters), len(many.letters)
    if length < LEAST_LETTERS:
        alike = _fold_body(few.text).plain == _fold_body(many.text).plain
        if alike and fold_text(one.title).letters == fold_text(other.title).letters:
            return Comparison(
                "repost",
                f"Title and text ({length} characters) are identical.",
                Shared(other, 1.0, True, length, True),
            )
        return Comparison("different", f"A text of {length} characters is too short to be told from others.")
    if length < _SHORT and length < _SHORT_RATIO * other_length:
        return Comparison(
            "different", f"A text of {length} characters is too short to be found in one of {other_length}."
        )
    containment = _find_containment(few.letters, many.letters)
    if containment < LEAST_CONTAINMENT:
        return Comparison(
            "different", f"Only {containment:.0%} of the shorter text's 5-grams are in the longer one."
        )
    titles = fold_text(one.title), fold_text(other.title)
    bodies = _fold_body(few.text), _fold_body(many.text)
    blocks = align(bodies[0].letters, bodies[1].letters)
    aligned = guard_tokens(*bodies, blocks)
    found = f"{containment:.0%} of the shorter text's 5-grams ({length} characters) are in the longer one"
    if not aligned.blocks:
        return Comparison("different", f"{found}, but not in the same order.")
    title = _align_titles(*titles)
    head, _ = aligned.ends
    shared = Shared(
        longer=other,
        coverage=aligned.shared / other_length,
        from_start=max(head.a_end, head.b_end) <= _HEADER,
        letters=aligned.shared,
        titles_agree=title is not None or titles[0].letters == titles[1].letters,
    )
    objection = find_objection(aligned) or find_title_objection(*titles, aligned, title)
    if objection:
        return Comparison("different", f"{found}, but {objection}.", shared)
    return Comparison("repost", f"{found}, and no number or name differs in the shared part.", shared)


@remember
def _fold_letters(body: str) -> _Letters:
    text = strip_credits(body)
    letters = fold_letters(text)
    if not letters:
        text, letters = body, fold_letters(body)
    return _Letters(text, letters)


_fold_body = remember(fold_text)
_find_grams = remember(find_grams)


def _find_containment(few: str, many: str) -> float:
    """The share of the shorter text's 5-grams that the longer one has; enough to tell most texts apart."""
    if few == many:
        return 1.0
    grams = _find_grams(few)
    return len(grams & _find_grams(many)) / len(grams)


def _align_titles(one: Folded, other: Folded) -> Aligned | None:
    """The headlines' alignment, or None where they share less than half of the longer one."""
    if one.letters == other.letters:
        return None
    aligned = guard_tokens(one, other, align_short(one.letters, other.letters))
    longer = max(len(one.letters), len(other.letters))
    return aligned if aligned.blocks and 2 * aligned.shared >= longer else None
