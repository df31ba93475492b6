"""When a recipient may be sent what: digests at their times, quiet hours, workdays. Alerts are delayed, never dropped.

All moments that are computed here follow from when an alert was written, from the configuration and from the clock,
never from what a process remembers: after a stop, what is overdue goes at once.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from pipeline.health.workdays import is_workday

Workdays = Literal["china", "mon-fri"]
_QUIET = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
_LONGEST_HOLIDAY = 60  # days; the longest in China is eleven


class Timing(BaseModel):
    """When a recipient is sent alerts.

    `digest` is a crontab: alerts are collected and go in one message at those times. `quiet` (`22:00-08:00`) are hours
    in which nothing is sent, `workdays` the days on which something is: those of offices in China, with holidays and
    weekends that are worked, or `mon-fri`. All of it by the clock of `zone`. `empty_digest` asks for a message also
    where there is nothing to tell.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    digest: str = ""
    empty_digest: bool = False
    quiet: str = ""
    workdays: Workdays | None = None
    zone: Annotated[str, Field(max_length=60)] = "Asia/Shanghai"

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (
            KeyError,
            ValueError,
            OSError,
        ):  # what zoneinfo raises for a name that is no zone, or no file's name
            raise ValueError(f"{zone!r} is no time zone, such as Asia/Shanghai or Europe/Berlin") from None
        return zone

    @field_validator("digest")
    @classmethod
    def _possible_digest(cls, crontab: str) -> str:
        if not crontab:
            return crontab
        fields = crontab.split()
        if len(fields) != 5:
            raise ValueError(f"{crontab!r} is no crontab of five fields, such as '0 8 * * mon-fri'")
        if re.search(r"\d", fields[4]):
            raise ValueError(
                f"{crontab!r}: write days as names (mon-fri): their numbers mean different days elsewhere"
            )
        try:
            trigger = CronTrigger.from_crontab(crontab, timezone=UTC)
        except ValueError as error:
            raise ValueError(f"{crontab!r} is no crontab: {error}") from None
        if trigger.get_next_fire_time(None, datetime(2024, 1, 1, tzinfo=UTC)) is None:
            raise ValueError(f"{crontab!r} is never due")
        return crontab

    @field_validator("quiet")
    @classmethod
    def _some_quiet_hours(cls, quiet: str) -> str:
        if quiet and not _QUIET.fullmatch(quiet):
            raise ValueError(f"{quiet!r} isn't of the form 22:00-08:00")
        if quiet and len(set(quiet.split("-"))) == 1:
            raise ValueError(f"{quiet!r} is a whole day: nothing would ever be sent")
        return quiet

    @model_validator(mode="after")
    def _only_digests_can_be_empty(self) -> Timing:
        if self.empty_digest and not self.digest:
            raise ValueError("empty_digest needs a digest")
        return self

    @model_validator(mode="after")
    def _digest_on_workdays(self) -> Timing:
        if not self.digest or not self.workdays:
            return self
        found = datetime(2024, 1, 1, tzinfo=UTC)
        for _ in range(_LONGEST_HOLIDAY):
            found = _times(self.digest, self.zone).get_next_fire_time(None, found + timedelta(days=1))
            # Weekends that are worked don't count: there are none for most of a year.
            if found is None or found.weekday() < 5:
                return self
        raise ValueError(f"digest: {self.digest!r} is due on weekends alone, when workdays lets nothing go")

    def next_digest(self, moment: datetime) -> datetime:
        """The first time of the digest after a moment, on a day on which something is sent (UTC)."""
        times, zone = _times(self.digest, self.zone), ZoneInfo(self.zone)
        found = times.get_next_fire_time(None, moment + timedelta(microseconds=1))
        for _ in range(_LONGEST_HOLIDAY):
            if found is None or self._is_sending_day(found.astimezone(zone).date()):
                break
            tomorrow = datetime.combine(found.astimezone(zone).date() + timedelta(days=1), time(), zone)
            found = times.get_next_fire_time(None, tomorrow)
        if found is None:
            raise ValueError(f"{self.digest!r} is never due again")
        digest: datetime = found.astimezone(UTC)
        return digest

    def may_go_at(self, moment: datetime) -> datetime:
        """The first moment, this one or later, that is on a day and in an hour in which something is sent (UTC)."""
        zone = ZoneInfo(self.zone)
        # Each round leaves one quiet night or one free day behind.
        for _ in range(2 * _LONGEST_HOLIDAY):
            local = moment.astimezone(zone)
            if not self._is_sending_day(local.date()):
                moment = _moment_of(local.date() + timedelta(days=1), time(), zone, moment)
            elif (end := self._end_of_quiet(local)) is not None:
                moment = _moment_of(*end, zone, moment)
            else:
                break
        return moment.astimezone(UTC)

    def ready_at(self, written: datetime, now: datetime) -> datetime:
        """When an alert that was written then is to go: `now`, or later."""
        collected = self.next_digest(written) if self.digest else written
        return self.may_go_at(max(collected, now))

    def explain(self, ready: datetime, *, collected: bool) -> str:
        """What an alert waits for, for the ledger: its digest when it is collected for one."""
        shown = ready.astimezone(ZoneInfo(self.zone)).strftime("%Y-%m-%d %H:%M")
        what = "the digest" if collected else "quiet hours or free days to end"
        return f"waits: for {what}, {shown} {self.zone}"

    def _is_sending_day(self, day: date) -> bool:
        if self.workdays is None:
            return True
        return is_workday(day) if self.workdays == "china" else day.weekday() < 5

    def _end_of_quiet(self, local: datetime) -> tuple[date, time] | None:
        """The day and time at which the quiet hours end that this moment is in."""
        if not self.quiet:
            return None
        begin, end = (time.fromisoformat(text) for text in self.quiet.split("-"))
        clock, day = local.time(), local.date()
        if begin < end:
            return (day, end) if begin <= clock < end else None
        if clock >= begin:
            return day + timedelta(days=1), end
        return (day, end) if clock < end else None


def _moment_of(day: date, clock: time, zone: ZoneInfo, after: datetime) -> datetime:
    """The moment at which clocks show this, later than `after`: where they show it twice, the second may be meant."""
    found = datetime.combine(day, clock, zone).astimezone(UTC)
    if found <= after:
        found = datetime.combine(day, clock.replace(fold=1), zone).astimezone(UTC)
    return found


@cache
def _times(crontab: str, zone: str) -> CronTrigger:
    return CronTrigger.from_crontab(crontab, timezone=ZoneInfo(zone))
