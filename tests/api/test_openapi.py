"""The OpenAPI document: complete, and true of what is answered."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from query.api.app import build_app
from query.api.served import Served


@pytest.fixture
def document(store: Engine) -> dict[str, Any]:
    """What the application says of itself."""
    edge: Any = build_app(Served(engine=store, sources={}))
    described: dict[str, Any] = edge._app.openapi()
    return described


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_operation_says_what_it_does_and_every_parameter_what_it_means(
    document: dict[str, Any],
) -> None:
    for name, operation in operations(document):
        assert operation["description"], name
        assert operation["tags"], name
        for parameter in operation.get("parameters", ()):
            known = {"uid", "key", "name", "form", "If-None-Match"}
            described = parameter.get("description") or parameter["schema"].get("description")
            assert described or parameter["name"] in {*known, "limit"}, (name, parameter["name"])


def test_every_refusal_is_described_as_a_problem_document(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        refusals = {status: said for status, said in operation["responses"].items() if int(status) >= 400}
        assert {"401", "403", "413", "421", "422", "429", "500", "503"} <= set(refusals), name
        named = any(part in name for part in ("{uid}", "{key}", "{name}", "rule"))
        assert ("404" in refusals) == named, name
        for said in refusals.values():
            assert list(said["content"]) == ["application/problem+json"], name


def test_every_path_asks_for_a_token(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        schemes = {scheme for needed in operation["security"] for scheme in needed}
        assert schemes == ({"token", "feed token"} if "/feeds/" in name else {"token"}), name


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]

    def references(part: Any) -> set[str]:
        if isinstance(part, dict):
            found = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
            return found.union(*map(references, part.values()))
        return set().union(*map(references, part)) if isinstance(part, list) else set()

    named = {reference.removeprefix("#/components/schemas/") for reference in references(document)}
    assert named <= set(schemas)
    assert "HTTPValidationError" not in schemas
