"""One crawl: all wanted sources, a spider a family and way, in this process; ends when every run row is judged."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from signal import SIGINT, SIGTERM, getsignal, signal
from typing import Any

from scrapy import signals
from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.settings import Settings
from scrapy.spiderloader import SpiderLoader

from configuration import Configuration
from crawlers.browser import add_browser
from crawlers.certificates import unverified_hosts
from crawlers.gate import HostGateMiddleware
from crawlers.lease_holder import show_holder
from crawlers.lease_keeper import LeaseKeeper
from crawlers.log_format import SecretFilter, shorten_twisted, skip_unseen
from crawlers.permissions import allowed_prefixes
from crawlers.pipeline_process import PipelineProcess
from crawlers.pipeline_server import Server, Setup, spare_collector
from crawlers.replay import open_recorded_web
from crawlers.runs import Watch, close_interrupted
from crawlers.source import Source
from crawlers.timetable import due_sources
from crawlers.transport import group_sources, send_by
from crawlers.verdicts import judge
from errors import ConfigurationError
from pipeline.alerts.rule_starts import remember_rules
from pipeline.store.lease import Held
from pipeline.store.runs import RUNNING
from pipeline.store.session import NOTHING, Accepted
from pipeline.topics import load_lexicon


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a crawl made of one source: the state and reason of its run row, and what was counted."""

    source: Source
    run_id: int | None
    state: str
    reason: str | None
    counts: dict[str, int]


Progress = Callable[[Iterable[Watch]], None]
LOG_FILE = "crawl.log"


class _Process(AsyncCrawlerProcess):
    """Comes to an orderly end however often SIGTERM is sent: a service manager sends it to all processes of a service,
    and the scheduler sends it to its crawls. A second Ctrl-C breaks the crawl off, as a person means it to.

    Scrapy has no setting for it: this name is its own (2.19), and the range in pyproject.toml is narrow for it."""

    def _signal_kill(self, signum: int, frame: Any) -> None:
        if signum != SIGTERM:
            super()._signal_kill(signum, frame)


def build_settings(configuration: Configuration, replay: Path | None) -> Settings:
    """Scrapy's settings from our module by name: started from any folder, they are the same.

    Raises ConfigurationError when something else is found under the module's name, or when a live crawl
    has no contact for its user agent, or a proxy whose address can't be read.
    """
    settings = Settings()
    settings.setmodule("crawlers.settings", priority="project")
    if settings.get("BOT_NAME") != "iprwatch":
        raise ConfigurationError(
            "The module crawlers.settings is not that of iprwatch; another one shadows it."
        )
    if replay is None and not configuration.contact:
        raise ConfigurationError(
            "A live crawl needs a contact for its user agent: set `contact` in iprwatch.toml or IPRWATCH_CONTACT "
            "to a mail address or web page."
        )
    if replay is None:
        for name in configuration.proxies:
            configuration.proxy_url(name)
    values: dict[str, Any] = {
        "IPRWATCH_CONFIGURATION": configuration,
        "IPRWATCH_ALLOWED_PRIVATE": list(configuration.allowed_private),
        "IPRWATCH_ROBOTS_ALLOWED": list(configuration.robots_allowed),
        "IPRWATCH_ROBOTS_AGENT": "iprwatch",
        "LOG_FILE": str(configuration.data / LOG_FILE),
        "IPRWATCH_UNVERIFIED_HOSTS": unverified_hosts(configuration.load_sources().values()),
        "IPRWATCH_DATABASE": configuration.database_url,
        "IPRWATCH_JITTER": configuration.jitter,
        "IPRWATCH_LONGEST_WAIT": configuration.longest_wait,
        "IPRWATCH_BREAKER_FAILURES": configuration.breaker_failures,
        "IPRWATCH_BREAKER_PAUSE": configuration.breaker_pause,
        "IPRWATCH_BUDGET_REQUESTS": configuration.budget_requests,
        "IPRWATCH_BUDGET_BYTES": configuration.budget_bytes,
        "USER_AGENT": f"iprwatch (+{configuration.contact})",
        "DOWNLOAD_DELAY": configuration.delay,
        "DOWNLOAD_TIMEOUT": configuration.timeout,
    }
    if replay is not None:
        # A web that can't be used is refused here: in a handler it would look like a site that is down.
        open_recorded_web(replay)
        values |= {
            "IPRWATCH_REPLAY": str(replay),
            "DOWNLOAD_HANDLERS": dict.fromkeys(("http", "https"), "crawlers.replay.ReplayHandler"),
            "DOWNLOAD_DELAY": 0,
            "CONCURRENT_REQUESTS_PER_DOMAIN": 16,
        }
    settings.setdict(values, priority="cmdline")
    if replay is not None:
        # A recorded web has no hosts that could be asked too often, and its robots.txt are no live ones.
        settings.set_in_component_priority_dict("DOWNLOADER_MIDDLEWARES", HostGateMiddleware, None)
    return settings


def make_data_folder(configuration: Configuration) -> None:
    """Make the folder that holds the log. Raises ConfigurationError where it can't be made or the log not written."""
    try:
        configuration.data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"{configuration.data}: the data folder can't be made ({error.strerror})."
        ) from None
    log = configuration.data / LOG_FILE
    try:
        log.open("a").close()
    except OSError as error:
        raise ConfigurationError(f"{log}: can't be written ({error.strerror}).") from None


