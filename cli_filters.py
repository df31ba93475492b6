"""The words and filters that say which items are meant, shared by the commands that find, export and count them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import typer

from cli_output import check_named, pick_sources
from configuration import Configuration
from pipeline.expression import read_query, read_words
from pipeline.legal.asked import AskedError, read_asked_amount
from pipeline.store.saved_searches import read_search
from pipeline.store.session import open_engine
from query.errors import QueryError
from query.fact_filters import FactFilter
from query.saved import join_expressions

WordsArgument = Annotated[
    list[str] | None,
    typer.Argument(help="Words in Chinese or English, or an expression: docs/query-language.md."),
]
SourceFilter = Annotated[
    list[str] | None, typer.Option("--source", help="Only this source; may be repeated.")
]
SinceFilter = Annotated[
    datetime | None, typer.Option("--since", formats=["%Y-%m-%d"], help="Published on this day or later.")
]
UntilFilter = Annotated[
    datetime | None,
    typer.Option("--until", formats=["%Y-%m-%d"], help="Published on this day or earlier."),
]
CaseFilter = Annotated[
    list[str] | None,
    typer.Option("--case-no", help="With this case number, in any written form; may be repeated."),
]
CourtFilter = Annotated[
    list[str] | None,
    typer.Option("--court", help="Naming this court, or with a case number of it; may be repeated."),
]
LeastFilter = Annotated[
    str | None,
    typer.Option("--amount-min", metavar="SUM", help="With a sum of at least 350000, or 35万."),
]
MostFilter = Annotated[
    str | None, typer.Option("--amount-max", metavar="SUM", help="With a sum of at most so much.")
]
CurrencyFilter = Annotated[str, typer.Option("--currency", help="The currency of these sums, ISO 4217.")]
IpTypeFilter = Annotated[
    list[str] | None,
    typer.Option("--ip-type", help="About this kind of right, such as trademark; may be repeated."),
]
StatuteFilter = Annotated[
    list[str] | None,
    typer.Option("--statute", help="Citing this law, such as 专利法 or 专利法第六十五条; may be repeated."),
]
PartyFilter = Annotated[
    list[str] | None,
    typer.Option("--party", help="With a party whose name holds this; may be repeated."),
]
DocumentFilter = Annotated[
    list[str] | None,
    typer.Option("--doc-no", help="With this document number, such as 法释〔2021〕4号; may be repeated."),
]
KindFilter = Annotated[
    list[str] | None,
    typer.Option("--kind", help="This kind of notice, such as case or law_or_policy; may be repeated."),
]
SavedFilter = Annotated[
    str | None,
    typer.Option("--saved", metavar="NAME", help="What the search finds that was saved by this name."),
]
WithdrawnFilter = Annotated[
    bool, typer.Option("--withdrawn", help="Only items whose page is gone from its site.")
]


def read_filter(configuration: Configuration, given: Mapping[str, Any]) -> dict[str, Any]:
    """What a command's own words and filters mean, as arguments of `search_items` and `find_conditions`.

    `given` are the parameters of the command by their names. Raises QueryError, NoSuchSearch and ConfigurationError.
    """
    query = read_words(given["words"] or [])
    if given["saved"] is not None:
        kept = read_search(open_engine(configuration.database_url, create=False), given["saved"])
        query = read_query(join_expressions(kept["expression"], *([query.text] if query else [])))
    if given["source"]:
        pick_sources(configuration, given["source"])
    if query:
        check_named(configuration, query.condition)
    try:
        least, most = (
            read_asked_amount(bound) if bound is not None else None
            for bound in (given["amount_min"], given["amount_max"])
        )
    except AskedError as error:
        raise QueryError(str(error)) from None
    since, until = given["since"], given["until"]
    return {
        "query": query,
        "sources": given["source"] or (),
        "since": since.date() if since else None,
        "until": until.date() if until else None,
        "facts": FactFilter(
            case_numbers=given["case_no"] or (),
            courts=given["court"] or (),
            ip_types=given["ip_type"] or (),
            statutes=given["statute"] or (),
            parties=given["party"] or (),
            documents=given["doc_no"] or (),
            kinds=given["kind"] or (),
            amount_min=least,
            amount_max=most,
            currency=given["currency"],
        ),
        "withdrawn": given["withdrawn"],
    }
