"""Mutated pages: how many every reader reads right, how many it refuses, how many it gets wrong.

    python -m benchmarks.mutations [--seeds 10] [--captures FOLDER] [--reader NAME] [--wrong]

Every article and list of `samples/` (and, with a folder of real pages and its MANIFEST.csv, of that) is mutated
in every way of `tests/mutations.py`, once for each seed, and read. What is right is said in
`tests/mutation_subjects.py`. `--wrong` lists the pages read wrong and the errors that aren't refusals, which count
as wrong. The run is the same for one number of seeds.
"""

from __future__ import annotations

import argparse
import logging
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.mutation_subjects import Subject, captured_subjects, judge, sample_subjects
from tests.mutations import HARMFUL, HARMLESS, mutate

ROOT = Path(__file__).resolve().parent.parent
MOST_BYTES = 400_000  # of a real page: a mutation of WeChat's 4 MB takes a second

Counts = dict[tuple[str, str], Counter[str]]


def count(subjects: list[Subject], seeds: int) -> tuple[Counts, list[str]]:
    """Verdicts by (reader, mutation), and a line on every wrong one."""
    counts: Counts = {}
    wrong = []
    for subject in subjects:
        for name in (*HARMLESS, *HARMFUL):
            seen = set()
            for seed in range(seeds):
                mutated = mutate(subject, name, seed)
                if mutated is None or mutated.body in seen:
                    continue
                seen.add(mutated.body)
                try:
                    verdict, why = judge(subject, name, mutated, harmless=name in HARMLESS)
                except Exception as error:  # noqa: BLE001 (a crash is what this looks for)
                    verdict, why = "wrong", f"{type(error).__name__}: {error}"
                counts.setdefault((subject.reader, name), Counter())[verdict] += 1
                if verdict == "wrong":
                    wrong.append(f"{name} {seed} {subject.name}: {why}")
    return counts, wrong


def tabulate(title: str, rows: dict[str, Counter[str]]) -> Table:
    """One line a group, then the sum."""
    table = Table("", "pages", "right", "refused", "wrong", "share right", title=title)
    for column in table.columns[1:]:
        column.justify = "right"
    for name, verdicts in {**rows, "all": sum(rows.values(), Counter())}.items():
        pages = verdicts.total()
        table.add_row(
            name,
            *(f"{number:,}" for number in (pages, verdicts["right"], verdicts["refused"], verdicts["wrong"])),
            f"{verdicts['right'] / pages:.3f}" if pages else "",
            end_section=name == list(rows)[-1],
        )
    return table


def gather(counts: Counts, kinds: object, by: int) -> dict[str, Counter[str]]:
    """The counts of some mutations, by reader (0) or by mutation (1)."""
    rows: dict[str, Counter[str]] = {}
    for key, verdicts in counts.items():
        if key[1] in kinds:  # type: ignore[operator]
            rows.setdefault(key[by], Counter()).update(verdicts)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--captures", type=Path)
    parser.add_argument("--reader")
    parser.add_argument("--wrong", action="store_true")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    subjects = sample_subjects(ROOT / "samples")
    if options.captures:
        subjects += captured_subjects(options.captures, MOST_BYTES)
    subjects = [subject for subject in subjects if options.reader in (None, subject.reader)]
    counts, wrong = count(subjects, options.seeds)
    console = Console(width=100)
    console.print(f"{len(subjects)} pages, {options.seeds} seeds")
    for title, kinds in (("Harmless", HARMLESS), ("Harmful", HARMFUL)):
        console.print(tabulate(f"{title} mutations", gather(counts, kinds, 1)))
        console.print(tabulate(f"{title}, by reader", gather(counts, kinds, 0)))
    for line in wrong if options.wrong else ():
        console.print(line, markup=False, soft_wrap=True)


if __name__ == "__main__":
    main()
