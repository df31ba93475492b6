"""The verdict on one run of a source: what its row says, held against the source's own history. No database here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from pipeline.health.coverage import ITEMS, Coverage, find_emptied
from pipeline.health.rhythm import Rhythm, count_own_days, learn_rhythm
from pipeline.store.runs import ENDINGS, FAULTS, OK

NEW = "new"
QUIET = "quiet as usual"
UNUSUAL = "quiet, unusual"
CHANGED = "layout changed"
BLOCKED = "blocked"
EXPIRED = "login expired"
MOVED = "moved"
DOWN = "down"
STALE = "stale source"
INCOMPLETE = "incomplete"
NOT_RUN = "not run"
VERDICTS = (NEW, QUIET, UNUSUAL, CHANGED, BLOCKED, EXPIRED, MOVED, DOWN, STALE, INCOMPLETE, NOT_RUN)
WELL = (NEW, QUIET)
"""The verdicts of which nobody needs to be told."""

FAILED = "failed"
NOT_JUDGED = "not judged"
"""Kept with runs that say nothing of a source: a recorded web lacked its list, or it may not be asked at this hour."""
_SAY_NOTHING = ("not recorded", "outside hours")
_REFUSED = {
    "blocked": BLOCKED,
    "closed by robots": BLOCKED,
    "login expired": EXPIRED,
    "down": DOWN,
}
_IN_ARTICLES = ("articles", "field ")
_READ = ("new", "edited", "known", "filtered")
_SHORT = 0.5
"""A list that shows less than this share of the fewest entries that it ever showed is not the list it was."""
_FEWEST_LISTS = 5
_ACCEPTED_AFTER = 20
"""Runs in a row after which a shorter list, or a field that stays empty, is how the source is now."""
_NO_LONGER_THERE = (404, 410)


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a closed run row says. `day` is that of its beginning in China; `refusal` what was looked for and found."""

    run_id: int
    day: date
    finished: bool
    state: str
    reason: str | None
    counts: Mapping[str, int]
    coverage: Coverage
    refusal: Mapping[str, Any] | None = None
    baseline: bool = False

    @property
    def heard(self) -> bool:
        """True when a list of the source was read."""
        return self.finished and self.counts.get("list_pages", 0) > 0 and self.state in (OK, "incomplete")

    @property
    def news(self) -> int:
        """Items stored for the first time or as a new version."""
        return self.counts.get("new", 0) + self.counts.get("edited", 0)

    @property
    def moved(self) -> bool:
        """True when the list showed something that it had not shown before, whatever became of that."""
        return not self.baseline and self.counts.get("fresh", 0) > 0

    @property
    def lacks_only_unreadable(self) -> bool:
        """True when some articles could not be read, and each of them stands on its own: its source is not at fault."""
        lacking = sum(self.counts.get(name, 0) for name in FAULTS)
        lost = self.counts.get("asked", 0) - sum(self.counts.get(name, 0) for name in ENDINGS)
        return 0 < self.counts.get("unreadable", 0) == lacking + lost

    @property
    def is_whole(self) -> bool:
        """True when the run saw the whole list as always: no page of it unchanged, none of the archive behind it."""
        return not (self.walks or self.counts.get("lists not modified", 0))

    @property
    def walks(self) -> bool:
        """True when the run went back through the source's archive."""
        return self.counts.get("walked pages", 0) > 0