def crawl(
    configuration: Configuration,
    sources: Iterable[Source],
    *,
    replay: Path | None = None,
    since: date | None = None,
    alert_baseline: bool = False,
    progress: Progress | None = None,
    tell_waiting: Callable[[Held], None] = lambda _: None,
    only_due: bool = False,
    time_limit: float | None = None,
    accepted: Accepted = NOTHING,
    server: Server | None = None,
) -> list[Outcome]:
    """Crawl these sources and say what became of each. Runs once in a process (a reactor can't restart).

    A host is crawled by one process at a time: sources of a host that another one crawls are `busy`.
    `tell_waiting` is called with a lease that is waited for, since its holder may be dead. `only_due` leaves out
    sources that somebody else has crawled by the time their host is free. After `time_limit` seconds nothing more is
    asked for.
    `server` is what was forked for it (`crawlers.pipeline_server`). `replay` answers from a recorded web.
    `progress` is called with the open watches whenever one changed.
    Raises ConfigurationError and StoreError before anything is fetched.
    """
    wanted = list(sources)
    settings = build_settings(configuration, replay)
    # Recorded pages were recorded as they are read.
    if replay is None and any(source.render for source in wanted):
        add_browser(settings, configuration.chromium)
    if time_limit is not None:
        settings.set("CLOSESPIDER_TIMEOUT", time_limit, priority="cmdline")
    if configuration.lexicon:
        load_lexicon(configuration.lexicon)
    make_data_folder(configuration)
    engine = configuration.open_store(accepted)
    remember_rules(engine, {rule.name: rule.fingerprint for rule in configuration.all_rules()})
    settings["IPRWATCH_ROBOTS_ALLOWED"].extend(allowed_prefixes(engine))
    handlers = {number: getsignal(number) for number in (SIGINT, SIGTERM)}
    try:
        with LeaseKeeper(engine) as keeper:
            busy = keeper.take((source.host for source in wanted), tell=tell_waiting)
            free = [source for source in wanted if source.host not in busy]
            if only_due:
                free = due_sources(engine, free, datetime.now(UTC))
            hosts = {lease.host for lease in keeper.leases}
            known = configuration.load_sources().values()
            close_interrupted(engine, [source.key for source in known if source.host in hosts])
            settings["IPRWATCH_LEASES"] = keeper.leases
            with closing(PipelineProcess(Setup.of(configuration, keeper.leases), server)) as pipeline:
                spiders = _crawl(
                    configuration, settings, free, pipeline,
                    since=since, alert_baseline=alert_baseline, progress=progress,
                )  # fmt: skip
            judge(configuration, engine)
    finally:
        engine.dispose()
        # Scrapy leaves its own, which have nothing to stop any more: alerts are still to be sent.
        for number, handler in handlers.items():
            if getsignal(number) is not handler:
                signal(number, handler)
    return [
        _busy(source, busy[source.host]) if source.host in busy else _outcome(source, spiders.get(source.key))
        for source in wanted
        if source.host in busy or source in free
    ]


def _crawl(
    configuration: Configuration,
    settings: Settings,
    wanted: Sequence[Source],
    pipeline: PipelineProcess,
    *,
    since: date | None,
    alert_baseline: bool,
    progress: Progress | None,
) -> dict[str, Any]:
    """Run the spiders; each, as it ended, by the keys of its sources."""
    if not wanted:
        return {}
    process = _Process(settings)
    shorten_twisted()
    skip_unseen(settings["LOG_LEVEL"])
    if session := configuration.wechat_session():
        for handler in logging.getLogger().handlers:
            handler.addFilter(SecretFilter([session.cookie, session.token]))
    loader = SpiderLoader.from_settings(settings)
    crawlers: list[Crawler] = []
    travelled: dict[str, Crawler] = {}
    for transport, travelling in group_sources(wanted).items():
        for family in dict.fromkeys(source.family for source in travelling):
            crawler = process.create_crawler(send_by(transport, loader.load(family)))
            if progress is not None:
                _report(crawler, crawlers, progress)
            crawlers.append(crawler)
            keys = [source.key for source in travelling if source.family == family]
            travelled |= dict.fromkeys(keys, crawler)
            process.crawl(
                crawler,
                sources=" ".join(keys),
                since=since.isoformat() if since else None,
                alert_baseline=alert_baseline,
                pipeline=pipeline,
            )
    spare_collector()
    process.start()
    return {key: crawler.spider for key, crawler in travelled.items()}


def _report(crawler: Crawler, crawlers: list[Crawler], progress: Progress) -> None:
    def tell() -> None:
        progress(_watches(crawlers).values())

    for happened in (
        signals.response_received,
        signals.item_scraped,
        signals.item_error,
        signals.spider_closed,
    ):
        crawler.signals.connect(tell, happened, weak=False)


def _watches(crawlers: list[Crawler]) -> dict[str, Watch]:
    watches: dict[str, Watch] = {}
    for crawler in crawlers:
        spider: Any = crawler.spider
        if spider is not None:
            watches |= spider.watches
    return watches


def _busy(source: Source, held: Held) -> Outcome:
    return Outcome(source, None, "busy", f"{held.host} is being crawled by {show_holder(held.holder)}", {})


def _outcome(source: Source, spider: Any) -> Outcome:
    watch: Watch | None = spider.watches.get(source.key) if spider else None
    if watch is None or watch.state == RUNNING:
        reason = (spider.failure if spider else None) or "its spider did not run to its end; see crawl.log"
        return Outcome(source, watch.run_id if watch else None, "failed", reason, {})
    return Outcome(source, watch.run_id, watch.state, watch.reason, dict(watch.counts))
