"""A person's word on a date or a fact, over the machine's: said and taken back by programs with the scope write."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from pipeline.store.corrections import (
    CorrectionError,
    Place,
    add_fact,
    correct_fact,
    correct_published_as_written,
    remove_fact,
    undo,
)
from query.api import answers
from query.api.asking import Text, Uid, check_storable
from query.api.authorisation import Asker, asks_for
from query.api.problems import documented
from query.api.served import served_by

router = APIRouter(tags=["corrections"])

Long = Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(check_storable)]
Number = Annotated[int, Field(ge=-(2**53), le=2**53)]
Author = Annotated[Asker, Depends(asks_for("write"))]


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid")
    reason: Annotated[Long, Field(description="Why; it is recorded and shown.")]


class PublishedSaid(_Said):
    """When an item was published."""

    published: Annotated[Text, Field(description="2026-11-18, `2026-11-18 10:30` (China), or `unknown`.")]


class FactSaid(_Said):
    """What a fact of an item is: its value is otherwise, it is missing, or it is none."""

    action: Literal["set", "add", "remove"]
    kind: Annotated[Text, Field(description="The kind of fact, such as amount.")]
    raw: Annotated[Long, Field(description="The fact's words as they are printed.")]
    value: Annotated[
        dict[Text, Long | Number | bool | None],
        Field(
            max_length=50, description="What of the value is otherwise, such as an amount; for set and add."
        ),
    ] = {}
    field: Annotated[
        Literal["title", "body"] | None, Field(description="Only where it stands in this field.")
    ] = None
    start: Annotated[
        Annotated[int, Field(ge=0, le=10**9)] | None,
        Field(description="Only the one that starts at this character of the field."),
    ] = None
    was: Annotated[Text | None, Field(description="Only the one that reads so now.")] = None


@router.post("/items/{uid}/published", status_code=201, responses=documented(404))
def say_published(request: Request, uid: Uid, said: PublishedSaid, asker: Author) -> answers.Correction:
    """Say when an item was published, in the name of the token. It outlives reparsing and edits, and can be undone."""
    engine = served_by(request).engine
    made = correct_published_as_written(
        engine, uid, said.published, author=str(asker.name), reason=said.reason
    )
    return answers.Correction(correction=made)


@router.post("/items/{uid}/facts", status_code=201, responses=documented(404))
def say_fact(request: Request, uid: Uid, said: FactSaid, asker: Author) -> answers.Correction:
    """Say what a fact of an item is, in the name of the token. It outlives reparsing and edits, and can be undone."""
    engine, author = served_by(request).engine, str(asker.name)
    place = Place(said.field, said.start, said.was)
    if said.action == "remove":
        if said.value:
            raise CorrectionError("A fact that is removed has no value.")
        made = remove_fact(engine, uid, said.kind, said.raw, author=author, reason=said.reason, place=place)
    else:
        if said.action == "set" and not said.value:
            raise CorrectionError("Say in the value what is otherwise.")
        change = correct_fact if said.action == "set" else add_fact
        made = change(
            engine, uid, said.kind, said.raw, said.value, author=author, reason=said.reason, place=place
        )
    return answers.Correction(correction=made)


@router.post("/corrections/{number}/undo", responses=documented(), dependencies=[Depends(asks_for("write"))])
def undo_correction(
    request: Request,
    number: Annotated[int, Path(ge=1, le=2**63 - 1, description="The correction's id, as an item lists it.")],
) -> answers.Correction:
    """Undo a correction: what stood under it is shown again. It stays on record."""
    undo(served_by(request).engine, number)
    return answers.Correction(correction=number)
