"""A watched list: what to read, how often, and who publishes it. Data only."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from apscheduler.triggers.cron import CronTrigger
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from crawlers.hours import read_hours
from crawlers.readers import READERS
from errors import ConfigurationError, first_fault
from outgoing import DEFAULT_PORTS, Refused, check_url
from pipeline.dates import SHANGHAI

BUILT_IN = Path(__file__).with_name("sources.toml")
FAMILIES = ("court", "spp", "cnipa", "gov", "media", "disclosure", "wechat", "inbox")
INBOX_READER = "inbox"
INBOX_URL = "inbox:"
WECHAT_BACKEND = "wechat_backend"
DIRECT = "direct"
_LONGEST_KEY = 100
_FIRINGS = 200  # of a crontab, that are held against the source's hours
_DAYS = frozenset(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
_DAY_NAMES = re.compile(r"^(\*|[a-z]{3}([-,][a-z]{3})*)$")

Text = Annotated[str, Field(min_length=1, max_length=400)]


class Source(BaseModel):
    """One watched list, as a table of `sources.toml` states it. Immutable.

    `crontab` has five fields in Asia/Shanghai with day *names* (APScheduler counts days from Monday = 0, cron
    from Sunday, so numbers would lie to one of them); `mon-fri` means workdays. `least` is the number of entries
    below which a list page is not believed. `depth` is how many list pages a crawl reads, `most` how many entries
    from the top of each are watched (some lists are a thousand entries long). `only_ip` keeps only what concerns
    intellectual property, for sources that publish everything. `referer` is sent
    where a server wants to see it. `hours` are those in which it may be asked at all, such as `22:00-06:00`, in
    Asia/Shanghai; its crontab must lie within them. `verify_certificate` is False where the server's certificate is
    known to be faulty and its pages are read all the same. `render` has a browser run the pages' scripts. `proxy`
    names the proxy that all its requests go through (`direct`: none). `legacy_tls` accepts the keys and signatures of
    older servers. `topics` are words that alert rules refer to. `proven` says whether a real page of this kind has
    been read by the reader.
    """

    # Strict: what TOML calls a text or a truth value is meant as one.
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, strict=True)

    key: str
    reader: str
    url: str
    name_zh: Text
    name_en: Text
    publisher_zh: Text
    publisher_en: Text
    topics: Annotated[tuple[str, ...], Field(strict=False)]
    crontab: str
    least: Annotated[int, Field(ge=0, le=1000)]
    depth: Annotated[int, Field(ge=1, le=100)] = 1
    most: Annotated[int, Field(ge=1, le=10_000)] = 200
    only_ip: bool = False
    referer: str | None = None
    hours: str | None = None
    verify_certificate: bool = True
    render: bool = False
    proxy: str = ""
    legacy_tls: bool = False
    proven: bool

    @property
    def family(self) -> str:
        """The first part of the key; names the spider that reads this source."""
        return self.key.split("_", 1)[0]

    @property
    def host(self) -> str:
        """The host of the list: its sources share one lease. The inbox has none and goes by its own name."""
        return urlsplit(self.url).hostname or self.family

    @field_validator("reader")
    @classmethod
    def _known_reader(cls, value: str) -> str:
        if value not in READERS and value != INBOX_READER:
            raise ValueError(f"no reader is called {value!r}; there are {', '.join(READERS)}")
        return value

    @field_validator("url")
    @classmethod
    def _absolute_url(cls, value: str, told: ValidationInfo) -> str:
        if told.data.get("reader") == INBOX_READER:
            if value != INBOX_URL:
                raise ValueError(f"the URL of the inbox is {INBOX_URL!r}, not {value!r}")
            return value
        return check_source_url(value)

    @field_validator("referer")
    @classmethod
    def _referer_is_an_address(cls, value: str | None) -> str | None:
        return value if value is None else check_source_url(value)

    @field_validator("crontab")
    @classmethod
    def _crontab_with_day_names(cls, value: str) -> str:
        fields = value.split()
        if len(fields) != 5:
            raise ValueError(f"{value!r} has {len(fields)} fields, a crontab has five")
        days = fields[4]
        if not _DAY_NAMES.match(days) or not set(re.findall(r"[a-z]+", days)) <= _DAYS:
            raise ValueError(
                f"the day of week {days!r} must be * or day names such as mon-fri, never numbers"
            )
        try:
            times = CronTrigger.from_crontab(value, timezone=SHANGHAI)
        except ValueError as error:
            raise ValueError(f"{value!r} is no crontab: {error}") from None
        if times.get_next_fire_time(None, datetime.now(SHANGHAI)) is None:
            raise ValueError(f"{value!r} names a day that never comes")
        return value

    @model_validator(mode="after")
    def _crontab_within_hours(self) -> Source:
        if self.hours is None:
            return self
        try:
            hours = read_hours(self.hours)
        except ValueError as error:
            raise ValueError(f"hours: {error}") from None
        trigger = CronTrigger.from_crontab(self.crontab, timezone=SHANGHAI)
        last: datetime | None = None
        now = datetime.now(SHANGHAI)
        for _ in range(_FIRINGS):
            last = trigger.get_next_fire_time(last, last or now)
            if last is None:
                break
            if not hours.hold(last):
                raise ValueError(
                    f"crontab: {self.crontab!r} also starts at {last:%H:%M}, outside the hours {hours}"
                )
        return self

    @model_validator(mode="after")
    def _inbox_has_its_reader(self) -> Source:
        if (self.family == "inbox") != (self.reader == INBOX_READER):
            raise ValueError("the family inbox has the reader inbox, and no other family has it")
        return self

    @model_validator(mode="after")
    def _backend_is_asked_with_its_session(self) -> Source:
        if self.reader == WECHAT_BACKEND and self.family != "wechat":
            raise ValueError(f"key: the reader {WECHAT_BACKEND} needs a key that starts with wechat_")
        return self

    @model_validator(mode="after")
    def _old_servers_show_a_certificate(self) -> Source:
        if self.legacy_tls and not self.verify_certificate:
            raise ValueError(
                "verify_certificate: the certificate of a source with legacy_tls is always verified; "
                "leave out one of the two"
            )
        return self

    @model_validator(mode="after")
    def _key_names_a_family(self) -> Source:
        if len(self.key) > _LONGEST_KEY:
            raise ValueError(f"the key {self.key!r} is longer than {_LONGEST_KEY} characters")
        if not re.fullmatch(r"[a-z]+(_[a-z0-9]+)+", self.key) or self.family not in FAMILIES:
            raise ValueError(
                f"the key {self.key!r} must read <family>_<what> with a family of {', '.join(FAMILIES)}"
            )
        return self


def check_source_url(url: str) -> str:
    """The URL, if it could be asked for. Raises ValueError saying what is wrong with it.

    Whether a private address may be asked is not looked at: the configuration says so when it is fetched.
    """
    parts = urlsplit(url)
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or parts.port == 0:
        raise ValueError(f"{url!r} is not an absolute http(s) URL")
    place = (parts.hostname, parts.port or DEFAULT_PORTS[parts.scheme])
    try:
        check_url(url, frozenset([place]))
    except Refused as refused:
        raise ValueError(refused.rule) from None
    return url


def load_sources(extra: Iterable[Path] = (), *, built_in: bool = True) -> dict[str, Source]:
    """The built-in sources and those of the operator's own files, by key.

    Raises ConfigurationError naming file, key and fault; a key that exists already is a fault.
    """
    sources: dict[str, Source] = {}
    for path in ([BUILT_IN] if built_in else []) + list(extra):
        for key, table in _read_tables(path).items():
            if key in sources:
                raise ConfigurationError(f"{path}: the source {key!r} exists already; choose another key.")
            if "key" in table:
                raise ConfigurationError(
                    f"{path}: source {key!r}: key: it is the table's name; leave this out."
                )
            try:
                sources[key] = Source.model_validate({"key": key, **table})
            except ValidationError as error:
                raise ConfigurationError(f"{path}: source {key!r}: {first_fault(error)}.") from None
    return sources


def check_proxy_url(url: str, place: str, *, secret: bool = True) -> str:
    """The address of a proxy, `http://host:port`; a login in it only where it came from a secret place.

    Raises ConfigurationError, which doesn't show the address: it may hold a password.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme == "http" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ConfigurationError(f"{place}: the address of a proxy reads http://host:port.")
    if not secret and parts.username is not None:
        raise ConfigurationError(
            f'{place}: a login must not stand in the file; write {{ env = "NAME" }} or {{ file = "PATH" }}.'
        )
    return url


def _read_tables(path: Path) -> Mapping[str, Mapping[str, object]]:
    try:
        # Editors of Windows put a mark at the start, which TOML doesn't know.
        tables = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigurationError(f"{path}: can't be read ({error.strerror}).") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: is not valid TOML: {error}.") from None
    for key, table in tables.items():
        if not isinstance(table, dict):
            raise ConfigurationError(f"{path}: {key!r} must be a table [{key}], one for each source.")
    return tables
