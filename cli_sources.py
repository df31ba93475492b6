"""The commands about sources: listing, adding, probing them; links by hand; hosts that may be crawled."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Column, Table

from cli_output import SHANGHAI, DatabaseOption, JsonOption, out, pick_sources, print_json, read_configuration
from configuration import FILE_NAME, Configuration
from crawlers.adding import Look, Way, append_entry, check_address, look_at, make_entry
from crawlers.inbox_links import PUNCTUATION, Added, add_links, find_links, read_dropped_file
from crawlers.inspection import open_saved_page
from crawlers.page import Page
from crawlers.permissions import allow_host, list_permissions, revoke_host
from errors import ConfigurationError, IprwatchError
from pipeline.alerts.message import flatten
from pipeline.health.mutes import mute_source, unmute_source
from pipeline.normalize import identify_url
from pipeline.store.session import StoreError, open_engine
from query.filtered import list_filtered
from query.hosts import list_hosts

sources_app = typer.Typer(help="List what is watched, and add to it.", invoke_without_command=True)
hosts_app = typer.Typer(
    help="Hosts: how they stand; whose robots.txt forbids crawlers and is overruled, for a reason.",
    no_args_is_help=True,
)


class LinksError(IprwatchError):
    """No link was given. Raised by `iprwatch add`."""


@sources_app.callback()
def sources_command(context: typer.Context, db: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """List what is watched."""
    if context.invoked_subcommand is not None:
        return
    configuration = read_configuration(context, database=db)
    sources = configuration.load_sources().values()
    confirmed = _confirmed(configuration)
    if as_json:
        print_json(
            [{**source.model_dump(), "confirmed_by_probe": source.key in confirmed} for source in sources]
        )
        return
    table = Table(
        "Key", Column("Source", overflow="fold"), "Publisher", "When (Asia/Shanghai)", "Reader", "Proven",
        title=f"{len(sources)} sources",
    )  # fmt: skip
    for source in sources:
        proven = "by a probe" if source.key in confirmed else "yes" if source.proven else "unproven"
        unverified = "" if source.verify_certificate else "\n[bold red]certificate not verified[/]"
        table.add_row(
            source.key,
            f"{escape(source.name_zh)}\n{escape(source.name_en)}{unverified}",
            escape(source.publisher_zh),
            source.crontab + (f"\nonly {source.hours}" if source.hours else ""),
            source.reader,
            proven,
        )
    out.print(table)
    out.print(
        "Unproven: read only from descriptions so far; its reader refuses a page that differs. "
        "`iprwatch probe` looks at the live page.",
        style="dim",
    )


def _confirmed(configuration: Configuration) -> set[str]:
    from crawlers.probe import confirmed_sources  # Scrapy

    try:
        return confirmed_sources(open_engine(configuration.database_url, create=False))
    except StoreError:
        # Listing needs no database; without one nothing was probed either.
        return set()


@sources_app.command("add")
def sources_add(
    context: typer.Context,
    url: Annotated[str, typer.Argument(help="A list page, a feed, or any article of a WeChat account.")],
    to: Annotated[Path, typer.Option("--to", help="The TOML file to write the entry into.")],
    key: Annotated[str | None, typer.Option("--key", help="<family>_<what>, such as wechat_cnipa.")] = None,
    name_zh: Annotated[str | None, typer.Option("--name-zh", help="The source's name in Chinese.")] = None,
    name_en: Annotated[str | None, typer.Option("--name-en", help="The source's name in English.")] = None,
    publisher_zh: Annotated[
        str | None, typer.Option("--publisher-zh", help="Who publishes it, in Chinese.")
    ] = None,
    publisher_en: Annotated[
        str | None, typer.Option("--publisher-en", help="Who publishes it, in English.")
    ] = None,
    crontab: Annotated[str, typer.Option("--crontab", help="Five fields, Asia/Shanghai, day names.")] = (
        "0 9,17 * * mon-fri"
    ),
    file: Annotated[
        Path | None, typer.Option("--file", help="Read this saved page instead of fetching the URL.")
    ] = None,
    by: Annotated[
        Way, typer.Option("--by", help="How to follow the account of a WeChat article: album or backend.")
    ] = "album",
    save: Annotated[
        Path | None, typer.Option("--save", help="Keep the page as a sample case below this folder.")
    ] = None,
) -> None:
    """Look at a page, say which reader fits and what it sees, and write the entry of a new source."""
    from crawlers.fetching import fetch_page  # Scrapy

    configuration = read_configuration(context)
    url = check_address(url)
    page = open_saved_page(file, url) if file is not None else fetch_page(configuration, url)
    look = look_at(page)
    _print_look(look)
    names = {
        "key": key,
        "name_zh": name_zh,
        "name_en": name_en,
        "publisher_zh": publisher_zh,
        "publisher_en": publisher_en,
    }
    table = make_entry(look, url, names, crontab, live=file is None, by=by)
    known = configuration.load_sources()
    if key in known:
        raise ConfigurationError(f"The source {key!r} exists already; choose another --key.")
    address = identify_url(str(table["url"]))
    if twin := next((source.key for source in known.values() if identify_url(source.url) == address), None):
        raise ConfigurationError(f"{table['url']} is watched already, as {twin}.")
    if save is not None:
        _save_sample(page, save / look.reader / f"{key}_{'list' if look.listing else 'article'}")
    append_entry(to, str(key), table)
    out.print(f"Written to {to} as [{key}].", markup=False, highlight=False)
    if to.resolve() not in [path.resolve() for path in configuration.source_files]:
        place = configuration.file or Path(FILE_NAME)
        files = [os.path.relpath(path, place.parent) for path in (*configuration.source_files, to)]
        out.print(
            f"Name it in {place}, above the first [table]: source_files = {json.dumps(files, ensure_ascii=False)}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )


@sources_app.command("mute")
def sources_mute(
    context: typer.Context,
    key: Annotated[str, typer.Argument(help="Key of the source.")],
    until: Annotated[
        datetime, typer.Option("--until", formats=["%Y-%m-%d"], help="The last day on which it is muted.")
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why; it is shown in every summary.")],
    db: DatabaseOption = None,
) -> None:
    """Acknowledge that a source is not well: it is still crawled and shown, but nobody is told of it."""
    configuration = read_configuration(context, database=db)
    (source,) = pick_sources(configuration, [key])
    engine = configuration.open_store()
    mute_source(engine, source.key, until.date(), reason, today=datetime.now(SHANGHAI).date())
    engine.dispose()
    out.print(f"Muted: {source.key} until {until:%Y-%m-%d}, because: {reason}", markup=False, highlight=False)


@sources_app.command("unmute")
def sources_unmute(
    context: typer.Context,
    key: Annotated[str, typer.Argument(help="Key of the source.")],
    db: DatabaseOption = None,
) -> None:
    """End the mute of a source."""
    configuration = read_configuration(context, database=db)
    engine = open_engine(configuration.database_url, create=False)
    if not unmute_source(engine, key):
        raise ConfigurationError(f"{key} is not muted.")
    engine.dispose()
    out.print(f"Unmuted: {key}.", markup=False, highlight=False)


def _save_sample(page: Page, folder: Path) -> None:
    from crawlers.replay import write_recording  # Scrapy

    try:
        write_recording(page, folder)
    except OSError as error:
        raise ConfigurationError(f"{folder}: the page can't be saved there ({error.strerror}).") from None
    out.print(f"Saved to {folder}.", markup=False, highlight=False)


def _print_look(look: Look) -> None:
    if look.listing is None:
        out.print(
            f"Account: {flatten(look.account or '')} ({look.account_id})", markup=False, highlight=False
        )
        out.print("Ways to follow it:")
        ways = (
            [f"its album, which holds what it put there (--by album): {look.ways['album']}"]
            if "album" in look.ways
            else []
        )
        ways += ["your own login in the backend (--by backend)"] if "backend" in look.ways else []
        ways += [
            f"a feed of it, {look.feed_name or 'by its id'} in wewe-rss and we-mp-rss, or RSSHub's: "
            "`iprwatch sources add FEED`",
            "single articles: `iprwatch add`",
        ]
        for way in ways:
            out.print(f"  {way}", markup=False, highlight=False, soft_wrap=True)
        return
    out.print(f"Reader: {look.reader}. Entries: {len(look.listing.entries)}.", highlight=False)
    for entry in look.listing.entries[:3]:
        day = entry.date.raw if entry.date else "no date"
        out.print(f"  {flatten(day)}  {flatten(entry.title)}", markup=False, highlight=False)


def filtered_command(
    context: typer.Context,
    source: Annotated[
        list[str] | None, typer.Option("--source", help="Only this source; may be repeated.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most so many.")] = 50,
    db: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """What was left out because it does not concern intellectual property, newest first, with the reason."""
    configuration = read_configuration(context, database=db)
    if source:
        pick_sources(configuration, source)
    total, rows = list_filtered(
        open_engine(configuration.database_url, create=False), source or (), limit=limit
    )
    if as_json:
        print_json({"total": total, "filtered": rows})
        return
    table = Table(
        "Published", "Source", Column("Title", overflow="fold"), Column("Why", overflow="fold"),
        title=f"{total} left out",
    )  # fmt: skip
    for row in rows:
        table.add_row(
            *(escape(str(row[key] or "")) for key in ("published_on", "source_key", "title", "reason"))
        )
    out.print(table)


def probe_command(
    context: typer.Context,
    sources: Annotated[
        list[str] | None, typer.Argument(help="Keys of sources; all when none is given.")
    ] = None,
    save: Annotated[
        Path | None, typer.Option("--save", help="Keep each page as a sample case below this folder.")
    ] = None,
    replay: Annotated[
        Path | None, typer.Option("--replay", help="Look at this recorded web instead of the network.")
    ] = None,
    db: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look at sources politely: as expected, changed, blocked, gone, slow or down? Stores no item.

    Exit code 1 when one is not as expected. A source that was looks proven from then on.
    """
    from crawlers.probe import EXPECTED, can_be_probed, probe_sources, record_probes  # Scrapy

    configuration = read_configuration(context, database=db)
    wanted = pick_sources(configuration, sources or [])
    if not sources:
        wanted = [source for source in wanted if can_be_probed(source)]
    engine = open_engine(configuration.database_url)
    found = probe_sources(configuration, wanted, replay=replay, save=save)
    if replay is None:
        record_probes(engine, found, datetime.now(UTC))
    engine.dispose()
    if as_json:
        print_json(
            [
                {
                    "key": probed.source.key,
                    "verdict": probed.verdict,
                    "detail": probed.detail,
                    "seconds": probed.seconds,
                }
                for probed in found
            ]
        )
    else:
        for probed in found:
            out.print(
                f"{probed.source.key}: {probed.verdict}: {flatten(probed.detail)}",
                markup=False,
                highlight=False,
                soft_wrap=True,
            )
    if faults := [probed.unsaved for probed in found if probed.unsaved]:
        raise ConfigurationError(" ".join(faults))
    if any(probed.verdict != EXPECTED for probed in found):
        raise typer.Exit(1)


