"""A page that was changed in any of many ways is read right or refused by name: never read wrong.

What is right is said in tests/mutation_subjects.py, what may befall a page in tests/mutations.py.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.mutation_subjects import Subject, captured_subjects, judge, sample_subjects
from tests.mutations import HARMFUL, HARMLESS, mutate

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
MOST_BYTES = 120_000  # of a real page
# A declaration that names another encoding is a fault of the page: it may be refused.
MISDECLARED = frozenset(("gb18030_as_utf8", "utf8_as_gb2312"))
SHARE_RIGHT = 0.95

bounded = settings(
    database=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)


@cache
def subjects_by_reader() -> dict[str, list[Subject]]:
    """The recorded pages, once."""
    found: dict[str, list[Subject]] = {}
    for subject in sample_subjects(SAMPLES):
        found.setdefault(subject.reader, []).append(subject)
    return found


READERS = sorted(subjects_by_reader())


def fault_of(subject: Subject, mutation: str, seed: int) -> str:
    """What was read wrong after the mutation, "" for nothing. An error that is no refusal is raised."""
    mutated = mutate(subject, mutation, seed)
    assume(mutated is not None)
    assert mutated is not None
    return judge(subject, mutation, mutated, harmless=mutation in HARMLESS)[1]


@pytest.mark.parametrize("reader", READERS)
@given(data=st.data(), mutation=st.sampled_from(list(HARMLESS)), seed=st.integers(0, 9999))
@bounded
def test_a_page_that_looks_the_same_is_never_read_otherwise(
    reader: str, data: st.DataObject, mutation: str, seed: int
) -> None:
    subject = data.draw(st.sampled_from(subjects_by_reader()[reader]))
    assert fault_of(subject, mutation, seed) == ""


@pytest.mark.parametrize("reader", READERS)
@given(data=st.data(), mutation=st.sampled_from(list(HARMFUL)), seed=st.integers(0, 9999))
@bounded
def test_what_a_damaged_page_still_yields_is_right(
    reader: str, data: st.DataObject, mutation: str, seed: int
) -> None:
    subject = data.draw(st.sampled_from(subjects_by_reader()[reader]))
    assert fault_of(subject, mutation, seed) == ""


@pytest.mark.parametrize("reader", READERS)
def test_nearly_all_pages_that_look_the_same_are_read(reader: str) -> None:
    verdicts = [
        judge(subject, mutation, mutated, harmless=True)[0]
        for subject in subjects_by_reader()[reader]
        for mutation in HARMLESS
        if mutation not in MISDECLARED
        if (mutated := mutate(subject, mutation, seed=0)) is not None
    ]
    assert verdicts.count("right") >= SHARE_RIGHT * len(verdicts)


def test_real_pages_are_read_right_or_refused_after_any_mutation(captures: Path) -> None:
    wrong = [
        f"{mutation} {subject.name}: {fault}"
        for subject in captured_subjects(captures, MOST_BYTES)
        for mutation in (*HARMLESS, *HARMFUL)
        if (mutated := mutate(subject, mutation, seed=0)) is not None
        if (fault := judge(subject, mutation, mutated, harmless=mutation in HARMLESS)[1])
    ]
    assert wrong == []
