"""The command that serves the HTTP API and the feeds, and those of the tokens that it is asked with."""

from __future__ import annotations

import ipaddress
import json
import logging
import socket
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.markup import escape
from rich.table import Table
from sqlalchemy import Engine

from cli_output import DatabaseOption, JsonOption, err, out, print_json, read_configuration
from configuration import Configuration
from errors import ConfigurationError
from pipeline.store.api_tokens import SCOPES, add_token, any_token, list_tokens, revoke_token
from pipeline.store.session import open_engine

tokens_app = typer.Typer(help="Tokens of programs that ask over HTTP.", no_args_is_help=True)
_OWN_NAMES = frozenset(("localhost", "127.0.0.1", "::1"))


def serve_command(
    context: typer.Context,
    host: Annotated[
        str, typer.Option("--host", help="The address to listen on; another than loopback needs a token.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="The port; 0 takes a free one and says which.")
    ] = 8000,
    public_url: Annotated[
        str | None,
        typer.Option(
            "--public-url",
            metavar="URL",
            help="Where a proxy on this machine offers it, such as https://ipr.example.",
        ),
    ] = None,
    open_metrics: Annotated[
        bool, typer.Option("--open-metrics", help="Let whoever can connect read /metrics without a token.")
    ] = False,
    db: DatabaseOption = None,
) -> None:
    """Serve the HTTP API and the feeds until Ctrl-C. On this machine only, unless --host says otherwise."""
    import uvicorn  # with FastAPI a third of a second, which no other command needs

    from crawlers.verdicts import watch_all
    from query.api.app import build_app
    from query.api.served import Served

    configuration = read_configuration(context, database=db)
    name = _public_name(public_url)
    engine = open_engine(configuration.database_url, create=False)
    listener = _listen(host, port, engine)
    on_loopback = ipaddress.ip_address(listener.getsockname()[0]).is_loopback
    served = Served(
        engine=engine,
        sources=_described_sources(configuration),
        watched=list(watch_all(configuration).values()),
        rules=[rule.name for rule in configuration.rules],
        open_metrics=open_metrics,
        trusts_all=on_loopback and public_url is None,
        hosts=_OWN_NAMES | {host.lower(), *([name] if name else [])} if on_loopback else None,
        public_url=public_url.rstrip("/") if public_url else None,
    )
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("iprwatch.serve").setLevel(logging.INFO)
    server = uvicorn.Server(
        uvicorn.Config(
            build_app(served),
            log_config=None,
            # Its lines would hold the tokens that stand in URLs of feeds; the application writes its own.
            access_log=False,
            server_header=False,
            proxy_headers=public_url is not None,
            forwarded_allow_ips="127.0.0.1,::1",
            ws="none",
            limit_concurrency=100,
            timeout_graceful_shutdown=10,
        )
    )
    address = public_url or f"http://{_shown(listener)}"
    out.print(f"Serving {address}/api/v1 until Ctrl-C.", markup=False, highlight=False, soft_wrap=True)
    if served.trusts_all and not any_token(engine):
        err.print("There is no token, so whoever is on this machine may read.", highlight=False)
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        # The server has ended in order and passes the signal on.
        pass
    finally:
        engine.dispose()


@tokens_app.command("add")
def tokens_add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What it is for; never used twice.")],
    scope: Annotated[
        str, typer.Option("--scope", metavar="SCOPE", help=f"What it may do: {', '.join(SCOPES)}.")
    ] = "read",
    days: Annotated[
        int | None, typer.Option("--days", metavar="N", help="For how many days; without end when left out.")
    ] = None,
    db: DatabaseOption = None,
) -> None:
    """Make a token and print it, this once: it is kept only as a hash."""
    configuration = read_configuration(context, database=db)
    engine = open_engine(configuration.database_url, create=False)
    token = add_token(engine, name, scope, days=days, now=datetime.now(UTC))
    err.print("Keep it well, it can't be shown again:", highlight=False)
    typer.echo(token)


@tokens_app.command("list")
def tokens_list(context: typer.Context, db: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """All tokens ever made: what each may do, whether it holds, when it was last used."""
    configuration = read_configuration(context, database=db)
    rows = list_tokens(open_engine(configuration.database_url, create=False), now=datetime.now(UTC))
    if as_json:
        print_json(rows)
        return
    table = Table("Name", "Scope", "State", "Made", "Until", "Last used", title=f"{len(rows)} tokens")
    for row in rows:
        times = (str(row[key] or "")[:16] for key in ("created_at", "expires_at", "last_used_at"))
        table.add_row(escape(row["name"]), row["scope"], row["state"], *times)
    out.print(table)


@tokens_app.command("revoke")
def tokens_revoke(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The token's name.")],
    db: DatabaseOption = None,
) -> None:
    """End a token at once, also for a server that runs."""
    configuration = read_configuration(context, database=db)
    revoke_token(open_engine(configuration.database_url, create=False), name, now=datetime.now(UTC))
    out.print(f"Revoked: {name}.", markup=False, highlight=False)


def _public_name(public_url: str | None) -> str | None:
    if public_url is None:
        return None
    try:
        parts = urlsplit(public_url)
        usable = parts.scheme in ("http", "https") and parts.hostname and not (parts.query or parts.fragment)
    except ValueError:
        usable = None
    if not usable:
        raise ConfigurationError(
            f"--public-url: {public_url!r} is no address such as https://ipr.example.com."
        )
    return parts.hostname


def _listen(host: str, port: int, engine: Engine) -> socket.socket:
    """A socket that listens there, after it is sure that it may. Raises ConfigurationError."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise ConfigurationError(f"--host: {host!r} is no address or name of this machine.") from None
    family, _, _, _, address = found[0]
    if not ipaddress.ip_address(address[0]).is_loopback and not any_token(
        engine, holding_at=datetime.now(UTC)
    ):
        raise ConfigurationError(
            f"--host: {host} can be reached from other machines, and no token holds that they would have to show; "
            "make one with `iprwatch tokens add`, or leave out --host."
        )
    try:
        return socket.create_server((address[0], port), family=family)
    except OSError as error:
        raise ConfigurationError(f"{host}:{port}: can't listen there ({error.strerror}).") from None


def _shown(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _described_sources(configuration: Configuration) -> dict[str, dict[str, object]]:
    names = (
        "key", "name_zh", "name_en", "publisher_zh", "publisher_en", "url", "topics", "crontab", "reader", "proven",
    )  # fmt: skip
    described: dict[str, dict[str, object]] = {}
    for key, source in configuration.load_sources().items():
        described[key] = json.loads(source.model_dump_json(include=set(names)))
    return described