def add_command(
    context: typer.Context,
    links: Annotated[list[str] | None, typer.Argument(help="Links to articles.")] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="A text, shortcut or saved mail with links in it.")
    ] = None,
    db: DatabaseOption = None,
) -> None:
    """Put links to articles into the inbox; the next crawl of the source inbox_links reads them."""
    given = [link.strip().rstrip(PUNCTUATION) for link in links or []]
    if file is not None:
        given += find_links(read_dropped_file(file))
    if not given:
        raise LinksError("No link was given, and the file holds none.")
    configuration = read_configuration(context, database=db)
    added: Added = add_links(open_engine(configuration.database_url), given, origin=str(file or "command"))
    out.print(
        f"{len(added.new)} added, {len(added.waiting)} there already, {len(added.stored)} stored already.",
        highlight=False,
    )


@hosts_app.command("allow")
def hosts_allow(
    context: typer.Context,
    host: Annotated[str, typer.Argument(help="Such as mp.weixin.qq.com.")],
    path: Annotated[str, typer.Argument(help="The path below which pages may be fetched, such as /s.")],
    reason: Annotated[str, typer.Option("--reason", help="Why you may; it is recorded and shown.")],
    db: DatabaseOption = None,
) -> None:
    """Allow crawling below a path of a host in spite of its robots.txt. Your decision, on record."""
    configuration = read_configuration(context, database=db)
    allow_host(open_engine(configuration.database_url), host, path, reason)
    out.print(f"Allowed: {host}{path}, because: {reason}", markup=False, highlight=False)