@dataclass(frozen=True, slots=True)
class History:
    """What a source was like before a run: the days in China on which its list moved, in order and each once; how many
    entries it showed in good runs that read as many pages; the coverage of its good runs; the verdict before, with its
    kind, and how many runs in a row it was said of; the last day on which another list of the same publisher moved,
    with its source; and a sentence on the articles that can't be read."""

    news_days: Sequence[date] = ()
    list_lengths: Sequence[int] = ()
    coverage: Coverage = field(default_factory=dict)
    before: tuple[str, str | None] = (NEW, None)
    same_runs: int = 0
    sibling: tuple[str, date] | None = None
    has_rhythm: bool = True
    unread: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run says of its source. `kind` narrows it (`http 412`, `field date`), `why` is one sentence or empty.

    `conclusive` is false where the run had no opportunity to tell whether an earlier trouble goes on. `accepts`: what
    was a change is how the source is from now on, and earlier runs are no measure any more.
    """

    name: str
    kind: str | None = None
    why: str = ""
    conclusive: bool = True
    accepts: bool = False

    @property
    def is_well(self) -> bool:
        return self.name in WELL


def judge_run(run: RunFacts, history: History) -> Verdict | None:
    """The verdict on a run; None for one that says nothing of its source."""
    if run.state in _SAY_NOTHING:
        return None
    if not run.finished:
        return Verdict(INCOMPLETE, "killed", run.reason or "")
    if not run.heard:
        return _judge_refused(run)
    changed = _judge_layout(run, history)
    if changed and changed.conclusive and _has_settled(changed, history):
        why = f"Accepted after {history.same_runs} runs. {changed.why}"
        return Verdict(NEW if run.news else QUIET, None, why, accepts=True)
    verdict = changed or _judge_articles(run, history) or _judge_silence(run, history)
    if run.lacks_only_unreadable:
        # Whoever hears that a source is well is to hear what it lacks.
        return replace(verdict, why=f"{verdict.why} {history.unread}".strip())
    return verdict


def _judge_refused(run: RunFacts) -> Verdict:
    refusal = run.refusal or {}
    kind, why = refusal.get("kind"), run.reason or ""
    if run.state == "changed":
        if refusal.get("status") in _NO_LONGER_THERE:
            return Verdict(MOVED, f"http {refusal['status']}", why)
        if kind == "gone" or refusal.get("redirected_from"):
            return Verdict(MOVED, kind or "redirected", why)
        return Verdict(CHANGED, "list", why)
    if run.state == "closed by robots":
        return Verdict(BLOCKED, "robots.txt", why)
    return Verdict(
        _REFUSED.get(run.state, INCOMPLETE), kind or (FAILED if run.state == FAILED else None), why
    )


def _judge_layout(run: RunFacts, history: History) -> Verdict | None:
    shown = run.counts.get("links", 0)
    if run.is_whole and len(history.list_lengths) >= _FEWEST_LISTS:
        fewest = min(history.list_lengths)
        if shown < _SHORT * fewest:
            why = f"The list shows {shown} entries; it never showed fewer than {fewest}."
            return Verdict(CHANGED, "short list", why)
    if emptied := find_emptied(run.coverage, history.coverage):
        return Verdict(CHANGED, f"field {emptied.field}", f"Looked for {emptied}.")
    name, kind = history.before
    if name == CHANGED and kind and kind.startswith(_IN_ARTICLES) and not run.coverage.get(ITEMS):
        return Verdict(CHANGED, kind, "There was no article since that could tell.", conclusive=False)
    return None


def _has_settled(changed: Verdict, history: History) -> bool:
    return history.before == (CHANGED, changed.kind) and history.same_runs >= _ACCEPTED_AFTER


def _judge_articles(run: RunFacts, history: History) -> Verdict | None:
    if run.lacks_only_unreadable:
        return None
    changed = run.counts.get("changed", 0)
    read = sum(run.counts.get(name, 0) for name in _READ)
    if changed and not read and (run.counts.get("fresh", 0) or history.before == (CHANGED, "articles")):
        return Verdict(CHANGED, "articles", run.reason or "")
    if run.state != OK:
        return Verdict(INCOMPLETE, "articles", run.reason or "")
    return None


def _judge_silence(run: RunFacts, history: History) -> Verdict:
    if run.news:
        return Verdict(NEW)
    if run.moved or not history.has_rhythm:
        return Verdict(QUIET, why="" if not run.moved else "Only what is not kept was new.")
    rhythm = learn_rhythm(history.news_days)
    if rhythm is None:
        return Verdict(QUIET, why="Its rhythm is not known yet.")
    last = history.news_days[-1]
    silence = count_own_days(last, run.day, rhythm.weekend)
    if silence <= rhythm.limit:
        return Verdict(QUIET)
    why = _describe_silence(last, silence, rhythm)
    if history.sibling is not None and history.sibling[1] > last:
        key, moved_on = history.sibling
        return Verdict(STALE, None, f"{why} {key}, of the same publisher, brought something on {moved_on}.")
    return Verdict(UNUSUAL, None, why)


def _describe_silence(last: date, silence: float, rhythm: Rhythm) -> str:
    return (
        f"Silent since {last}, for {silence:.0f} of its own days; the longest of its last {rhythm.gaps} silences was "
        f"{rhythm.usual:.0f}."
    )
