"""What the law gives to tell one event by: the keys that two reports of it have in common, in any language."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.dedupe.own_numbers import find_own_case, find_own_document, may_tell_of_one_case
from pipeline.legal.fact import Fact
from pipeline.legal.fact_key import squash
from pipeline.normalize import fold

KeyKind = Literal["document_number", "case_number", "parties", "patent"]

_DEMANDING = ("plaintiff", "appellant", "retrial_applicant", "applicant", "invalidation_petitioner")
_DEFENDING = ("defendant", "appellee", "respondent", "accused", "patentee")
_LATER_FIRST = ("retrial", "second", "first")
_MASKED = re.compile(r"[某×＊*]|^[一-鿿A-Z]{1,2}(?:公司|厂|店)$")
_DECIDED = re.compile(
    r"判|裁定|宣判|审结|驳回|维持|撤销|胜诉|败诉|获赔|生效|\b(?:ruled?|awards?|awarded|upheld|upholds)\b"
)
_STAGES = (
    ("enforcement", re.compile(r"执行|履行完毕|enforce")),
    ("filed", re.compile(r"立案|受理|起诉|被诉|提起(?:诉讼|上诉)|诉至|\b(?:sues?|sued|files?|filed)\b")),
    ("arrest", re.compile(r"批捕|逮捕|刑拘")),
)
_PROCEDURES = (
    ("invalidation", re.compile(r"无效|invalid")),
    ("infringement", re.compile(r"侵权|侵害|infring")),
    ("licence", re.compile(r"许可|licen[cs]")),
    ("assignment", re.compile(r"转让|质押|assign|pledge")),
)


@dataclass(frozen=True, slots=True)
class StoryKey:
    """One event, as an item names it. Two items with an equal key of one kind tell of the same event.

    `number` is the case or document number in it: items whose numbers of one kind differ are never joined, by
    whatever else. None where the key isn't a number's.
    """

    kind: KeyKind
    key: str
    number: str | None


def find_story_keys(
    title: str, body: str, title_facts: Sequence[Fact], facts: Sequence[Fact]
) -> tuple[StoryKey, ...]:
    """The item's keys, at most one of a kind.

    - `document_number`: the document that the item is; such an item has no other key, since the publication of a
      document is an event of its own, also where it tells of a case
    - `case_number`: the case that it is about (`own_numbers`) and the stage: a hearing, also by its day, and the
      judgment are two events of one case
    - nothing more for a digest, and for what isn't about one case
    - `parties`: the first party of each side by full name, the sum awarded, the instance
    - `patent`: the only patent named, the procedure, the stage and the instance
    """
    if document := find_own_document(title, body, title_facts, facts):
        return (StoryKey("document_number", squash(document), squash(document)),)
    if not may_tell_of_one_case(title, body, title_facts):
        return ()
    case = find_own_case(title, body, title_facts, facts)
    stage = _find_stage(title, title_facts, facts)
    instance = _find_instance(case, title_facts, facts)
    found = (
        _case_key(case, stage),
        _parties_key(instance, title_facts, facts),
        _patent_key(title, stage, instance, title_facts, facts),
    )
    return tuple(key for key in found if key)


def _case_key(case: Sequence[Fact], stage: str) -> StoryKey | None:
    if not case:
        return None
    number = squash("、".join(sorted(str(fact.value["normalized"]) for fact in case)))
    return StoryKey("case_number", f"{number} {stage}", number)


def _find_stage(title: str, title_facts: Sequence[Fact], facts: Sequence[Fact]) -> str:
    """What has happened in the case, by the headline; a ruling where that says nothing else."""
    folded = fold(title)
    if _values(title_facts, "notice_kind", "notice_kind") == ["hearing"]:
        days = {
            str(fact.value["date"])[:10]
            for fact in (*title_facts, *facts)
            if fact.kind == "date" and (fact.value["meaning"] == "hearing")
        }
        return f"hearing {days.pop()}" if len(days) == 1 else "hearing"
    if not _DECIDED.search(folded):
        for stage, words in _STAGES:
            if words.search(folded):
                return stage
    return "ruling"


def _find_instance(case: Sequence[Fact], title_facts: Sequence[Fact], facts: Sequence[Fact]) -> str:
    if case and case[0].value["instance"]:
        return str(case[0].value["instance"])
    for place in (title_facts, facts):
        named = _values(place, "instance", "instance")
        if named:
            return next((value for value in _LATER_FIRST if value in named), named[0])
    return "instance unknown"


def _parties_key(instance: str, title_facts: Sequence[Fact], facts: Sequence[Fact]) -> StoryKey | None:
    amounts = list(_awards(title_facts)) or list(_awards(facts))
    sides = [_first_of(roles, (*title_facts, *facts)) for roles in (_DEMANDING, _DEFENDING)]
    if len(set(amounts)) != 1 or None in sides:
        return None
    # On appeal the sides change places.
    names = " / ".join(sorted(str(side) for side in sides))
    return StoryKey("parties", squash(f"{names}, {amounts[0]}, ") + instance, None)


def _awards(facts: Iterable[Fact]) -> Iterator[str]:
    return (
        f"{fact.value['amount']} {fact.value['currency']}"
        for fact in facts
        if fact.kind == "amount" and fact.value["role"] == "awarded"
    )


def _first_of(roles: Sequence[str], facts: Iterable[Fact]) -> str | None:
    """The first party of a side; None where it is masked (某公司 is any firm)."""
    names = [
        str(fact.value["name"]) for fact in facts if fact.kind == "party" and fact.value["role"] in roles
    ]
    return None if not names or _MASKED.search(names[0]) else names[0]


def _patent_key(
    title: str, stage: str, instance: str, title_facts: Sequence[Fact], facts: Sequence[Fact]
) -> StoryKey | None:
    patents = {*_values(title_facts, "patent", "normalized"), *_values(facts, "patent", "normalized")}
    if len(patents) != 1:
        return None
    folded = fold(title)
    procedures = [name for name, words in _PROCEDURES if words.search(folded)]
    procedures = procedures or list(dict.fromkeys(_values(facts, "procedure", "procedure")))
    if len(procedures) != 1:
        return None
    return StoryKey("patent", squash(patents.pop()) + f", {procedures[0]}, {stage}, {instance}", None)


def _values(facts: Iterable[Fact], kind: str, part: str) -> list[str]:
    return [str(fact.value[part]) for fact in facts if fact.kind == kind]