@hosts_app.command("revoke")
def hosts_revoke(
    context: typer.Context, host: Annotated[str, typer.Argument()], db: DatabaseOption = None
) -> None:
    """End all permissions of a host."""
    configuration = read_configuration(context, database=db)
    number = revoke_host(open_engine(configuration.database_url, create=False), host)
    if not number:
        raise ConfigurationError(f"{host} has no permission that could be revoked.")
    out.print(f"Revoked: {host}.", markup=False, highlight=False)


@hosts_app.command("list")
def hosts_list(context: typer.Context, db: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """All permissions ever given, and whether they hold."""
    configuration = read_configuration(context, database=db)
    permissions = list_permissions(open_engine(configuration.database_url, create=False))
    if as_json:
        print_json(
            [
                {
                    "host": given.host,
                    "path": given.path,
                    "reason": given.reason,
                    "allowed_at": given.allowed_at.isoformat(),
                    "revoked_at": given.revoked_at.isoformat() if given.revoked_at else None,
                }
                for given in permissions
            ]
        )
        return
    table = Table("Host", "Path", Column("Reason", overflow="fold"), "Allowed", "Holds")
    for given in permissions:
        table.add_row(
            given.host,
            escape(given.path),
            escape(given.reason),
            f"{given.allowed_at:%Y-%m-%d}",
            "yes" if given.revoked_at is None else f"until {given.revoked_at:%Y-%m-%d}",
        )
    out.print(table)


@hosts_app.command("state")
def hosts_state(context: typer.Context, db: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """How every host that was asked stands: well, failing, left alone after many failures, or on trial."""
    configuration = read_configuration(context, database=db)
    engine = open_engine(configuration.database_url, create=False)
    hosts = list_hosts(engine, breaker_failures=configuration.breaker_failures)
    if as_json:
        print_json(hosts)
        return
    table = Table(
        "Host",
        "State",
        "Failures",
        "Asked again",
        Column("Reason", overflow="fold"),
        title=f"{len(hosts)} hosts",
    )
    for host in hosts:
        wait = f"in {host['wait']} s" if host["wait"] else "any time"
        table.add_row(
            escape(host["host"]), host["state"], str(host["failures"]), wait, escape(host["reason"] or "")
        )
    out.print(table)
