"""Stories in the store: the same for every order of arrival and every interleaving of writers; told once."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from pipeline.record import Record
from pipeline.store import sketches, stories
from pipeline.store.corrections import Place, correct_fact, undo
from pipeline.store.lookup import find_item
from pipeline.store.outbox_rows import Match
from pipeline.store.story_decisions import StoryError, merge_stories, split_story, undo_decision
from pipeline.store.story_tables import (
    Boilerplate,
    Sketch,
    Story,
    StoryDecision,
    StoryKeyRow,
    StoryLink,
    StoryMember,
)
from pipeline.store.tables import Address, Delivery, FactRow, Item, Recheck, SearchDocument, Snapshot, Version
from pipeline.store.write import correct_item, write_records
from query.search import search_items
from query.stories import describe_story, list_stories
from tests.notices import CONTEXT
from tests.stories import EDITED, TEXTS, define_stories, name_stories, record_of

ROWS = (
    Delivery, StoryDecision, StoryMember, Story, StoryLink, StoryKeyRow, Sketch, Boilerplate,
    FactRow, SearchDocument, Version, Recheck, Address, Snapshot, Item,
)  # fmt: skip
FEW = settings(
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def stored_stories(store: Engine) -> set[frozenset[str]]:
    found: dict[int, set[str]] = {}
    with store.connect() as connection:
        for story_id, identity in connection.execute(
            select(StoryMember.story_id, Item.identity).join(Item, Item.id == StoryMember.item_id)
        ):
            found.setdefault(story_id, set()).add(identity)
        assert connection.scalar(select(func.count()).select_from(Story)) == len(found)
    return {frozenset(story) for story in found.values()}


def named(store: Engine) -> list[list[str]]:
    return name_stories(stored_stories(store))


def empty(store: Engine) -> None:
    with store.begin() as connection:
        for table in ROWS:
            connection.execute(delete(table))


def write(store: Engine, *names: str) -> None:
    for name in names:
        write_records(store, [record_of(name)], tell_everybody)


def tell_everybody(_record: Record, event: str) -> Iterable[Match]:
    return [Match("all", "mail", "anna@example.org")] if event in ("new", "joined") else []


def told(store: Engine, state: str = "due") -> list[tuple[str, str]]:
    """What was told of which text, in the order in which it was written."""
    with store.connect() as connection:
        query = select(Item.identity, Delivery.event).join(Item, Item.id == Delivery.item_id)
        query = query.where(Delivery.state == state)
        rows = connection.execute(query.order_by(Delivery.created_at)).all()
    return [(list(TEXTS)[int(row.identity.rsplit(":", 1)[1]) - 1], row.event) for row in rows]


def stories_told(store: Engine) -> list[int]:
    """The stories that were told as new, each by its place among all."""
    with store.connect() as connection:
        every = list(connection.scalars(select(Story.id).order_by(Story.id)))
        told_as_new = connection.scalars(
            select(Delivery.story_id).where(Delivery.state == "due", Delivery.story_id > 0)
        )
        return sorted(every.index(story_id) for story_id in told_as_new)


def uid_of(store: Engine, name: str) -> str:
    with store.connect() as connection:
        uid = connection.scalar(select(Item.uid).where(Item.identity == record_of(name).identity))
    assert uid is not None
    return uid


def in_versions(names: Sequence[str]) -> list[Record]:
    """The records of these texts as they come: the second of a name is its second version."""
    return [record_of(name, edited=name in names[:place]) for place, name in enumerate(names)]


@FEW
@given(
    st.permutations([*TEXTS, *EDITED]),
    st.lists(st.integers(1, 6), min_size=20, max_size=20),
    st.sampled_from([3, 100]),
)
def test_any_order_of_arrival_and_of_edits_gives_the_same_stories(
    store: Engine, names: list[str], sizes: list[int], most: int
) -> None:
    empty(store)
    records = in_versions(names)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sketches, "MOST_HOLDERS", most)
        waiting = records
        for size in [*sizes, len(records)]:
            write_records(store, waiting[:size])
            waiting = waiting[size:]
        assert stored_stories(store) == define_stories(records)


def test_the_stories_of_the_made_up_texts_are_as_a_person_would_tell_them(store: Engine) -> None:
    write_records(store, [record_of(name) for name in TEXTS])
    assert named(store) == [
        ["brief", "english", "parties", "report", "reprint", "teaser"],
        ["other", "other reprint"],
    ]


def write_together(store: Engine, one: Sequence[Record], other: Sequence[Record], *, first: int) -> None:
    """Two transactions that both have written their items before either goes on to stories; `first` commits first."""
    both_wrote, committed = threading.Barrier(2, timeout=60), threading.Event()
    waited = threading.local()
    original = stories.wait_for_turn

    def wait(connection: Connection) -> None:
        if not getattr(waited, "over", False):
            waited.over = True
            both_wrote.wait()
            if waited.place != first:
                assert committed.wait(60)
        original(connection)

    def run(place: int, records: Sequence[Record]) -> None:
        waited.place = place
        write_records(store, records, tell_everybody)
        if place == first:
            committed.set()

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(2) as pool:
        patch.setattr(stories, "wait_for_turn", wait)
        for done in [pool.submit(run, 0, one), pool.submit(run, 1, other)]:
            done.result(timeout=120)


@FEW
@given(
    st.permutations(list(TEXTS)),
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(0, 1)), min_size=2, max_size=6),
    st.sampled_from([3, 100]),
)
def test_two_writers_at_once_give_the_same_stories_and_tell_each_once(
    store: Engine, names: list[str], rounds: list[tuple[int, int, int]], most: int
) -> None:
    if store.dialect.name == "sqlite":
        pytest.skip("SQLite has no two writers at a time")
    empty(store)
    records, written = in_versions(names), list[Record]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sketches, "MOST_HOLDERS", most)
        for mine, theirs, first in rounds:
            one, other = records[:mine], records[mine : mine + theirs]
            records = records[mine + theirs :]
            if one and other:
                write_together(store, one, other, first=first)
                written += [*one, *other]
        assert stored_stories(store) == define_stories(written)
    assert stories_told(store) == sorted(range(len(stored_stories(store))))


def test_writing_a_report_does_not_wait_for_whoever_holds_another_report_of_its_story(
    store: Engine,
) -> None:
    if store.dialect.name == "sqlite":
        pytest.skip("SQLite has no two writers at a time")
    write(store, "report")
    uid = uid_of(store, "report")
    with ThreadPoolExecutor(1) as pool, store.connect() as holder, holder.begin():
        find_item(holder, uid, lock=True)
        assert pool.submit(write_records, store, [record_of("reprint")]).result(timeout=60)
    assert named(store) == [["report", "reprint"]]


class TestTelling:
    def test_a_story_is_new_once_and_later_reports_have_joined_it(self, store: Engine) -> None:
        write(store, "brief", "other", "english", "report")
        assert told(store) == [
            ("brief", "new"),
            ("other", "new"),
            ("english", "joined"),
            ("report", "joined"),
        ]

    def test_two_reports_in_one_transaction_count_in_their_order(self, store: Engine) -> None:
        write_records(store, [record_of("english"), record_of("brief")], tell_everybody)
        assert sorted(told(store)) == [("brief", "joined"), ("english", "new")]

    def test_only_rules_that_ask_for_it_hear_of_what_has_joined(self, store: Engine) -> None:
        def match(_record: Record, event: str) -> Iterable[Match]:
            return [Match("all", "mail", "")] if event == "new" else []

        for name in ("brief", "english"):
            write_records(store, [record_of(name)], match)
        assert told(store) == [("brief", "new")]

    def test_a_rule_that_did_not_match_the_first_report_hears_of_the_second_as_new(
        self, store: Engine
    ) -> None:
        def match(record: Record, event: str) -> Iterable[Match]:
            if event not in ("new", "joined"):
                return []
            english = [Match("English", "mail", "")] if record.title.isascii() else []
            return [Match("all", "mail", ""), *english]

        for name in ("brief", "english"):
            write_records(store, [record_of(name)], match)
        with store.connect() as connection:
            query = select(Delivery.rule, Delivery.event).where(Delivery.state == "due")
            rows = {tuple(row) for row in connection.execute(query)}
        assert rows == {("all", "new"), ("all", "joined"), ("English", "new")}

    def test_a_story_of_the_baseline_was_told_to_nobody(self, store: Engine) -> None:
        write_records(store, [record_of("brief", context=replace(CONTEXT, baseline=True))], tell_everybody)
        write(store, "english")
        assert sorted(told(store)) == [("english", "new")]

    def test_alerts_stay_as_they_were_when_two_told_stories_become_one(self, store: Engine) -> None:
        write(store, "teaser", "brief")
        with store.begin() as connection:
            connection.execute(update(Delivery).values(state="sent"))
        write(store, "report", "parties")
        assert told(store, "sent") == [("teaser", "new"), ("brief", "new")]
        assert told(store) == [("report", "joined"), ("parties", "joined")]
        assert named(store) == [["brief", "parties", "report", "teaser"]]

    def test_of_two_stories_that_become_one_before_they_were_told_one_is_told(self, store: Engine) -> None:
        write(store, "report", "other")
        merge_stories(store, uid_of(store, "report"), uid_of(store, "other"), author="Anna", reason="one")
        assert told(store) == [("report", "new")]
        assert told(store, "held") == [("other", "new")]
        split_story(store, uid_of(store, "other"), author="Anna", reason="two after all")
        assert sorted(told(store)) == [("other", "new"), ("report", "new")]

    def test_of_two_stories_that_become_one_what_was_told_already_stands(self, store: Engine) -> None:
        write(store, "report", "other")
        uid = uid_of(store, "other")
        with store.begin() as connection:
            item_id = find_item(connection, uid)
            connection.execute(update(Delivery).where(Delivery.item_id == item_id).values(state="sent"))
        merge_stories(store, uid_of(store, "report"), uid_of(store, "other"), author="Anna", reason="one")
        assert (told(store), told(store, "held")) == ([], [("report", "new")])

    def test_a_report_that_may_have_been_told_already_is_not_held_back(self, store: Engine) -> None:
        write(store, "report", "other")
        with store.begin() as connection:
            connection.execute(update(Delivery).values(attempts=1))
        merge_stories(store, uid_of(store, "report"), uid_of(store, "other"), author="Anna", reason="one")
        assert sorted(told(store)) == [("other", "new"), ("report", "new")]

    def test_what_was_escalated_has_no_part_in_stories(self, store: Engine) -> None:
        write(store, "report", "other")
        with store.begin() as connection:
            for row in connection.execute(select(Delivery)).all():
                second = {
                    **row._mapping, "id": f"second {row.item_id}", "channel": "boss", "story_id": None, "state": "held",
                    "escalates": row.id,
                }  # fmt: skip
                connection.execute(insert(Delivery).values(second))
        merge_stories(store, uid_of(store, "report"), uid_of(store, "other"), author="Anna", reason="one")
        # They were acknowledged meanwhile: nobody is to be asked again.
        assert told(store) == [("report", "new")]

    def test_a_report_that_is_taken_out_takes_its_alert_along(self, store: Engine) -> None:
        write(store, "brief", "english")
        split_story(store, uid_of(store, "brief"), author="Anna", reason="another matter")
        write(store, "report")
        # The alert was about the item that is gone: what is left has to be told.
        assert sorted(told(store)) == [
            ("brief", "new"), ("english", "joined"), ("english", "new"), ("report", "joined"),
        ]  # fmt: skip

    def test_an_alert_held_back_for_what_proves_to_be_another_case_is_sent(self, store: Engine) -> None:
        write(store, "teaser", "sibling")
        assert told(store) == [("teaser", "new"), ("sibling", "joined")]
        # The full text of the teaser is this one: the sibling is about another case, and nobody has heard of it.
        write(store, "report")
        assert named(store) == [["report", "teaser"]]
        assert ("sibling", "new") in told(store)

    def test_the_database_itself_refuses_a_second_new_alert_of_a_story(self, store: Engine) -> None:
        write(store, "brief", "english")
        with store.begin() as connection:
            new = select(Delivery.story_id).where(Delivery.event == "new", Delivery.state == "due")
            story_id = connection.scalar(new)
            with pytest.raises(IntegrityError), connection.begin_nested():
                connection.execute(update(Delivery).where(Delivery.state == "held").values(story_id=story_id))


class TestChanges:
    def test_an_edit_that_changes_the_case_moves_the_item(self, store: Engine) -> None:
        write(store, "report", "sibling")
        assert named(store) == []
        write_records(store, [record_of("sibling", edited=True)])
        assert named(store) == [["report", "sibling"]]

    def test_a_reparse_that_changes_the_text_moves_the_item(self, store: Engine) -> None:
        write(store, "report", "reprint", "other")
        uid = uid_of(store, "reprint")
        with store.begin() as connection:
            item_id = find_item(connection, uid, lock=True)
            record = record_of("reprint", edited=True)
            correct_item(connection, record, item_id, record.notice.fetched_at)
        assert named(store) == [["other", "reprint"]]

    def test_a_person_s_correction_of_the_case_number_moves_the_item_until_it_is_undone(
        self, store: Engine
    ) -> None:
        write(store, "brief", "english", "sibling")
        made = correct_fact(
            store, uid_of(store, "english"), "case_number", "(2026) E 01 Min Chu No. 77",
            {"normalized": "（2026）鄂01民初78号", "serial": 78}, author="Anna", reason="misprint", place=Place(),
        )  # fmt: skip
        assert named(store) == [["english", "sibling"]]
        undo(store, made)
        assert named(store) == [["brief", "english"]]

    def test_what_too_many_items_have_word_for_word_joins_nothing(
        self, store: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sketches, "MOST_HOLDERS", 2)
        write(store, "other", "other reprint")
        assert named(store) == [["other", "other reprint"]]
        write_records(store, [record_of("reprint", edited=True)])
        assert named(store) == []
        write_records(store, [record_of("reprint")])
        assert named(store) == [["other", "other reprint"]]


class TestDecisions:
    def test_a_split_stands_whatever_comes_until_it_is_undone(self, store: Engine) -> None:
        write(store, "report", "reprint")
        made = split_story(store, uid_of(store, "reprint"), author="Anna", reason="a comment")
        write(store, "brief", "teaser")
        write_records(store, [record_of("report")])
        assert named(store) == [["brief", "report", "teaser"]]
        undo_decision(store, made)
        assert named(store) == [["brief", "report", "reprint", "teaser"]]

    def test_a_merge_joins_whole_stories_and_what_comes_to_them_until_it_is_undone(
        self, store: Engine
    ) -> None:
        write(store, "report", "reprint", "other")
        made = merge_stories(
            store, uid_of(store, "report"), uid_of(store, "other"), author="Anna", reason="one firm"
        )
        write(store, "other reprint", "brief")
        assert named(store) == [["brief", "other", "other reprint", "report", "reprint"]]
        undo_decision(store, made)
        assert named(store) == [["brief", "report", "reprint"], ["other", "other reprint"]]

    def test_an_item_that_was_taken_out_can_be_put_into_another_story(self, store: Engine) -> None:
        write(store, "report", "reprint", "other")
        split_story(store, uid_of(store, "reprint"), author="", reason="not this")
        merge_stories(store, uid_of(store, "reprint"), uid_of(store, "other"), author="", reason="but this")
        assert named(store) == [["other", "reprint"]]
        split_story(store, uid_of(store, "reprint"), author="", reason="neither")
        assert named(store) == []

    def test_a_decision_that_can_not_be_meant_is_refused_and_changes_nothing(self, store: Engine) -> None:
        write(store, "report", "reprint", "other")
        report, reprint, other = (uid_of(store, name) for name in ("report", "reprint", "other"))
        for decide in (
            lambda: split_story(store, other, author="Anna", reason="x"),
            lambda: split_story(store, report, author="Anna", reason=" "),
            lambda: merge_stories(store, report, reprint, author="Anna", reason="x"),
            lambda: merge_stories(store, report, other, author="Anna", reason=""),
            lambda: undo_decision(store, 99),
        ):
            with pytest.raises(StoryError):
                decide()
        made = merge_stories(store, report, other, author="Anna", reason="x")
        undo_decision(store, made)
        with pytest.raises(StoryError, match="undone already"):
            undo_decision(store, made)
        assert named(store) == [["report", "reprint"]]


class TestShowing:
    def test_the_official_report_leads_and_every_member_says_why_it_is_there(self, store: Engine) -> None:
        media = replace(CONTEXT, source_key="media_ipr")
        write_records(store, [record_of("reprint", context=media, publisher="知产观察")])
        write(store, "report", "english", "digest", "sibling")
        story = describe_story(store, uid_of(store, "reprint"))
        assert story["lead"] == uid_of(store, "report")
        assert story["lead_reason"] == "the authority itself"
        reasons = {
            report["title"]: [reason["kind"] for reason in report["reasons"]] for report in story["reports"]
        }
        assert reasons == {
            TEXTS["report"][0]: ["case_number", "parties", "same_text"],
            TEXTS["reprint"][0]: ["case_number", "parties", "same_text"],
            TEXTS["english"][0]: ["case_number"],
        }
        case = story["reports"][0]["reasons"][0]
        assert case["text"] == "the same case, at the same stage: (2026)鄂01民初77号 ruling"
        assert case["with"] == sorted([uid_of(store, "english"), uid_of(store, "reprint")])
        assert {link["title"] for link in story["carried_by"]} == {TEXTS["digest"][0]}
        assert "78号" in story["apart"][0]["reason"]

    def test_a_found_item_names_the_other_reports_and_why(self, store: Engine) -> None:
        write(store, "report", "english", "other")
        hits = {hit.title: hit.also for hit in search_items(store).hits}
        assert hits[TEXTS["other"][0]] == []
        (also,) = hits[TEXTS["english"][0]]
        assert (also["uid"], also["leads"], also["why"]) == (uid_of(store, "report"), True, ["same case"])

    def test_stories_with_several_reports_are_listed_and_the_others_on_demand(self, store: Engine) -> None:
        write(store, "report", "english", "other")
        total, listed = list_stories(store, limit=10)
        assert (total, [len(story["reports"]) for story in listed]) == (1, [2])
        assert list_stories(store, single=True, limit=1)[0] == 2
