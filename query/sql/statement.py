"""What a question may say: one SELECT over the views, with functions that only calculate.

Both databases read the same words differently in places (nested comments, prefixed strings, line ends in comments);
what they could read differently is refused or taken out, so that the words judged are the words run.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from query.errors import QueryError

LONGEST = 20_000
_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<comment>--[^\n]*)
    |(?P<text>'(?:[^']|'')*')
    |(?P<quoted>"(?:[^"]|"")+")
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<name>[^\W\d]\w*)
    |(?P<mark>/(?!\*)|[-+*%=<>!|~^&(),.;:?@#])""",
    re.VERBOSE,
)
_FIRST = {"select", "with", "values"}
_MAIN = {"select", "values", "table"}
_NO_WORDS = set("recursive into insert update delete merge truncate copy attach detach pragma".split())
# Words that may stand before a bracket and are no functions.
_BEFORE_BRACKET = set(
    "all and any as between by case cross distinct else except exists filter from group having in inner intersect is "
    "join lateral left like limit materialized not offset on or order over partition select then union using values "
    "when where with".split()
)
FUNCTIONS = frozenset(
    # of both
    "abs avg cast coalesce count cume_dist date dense_rank first_value lag last_value lead length like lower ltrim max "
    "min nth_value ntile nullif percent_rank rank replace round row_number rtrim substr sum trim upper "
    # of SQLite
    "datetime glob group_concat iif ifnull instr json_array_length json_each json_extract json_type julianday strftime "
    "time total typeof unixepoch -> ->> "
    # of PostgreSQL
    "age array_agg bool_and bool_or char_length concat concat_ws corr date_part date_trunc decimal extract greatest "
    "json_array_elements json_array_elements_text json_each_text json_object_keys least mode now numeric "
    "percentile_cont percentile_disc position split_part stddev string_agg strpos substring to_char to_date varchar "
    "variance".split()
)
"""What may be called: calculations on given values, none that makes long values of short ones, waits, reads files or
asks the database about itself."""


_OF_THE_DATABASE = ("sqlite_", "pragma_", "fts5", "pg_", "information_schema")


def read_statement(text: str, *, forbidden: Collection[str]) -> str:
    """The statement as it may be run, without comments and the last semicolon.

    `forbidden` are names that it must not hold (tables, schemas), in small letters. Raises QueryError that says which
    word is not allowed.
    """
    if len(text) > LONGEST:
        raise QueryError(f"The statement has {len(text)} characters; at most {LONGEST} are read.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise QueryError("The statement holds what is no character; was it written in UTF-8?") from None
    tokens = [token for token in _tokenize(text) if token[0] != "comment"]
    while tokens and (tokens[-1][0] == "space" or tokens[-1][1] == ";"):
        tokens.pop()
    words = [token for token in tokens if token[0] != "space"]
    if not words or words[0][1].lower() not in _FIRST:
        raise QueryError("A statement begins with SELECT or WITH; everything else is refused.")
    depth, in_head = 0, words[0][1].lower() == "with"
    for (_, before), (kind, word), (_, after) in zip(
        [("", ""), *words[:-1]], words, [*words[1:], ("", "")], strict=True
    ):
        if word == ";":
            raise QueryError("One statement at a time: there is a ; inside.")
        depth += (word == "(") - (word == ")")
        in_head = in_head and not (depth == 0 and word.lower() in _MAIN)
        # In WITH name (columns) AS (…), name (columns) AS (…) the names call nothing: until the main part begins,
        # there is nothing else outside of brackets.
        defines = in_head and depth == 0 and after == "(" and before.lower() in ("with", ",")
        if kind in ("name", "quoted"):
            _check_name(kind, _unquote(word).lower(), "" if defines else after, forbidden)
    return "".join(" " if kind == "space" else word for kind, word in tokens)


def _check_name(kind: str, name: str, after: str, forbidden: Collection[str]) -> None:
    if name in forbidden or name.startswith(_OF_THE_DATABASE):
        raise QueryError(
            f"{name!r} is none of the views, and no name for a column either; `iprwatch sql` without a statement lists "
            "them."
        )
    if kind == "name" and name in _NO_WORDS:
        raise QueryError(f"{name.upper()} is not allowed: statements only read, and only what is stored.")
    if after == "(" and name not in FUNCTIONS and (kind == "quoted" or name not in _BEFORE_BRACKET):
        raise QueryError(f"{name}(…) may not be called; docs/analysis.md lists the functions.")
    # U&"\0069tem" would be a name that can't be judged; E'\'' a text that ends elsewhere.
    if kind == "name" and (
        (after.startswith("'") and name in ("e", "b", "x", "n")) or (after == "&" and name == "u")
    ):
        raise QueryError(f"A text or name with {name.upper()} in front is not allowed; write it plainly.")


def _unquote(word: str) -> str:
    return word[1:-1].replace('""', '"') if word.startswith('"') else word


def _tokenize(text: str) -> Iterator[tuple[str, str]]:
    # A lone carriage return ends a comment in one database and not in the other.
    text = text.replace("\r", "\n")
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None or found.lastgroup is None:
            raise QueryError(
                f"{text[place : place + 10]!r} can't be read (character {place}) or is not allowed."
            )
        yield found.lastgroup, found[0]
        place = found.end()
