"""Who asks, what they may do, and how often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyQuery, HTTPAuthorizationCredentials, HTTPBearer
from starlette.exceptions import HTTPException

from pipeline.store.api_tokens import SCOPES, any_token, check_token
from query.api.served import Served, served_by

_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")

in_header = HTTPBearer(
    auto_error=False, scheme_name="token", description="A token of `iprwatch tokens add`, as a Bearer."
)
"""The token of a request, None where it shows none."""

_in_url = APIKeyQuery(
    name="token",
    auto_error=False,
    scheme_name="feed token",
    description="A token with the scope `feed`, for feed readers that can't send headers. No other is taken here.",
)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks; `name` is that of the token, None where none is needed."""

    name: str | None
    scope: str

    def may(self, scope: str) -> bool:
        """Whether the asker's scope is this one or holds it."""
        return SCOPES.index(self.scope) >= SCOPES.index(scope)


def asks_for(scope: str) -> Callable[..., Asker]:
    """A dependency that lets in who has this scope, by a token in the header."""

    def admit(
        request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(in_header)]
    ) -> Asker:
        return _admit(request, given.credentials if given else None, scope)

    return admit


def asks_for_a_feed(
    request: Request,
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(in_header)],
    in_url: Annotated[str | None, Depends(_in_url)],
) -> Asker:
    """A dependency that lets in who may read feeds: by a token in the header, or one for feeds only in the URL.

    A URL ends up in logs, histories and other people's readers, so a token that can do more is refused in it, and
    said to be burnt.
    """
    if given is not None or in_url is None:
        return _admit(request, given.credentials if given else None, "feed")
    asker = _admit(request, in_url, "feed")
    if asker.scope != "feed":
        raise HTTPException(
            403,
            "Only a token with the scope feed may stand in a URL. This one can do more, and URLs are written into "
            "logs: revoke it with `iprwatch tokens revoke` and make one with `--scope feed`.",
        )
    return asker


def _admit(request: Request, token: str | None, scope: str) -> Asker:
    served = served_by(request)
    if token is None:
        if "authorization" in request.headers:
            raise _unknown("The header Authorization must be `Bearer` and a token")
        asker = Asker(None, "read") if _needs_none(served, request) else None
    else:
        bearer = check_token(served.engine, token, now=served.now())
        if bearer is None:
            raise _unknown("The token is unknown, expired or revoked")
        request.state.asker = bearer.name
        if wait := served.token_rates.wait(str(bearer.token_id)):
            raise HTTPException(
                429, "Too many requests with this token.", headers={"Retry-After": str(int(wait) + 1)}
            )
        asker = Asker(bearer.name, bearer.scope)
    if asker is None:
        raise _unknown(
            "A token is needed: `iprwatch tokens add` makes one; send it as `Authorization: Bearer …`"
        )
    if not asker.may(scope):
        raise HTTPException(
            403,
            f"This needs a token with the scope {scope}.",
            headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'},
        )
    return asker


def _needs_none(served: Served, request: Request) -> bool:
    # A proxy on this machine brings in the world; nginx and its like say so in one of these headers.
    if not served.trusts_all or any(name in request.headers for name in _FORWARDED):
        return False
    return not any_token(served.engine)


def _unknown(detail: str) -> HTTPException:
    return HTTPException(401, f"{detail}.", headers={"WWW-Authenticate": "Bearer"})
