"""The operator's configuration: `iprwatch.toml` and environment variables `IPRWATCH_…`.

Every key is described in docs/configuration.md. Secrets stand in neither: a channel names the environment
variable (`{ env = "NAME" }`) or the file (`{ file = "PATH" }`) that holds them.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, PrivateAttr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)
from sqlalchemy import Engine

from crawlers.source import DIRECT, Source, check_proxy_url, load_sources
from crawlers.wechat_session import WechatSession, read_session
from errors import ConfigurationError, first_fault
from outgoing import Refused, check_url, read_allowed_private
from pipeline.alerts.channels import POSTING, Channel, build_channel, check_kind
from pipeline.alerts.ping import PING, PingChannel
from pipeline.alerts.rules import (
    Recipient,
    Rule,
    check_recipients,
    check_rules,
    check_told_at_once,
    read_languages,
)
from pipeline.alerts.watchlists import Watchlist, read_watchlist
from pipeline.legal.court_codes import extend_court_codes
from pipeline.store.session import NOTHING, Accepted, StoreError, open_engine, read_url

FILE_NAME = "iprwatch.toml"
_DATA = "iprwatch-data"
# Sent in a header: one line of ASCII, and something that a webmaster can use.
_CONTACT = re.compile(r"(https?://[!-~]+|(mailto:)?[!-?A-~]+@[!-?A-~]+)")
_PREFIX = re.compile(r"[a-z0-9._-]+(:\d+)?/[!-~]*")
_SECRET_KEYS = frozenset(("secret", "password", "token", "cookie", "url"))
_PATH_KEYS = frozenset(("path", "template", "html_template"))


class Configuration(BaseSettings):
    """All settings, validated. Relative paths are relative to the folder of the configuration file.

    `database` is a database URL; without one it is an SQLite file in the `data` folder, which also holds the
    archive of pages. `sql_database` is the database that statements of analysts are put to, under a role of its
    own. `contact` (a mail address or URL) goes into the user agent; without it nothing is fetched
    from the network. `time_limit` is how many seconds a crawl may take that nobody watches. `delay` is the least
    pause in seconds between two requests to one host; a random part of it, at most `jitter`, is added. `timeout` is
    how many seconds an answer may take, `longest_wait` how many a host may make a run wait. After `breaker_failures`
    failures in a row a host is left alone for `breaker_pause` seconds, and longer each time that it fails again.
    `budget_requests` and `budget_bytes` are what one run may ask of one host, `rechecks` how many stored articles of
    a source one crawl asks for again. Files
    that staff drop into `inbox_folder` are read for links. `lexicon` adds to or takes from the words that tell what
    concerns intellectual property. `court_codes` adds to the table of court codes, for the whole process, as
    soon as it is read. `watchlists` are tables whose rows are rules. `wechat` holds the session in the WeChat
    backend (cookie, token, expires). `operators` are told about the monitor itself: sources that turn bad after
    `alarm_after` runs (`alarms` hear of that too), a session that ends, and each day at `summary_at` who was
    heard; `dead_mans_switch` is a URL that is asked when they were. `metrics_file` is written for Prometheus.
    `chromium` is the program that renders sources with `render = true` and draws charts as PNG, where it isn't found
    on the PATH.
    `proxies` are proxies by name, `proxy` the name of the one that all pages are fetched through.
    `allowed_private` lists `host:port` pairs on private addresses that may be reached. `robots_allowed` lists
    `host/path` prefixes whose robots.txt the operator may and does overrule.
    """

    model_config = SettingsConfigDict(env_prefix="IPRWATCH_", extra="forbid", frozen=True)

    _file: Path | None = PrivateAttr(default=None)
    data: Path = Path(_DATA)
    database: str = ""
    sql_database: str = ""
    contact: str = ""
    delay: Annotated[float, Field(ge=0, le=3600)] = 3.0
    rechecks: Annotated[int, Field(ge=0, le=1000)] = 30
    time_limit: Annotated[float, Field(ge=60, le=86400)] = 3600.0
    jitter: Annotated[float, Field(ge=0, le=10)] = 0.25
    timeout: Annotated[float, Field(gt=0, le=600)] = 60.0
    longest_wait: Annotated[float, Field(ge=0, le=86400)] = 600.0
    breaker_failures: Annotated[int, Field(ge=1, le=1000)] = 5
    breaker_pause: Annotated[float, Field(ge=0, le=86400)] = 600.0
    budget_requests: Annotated[int, Field(ge=1)] = 2000
    budget_bytes: Annotated[int, Field(ge=1)] = 1_000_000_000
    built_in_sources: bool = True
    source_files: tuple[Path, ...] = ()
    inbox_folder: Path | None = None
    lexicon: Path | None = None
    # Before `rules`, which name courts.
    court_codes: Annotated[Path | None, Field(validate_default=True)] = None
    chromium: Path | None = None
    wechat: dict[str, Any] | None = None
    proxies: dict[str, str | dict[str, str]] = Field(default_factory=dict)
    proxy: str = ""
    allowed_private: tuple[str, ...] = ()
    robots_allowed: tuple[str, ...] = ()
    channels: dict[str, dict[str, Any]] = Field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    watchlists: tuple[Watchlist, ...] = ()
    operators: tuple[Recipient, ...] = ()
    alarms: tuple[Recipient, ...] = ()
    alarm_after: Annotated[int, Field(ge=1, le=100)] = 2
    summary_at: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "18:30"
    dead_mans_switch: str = ""
    metrics_file: Path | None = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment overrules the file."""
        return env_settings, init_settings

    @field_validator("contact")
    @classmethod
    def _someone_to_write_to(cls, contact: str) -> str:
        if contact and not _CONTACT.fullmatch(contact):
            raise ValueError(
                f"{contact!r} is neither a mail address nor the URL of a web page (in plain ASCII)"
            )
        return contact

    @field_validator("allowed_private")
    @classmethod
    def _host_and_port(cls, pairs: tuple[str, ...]) -> tuple[str, ...]:
        read_allowed_private(pairs)
        return pairs

    @field_validator("robots_allowed")
    @classmethod
    def _host_and_path(cls, prefixes: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [prefix for prefix in prefixes if not _PREFIX.fullmatch(prefix)]:
            raise ValueError(f"{wrong[0]!r} isn't of the form host/path, such as mp.weixin.qq.com/s")
        return prefixes

    @field_validator("database", "sql_database")
    @classmethod
    def _usable_database(cls, url: str) -> str:
        try:
            if url:
                read_url(url)
        except StoreError as error:
            raise ValueError(str(error)) from None
        return url

    @field_validator("channels")
    @classmethod
    def _known_kinds(cls, channels: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for name, options in channels.items():
            try:
                check_kind(options.get("kind"))
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        return channels

    @field_validator("court_codes")
    @classmethod
    def _usable_court_codes(cls, path: Path | None) -> Path | None:
        extend_court_codes(path)
        return path

    @property
    def file(self) -> Path | None:
        """The file that was read, None when there was none."""
        return self._file

    @property
    def database_url(self) -> str:
        """Where rows are kept."""
        return self.database or f"sqlite:///{self.data / 'iprwatch.db'}"

    def wechat_session(self) -> WechatSession | None:
        """The session in the WeChat backend, its secrets read now. Raises ConfigurationError naming the key."""
        if self.wechat is None:
            return None
        place = f"{self.file or 'the environment'}: wechat"
        return read_session(_reveal(self.wechat, place, self._folder), place)

    @property
    def archive(self) -> Path:
        """Where the bytes of pages are kept."""
        return self.data / "archive"

    def open_store(self, accepted: Accepted = NOTHING) -> Engine:
        """The store, made or migrated; backups are made before that. Raises StoreError."""
        return open_engine(self.database_url, backups=self.data / "backups", accepted=accepted)

    def load_sources(self) -> dict[str, Source]:
        """Built-in and own sources by key. Raises ConfigurationError."""
        sources = load_sources(self.source_files, built_in=self.built_in_sources)
        for key, source in sources.items():
            self._check_proxy(source.proxy, f"The source {key!r}")
        return sources

    def proxy_url(self, name: str) -> str | None:
        """The address of a proxy, its secrets read now; None for `direct`. Raises ConfigurationError."""
        if name == DIRECT:
            return None
        place = f"{self.file or 'the environment'}: proxies"
        url = str(_reveal({name: self.proxies[name]}, place, self._folder)[name])
        return check_proxy_url(url, f"{place}.{name}")

    def _check_proxy(self, name: str, place: str) -> None:
        if name and name != DIRECT and name not in self.proxies:
            raise ConfigurationError(f"{place}: proxy: no proxy is called {name!r}; name it under [proxies].")

    def all_rules(self) -> tuple[Rule, ...]:
        """The rules, and one for each row of the watchlists, read now. Raises ConfigurationError naming the row."""
        rows = (read_watchlist(watchlist) for watchlist in self.watchlists)
        return (*self.rules, *(rule for rules in rows for rule in rules))

    def build_channels(self) -> dict[str, Channel]:
        """The configured channels, with their secrets read now. Raises ConfigurationError naming the key."""
        place = str(self.file or "the environment")
        languages = read_languages(self._recipients(), place)
        channels = {}
        for name, options in self.channels.items():
            revealed = _reveal(options, f"{place}: channels.{name}", self._folder)
            if revealed.get("kind") in POSTING:
                revealed.setdefault("allowed_private", list(self.allowed_private))
            own = {to: language for (channel, to), language in languages.items() if channel == name}
            try:
                channels[name] = build_channel(name, revealed, own)
            except ConfigurationError as error:
                raise ConfigurationError(f"{place}: {error}") from None
        if self.dead_mans_switch:
            allowed = read_allowed_private(self.allowed_private)
            channels[PING] = PingChannel(self.dead_mans_switch, allowed_private=allowed)
        return channels

    def _recipients(self) -> tuple[Recipient, ...]:
        telling = (*self.rules, *self.watchlists)
        first = (recipient for one in telling for recipient in one.send)
        seconds = (one.escalate for one in telling if one.escalate is not None)
        return (*self.operators, *self.alarms, *first, *seconds)

    @property
    def _folder(self) -> Path:
        return self.file.parent if self.file else Path()


def load_configuration(path: Path | None = None, **overrides: object) -> Configuration:
    """Read the configuration: `path`, else $IPRWATCH_CONFIG, else iprwatch.toml here if there is one.

    `overrides` (from the command line) win over everything; those that are None are ignored. Raises
    ConfigurationError naming file and key; nothing is created.
    """
    named = path or (Path(value) if (value := os.environ.get("IPRWATCH_CONFIG")) else None)
    file = named or (Path(FILE_NAME) if Path(FILE_NAME).is_file() else None)
    values = _read_toml(file) if file else {}
    if file:
        values = _resolve_paths(values, file.parent)
    place = str(file or "environment")
    try:
        configuration = Configuration(**values)
        wanted = {key: value for key, value in overrides.items() if value is not None}
        if wanted:
            configuration = configuration.model_copy(update=wanted)
        configuration._file = file
    except ValidationError as error:
        key = "".join(str(part) for part in error.errors()[0]["loc"][:1])
        if (variable := f"IPRWATCH_{key}".upper()) in os.environ:
            place = f"the environment variable {variable}"
        raise ConfigurationError(f"{place}: {first_fault(error)}.") from None
    except SettingsError as error:
        # What can't be read is not shown: it may hold a secret.
        raise ConfigurationError(f"The environment: {error}; lists and tables are written as JSON.") from None
    configuration._check_proxy(configuration.proxy, place)
    for name, address in configuration.proxies.items():
        if name == DIRECT:
            raise ConfigurationError(f"{place}: proxies.{DIRECT}: this name means no proxy; choose another.")
        if isinstance(address, str):
            check_proxy_url(address, f"{place}: proxies.{name}", secret=False)
    kinds = {name: str(options["kind"]) for name, options in configuration.channels.items()}
    check_recipients(configuration.operators, kinds, f"{place}: operators")
    check_recipients(configuration.alarms, kinds, f"{place}: alarms")
    check_told_at_once(configuration.operators, f"{place}: operators")
    check_told_at_once(configuration.alarms, f"{place}: alarms")
    if configuration.dead_mans_switch and not configuration.operators:
        raise ConfigurationError(
            f"{place}: dead_mans_switch: it is asked when the daily summary was delivered; name operators who get one."
        )
    if configuration.dead_mans_switch:
        try:
            check_url(configuration.dead_mans_switch, read_allowed_private(configuration.allowed_private))
        except Refused as refused:
            raise ConfigurationError(f"{place}: dead_mans_switch: {refused.rule}.") from None
    check_rules(configuration.all_rules(), kinds, configuration.load_sources(), place)
    read_languages(configuration._recipients(), place)
    return configuration


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        # Editors of Windows put a mark at the start, which TOML doesn't know.
        values = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigurationError(f"{file}: can't be read ({error.strerror}).") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: is not valid TOML: {error}.") from None
    except RecursionError:
        raise ConfigurationError(f"{file}: brackets stand too deep inside of each other.") from None
    if (key := _find_nul(values)) is not None:
        # No file's name, no database and no header can hold one.
        raise ConfigurationError(f"{file}: {key}: holds a NUL character (\\u0000); take it out.")
    return values


def _find_nul(values: object, key: str = "") -> str | None:
    """The key of the first text or name of a key with a NUL character; None without one."""
    if isinstance(values, str):
        return key if "\0" in values else None
    inside: Iterable[tuple[object, object]] = ()
    if isinstance(values, dict):
        inside = values.items()
    elif isinstance(values, list):
        inside = enumerate(values)
    for name, value in inside:
        place = f"{key}.{name}" if key else str(name)
        found = place.replace("\0", "…") if "\0" in str(name) else _find_nul(value, place)
        if found is not None:
            return found
    return None


def _resolve_paths(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    resolved = dict(values)
    if isinstance(values.get("data", _DATA), str):
        resolved["data"] = folder / values.get("data", _DATA)
    for key in ("inbox_folder", "lexicon", "court_codes", "chromium", "metrics_file"):
        if isinstance(values.get(key), str):
            resolved[key] = folder / values[key]
    if isinstance(values.get("watchlists"), list):
        resolved["watchlists"] = [
            {**entry, "file": folder / entry["file"]}
            if isinstance(entry, dict) and isinstance(entry.get("file"), str)
            else entry
            for entry in values["watchlists"]
        ]
    if isinstance(values.get("source_files"), list):
        resolved["source_files"] = [
            folder / name if isinstance(name, str) else name for name in values["source_files"]
        ]
    return resolved


def _reveal(options: Mapping[str, Any], place: str, folder: Path) -> dict[str, Any]:
    revealed: dict[str, Any] = {}
    for key, value in options.items():
        if isinstance(value, dict):
            revealed[key] = _read_reference(value, f"{place}.{key}", folder)
        elif key in _SECRET_KEYS:
            raise ConfigurationError(
                f'{place}.{key}: a secret must not stand in the file; write {{ env = "NAME" }} or {{ file = "PATH" }}.'
            )
        elif key in _PATH_KEYS and isinstance(value, str):
            revealed[key] = str(folder / value)
        else:
            revealed[key] = value
    return revealed


def _read_reference(reference: Mapping[str, Any], place: str, folder: Path) -> str:
    match dict(reference):
        case {"env": str(name), **rest} if not rest:
            if name not in os.environ:
                raise ConfigurationError(f"{place}: the environment variable {name} is not set.")
            return os.environ[name]
        case {"file": str(name), **rest} if not rest:
            try:
                return (folder / name).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise ConfigurationError(f"{place}: {folder / name} can't be read ({error}).") from None
    raise ConfigurationError(f'{place}: write {{ env = "NAME" }} or {{ file = "PATH" }}.')
