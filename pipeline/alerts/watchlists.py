"""Watchlists: tables of clients, marks, patents and matters, each row of which is watched like a rule.

A row is told under the name of its list and its own, with the matter's reference, so that whoever gets the alert knows
whose it is.
"""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator

from errors import ConfigurationError
from pipeline.alerts.rules import Rule, Telling
from pipeline.alerts.watchlist_files import read_rows
from pipeline.expression import read_query
from pipeline.expression.conditions import All, Condition, HasFact, OneOf, Words
from pipeline.expression.fields import FIELDS
from pipeline.expression.widening import scripts
from pipeline.store.tokens import read_phrase

KINDS = ("client", "mark", "patent", "matter")
_LEAST_LETTERS = 2
_ALIASES = re.compile(r"[;；|]")
_FACTS = {"patent": "patent", "matter": "case"}


class Watchlist(Telling):
    """A table of names and who is told of them. `query`, if any, must be met beside one of the names.

    `file` is a CSV file in UTF-8 or an XLSX file, with a header; its columns are `name`, `aliases` (with semicolons
    between them), `kind` (client, mark, patent, matter) and `reference`. Only `name` is needed.
    """

    name: Annotated[str, Field(min_length=1, max_length=60)]
    file: Path
    query: str = ""
    events: Annotated[tuple[str, ...], Field(min_length=1)] = ("new",)

    @field_validator("query")
    @classmethod
    def _readable_query(cls, query: str) -> str:
        if query:
            read_query(query)
        return query


class WatchedName(Rule):
    """The rule that a row of a watchlist is: one of its names stands in the text, in either script, or a fact is it."""

    names: Annotated[tuple[str, ...], Field(min_length=1)]
    kind: str = ""
    watchlist: str

    @property
    def group(self) -> str:
        """The watchlist's name."""
        return self.watchlist

    @cached_property
    def condition(self) -> Condition:
        """One of the names, and the list's query if it has one."""
        phrases = {
            phrase: form
            for name in self.names
            for form in scripts(name)
            if (phrase := read_phrase(form)) is not None
        }
        named: list[Condition] = [Words(tuple(phrases), tuple(phrases.values()))]
        if field := _FACTS.get(self.kind):
            named += [fact for name in self.names if (fact := _read_fact(field, name)) is not None]
        asked = super().condition
        return All((OneOf(tuple(named)), asked)) if asked else OneOf(tuple(named))


def _read_fact(field: str, name: str) -> HasFact | None:
    """The fact that a name is, where it is a number that can be read."""
    try:
        condition = FIELDS[field].read(name, ":")
    except ValueError:
        return None
    return condition if isinstance(condition, HasFact) else None


def read_watchlist(watchlist: Watchlist) -> tuple[WatchedName, ...]:
    """The rules of a watchlist's rows. Raises ConfigurationError naming the file, the row and the column."""
    rules: dict[str, WatchedName] = {}
    telling = {key: getattr(watchlist, key) for key in Telling.model_fields}
    for number, row in read_rows(watchlist.file):
        names = _read_names(row, f"{watchlist.file}: row {number}")
        reference = row.get("reference", "")
        title = f"{watchlist.name}: {names[0]}" + (f" ({reference})" if reference else "")
        if len(title) > 200:
            raise ConfigurationError(
                f"{watchlist.file}: row {number}, columns name and reference: are too long together; 130 characters "
                "are enough."
            )
        if title in rules:
            raise ConfigurationError(
                f"{watchlist.file}: row {number}, column name: {names[0]!r} stands there twice with the same reference."
            )
        rules[title] = WatchedName(
            name=title,
            names=names,
            kind=row.get("kind", ""),
            watchlist=watchlist.name,
            query=watchlist.query,
            **telling,
        )
    if not rules:
        raise ConfigurationError(f"{watchlist.file}: has no row below its header.")
    return tuple(rules.values())


def _read_names(row: dict[str, str], place: str) -> tuple[str, ...]:
    kind = row.get("kind", "")
    if kind and kind not in KINDS:
        raise ConfigurationError(f"{place}, column kind: {kind!r} is none; there are {', '.join(KINDS)}.")
    aliases = [alias.strip() for alias in _ALIASES.split(row.get("aliases", "")) if alias.strip()]
    for column, name in (("name", row["name"]), *(("aliases", alias) for alias in aliases)):
        if sum(character.isalnum() for character in name) < _LEAST_LETTERS:
            raise ConfigurationError(
                f"{place}, column {column}: {name!r} is too short to be told apart; {_LEAST_LETTERS} letters or digits "
                "are needed."
            )
    return (row["name"], *dict.fromkeys(aliases))
