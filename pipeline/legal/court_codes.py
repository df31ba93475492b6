"""From the court code of a case number to the court.

Since 2016 a code is the province's one-character name and the digits of the administrative division without
the province (法〔2015〕137号): 粤07 is the intermediate court of division 4407, 粤0703 the basic court of 440703.
Courts that are no division's have codes of their own: `court_codes.toml`. Where neither says, the court stays
unknown. Courts that neither knows can be added by the operator: `extend_court_codes`.
"""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from errors import ConfigurationError

_TABLE = tomllib.loads(Path(__file__).with_name("court_codes.toml").read_text(encoding="utf-8"))
PROVINCES: dict[str, tuple[str, str, str]] = {
    name: (code, chinese, english) for name, (code, chinese, english) in _TABLE["provinces"].items()
}
ABBREVIATIONS: dict[str, str] = dict(_TABLE["abbreviations"])
_LEVELS = ("supreme", "high", "intermediate", "basic")
_CODE = re.compile(rf"[{''.join(PROVINCES)}兵](?:\d{{2}}|\d{{4}})")
_KEYS = ("level", "province", "zh", "en", "source", "replace")
_KIND_OF_PROVINCE = re.compile(r"省|市|维吾尔自治区|壮族自治区|回族自治区|自治区")


@dataclass(frozen=True, slots=True)
class Court:
    """A court: its level (supreme, high, intermediate, basic), region, names, and how the name was found.

    `region_zh` is the province without its kind (广东), None for national courts. `name_en` is None where
    no usual English spelling is known. `method` is `table`, `derived`, or `operator` for one that the operator added.
    """

    code: str
    level: str
    region_zh: str | None
    name_zh: str
    name_en: str | None
    method: str


@dataclass(frozen=True, slots=True)
class AddedCourt:
    """An operator's entry: the court, the source that the entry names, and whether it takes a built-in one's place."""

    court: Court
    source: str
    replaces: bool


_added: dict[str, AddedCourt] = {}
_forget: list[Callable[[], None]] = []
_Function = TypeVar("_Function", bound=Callable[..., Any])


def remember_courts(function: _Function) -> _Function:
    """Cache a function of the table of courts; `extend_court_codes` makes it forget what it remembers."""
    remembering = cache(function)
    _forget.append(remembering.cache_clear)
    return remembering  # type: ignore[return-value] # cache() leaves the arguments as they are


def added_courts() -> dict[str, AddedCourt]:
    """The courts that the operator added, by code."""
    return dict(_added)


def extend_court_codes(path: Path | None) -> None:
    """Add the operator's courts to the built-in table, in place of those of an earlier call; None leaves the built-in.

    The file has a table `[courts]` with an entry for each code: `"粤0194" = { level = "basic", zh = "…", en = "…",
    source = "…" }`. `level`, `zh` and `source` are needed; `province`, by its one character, is that of the code when
    left out. An entry goes before the court that is derived from the code. It goes before one of the built-in table
    only with `replace = true`, so that none is replaced unseen.

    Raises ConfigurationError, which names file, key and fault, and changes nothing then.
    """
    courts = {} if path is None else _read_added(path)
    _added.clear()
    _added.update(courts)
    for forget in _forget:
        forget()


def region_of(province: str) -> str:
    """Shorten 广东省 to 广东, 广西壮族自治区 to 广西."""
    return _KIND_OF_PROVINCE.sub("", province)


@cache
def divisions() -> dict[str, tuple[str, str]]:
    """Read the administrative divisions: code -> (Chinese name, English name or '')."""
    with Path(__file__).with_name("divisions.csv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return {row["code"]: (row["zh"], row["en"]) for row in rows}


@remember_courts
def special_courts() -> dict[str, Court]:
    """The courts that have a code of their own, and those that the operator added."""
    courts = {}
    for code, (level, chinese, english) in _TABLE["courts"].items():
        province = PROVINCES.get(code[0])
        region = region_of(province[1]) if province else ("新疆" if code == "兵" else None)
        courts[code] = Court(code, level, region, chinese, english, "table")
    return courts | {code: added.court for code, added in _added.items()}


def chamber(court_code: str, type_code: str) -> tuple[str, str] | None:
    """Name the chamber that a type code of the Supreme People's Court stands for, in Chinese and English."""
    found = _TABLE["chambers"].get(court_code + type_code[:1])
    return (found[0], found[1]) if found else None


@remember_courts
def find_court(code: str) -> Court | None:
    """Name the court of a code (粤0192, 京73, 粤, 最高法); None where the table and the divisions don't say."""
    known = special_courts().get(code)
    if known or not code or code[0] not in PROVINCES:
        return known
    number, province_zh, province_en = PROVINCES[code[0]]
    region = region_of(province_zh)
    digits = code[1:]
    if not digits:
        english = f"{province_en.removesuffix(' Province')} High People's Court"
        return Court(code, "high", region, f"{province_zh}高级人民法院", english, "derived")
    found = divisions().get(number + digits)
    if found is None:
        return None
    name, name_en = found
    if len(digits) == 2:
        translated = f"{name_en} Intermediate People's Court, {province_en}"
        return Court(code, "intermediate", region, f"{province_zh}{name}中级人民法院", translated, "derived")
    city, city_en = divisions().get(number + digits[:2], ("", ""))
    is_district = name.endswith("区") and not name.endswith(("林区", "特区"))
    chinese = f"{province_zh}{city if is_district else ''}{name}人民法院"
    place = ", ".join(part for part in (city_en if is_district else "", province_en) if part)
    return Court(
        code, "basic", region, chinese, f"{name_en} People's Court, {place}" if name_en else None, "derived"
    )


def _read_added(path: Path) -> dict[str, AddedCourt]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: the court codes can't be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: not a TOML file in UTF-8: {error}.") from error
    for key in table:
        if key != "courts":
            raise ConfigurationError(f"{path}: {key}: there is no such key; courts stand in [courts].")
    entries = table.get("courts", {})
    if not isinstance(entries, dict):
        raise ConfigurationError(f"{path}: courts: a table was expected, not {entries!r}.")
    courts = {code: _read_entry(code, entry, f"{path}: courts.{code}") for code, entry in entries.items()}
    names: dict[str, str] = {
        name: code for code, (_, name, _) in _TABLE["courts"].items() if code not in courts
    }
    for code, added in courts.items():
        other = names.setdefault(added.court.name_zh, code)
        if other != code:
            raise ConfigurationError(f"{path}: courts.{code}.zh: the court {other} has that name already.")
    return courts


def _read_entry(code: str, entry: object, place: str) -> AddedCourt:
    if not _CODE.fullmatch(code):
        raise ConfigurationError(
            f"{place}: a code is a province's character and 2 or 4 digits, such as 粤0192."
        )
    if not isinstance(entry, dict):
        raise ConfigurationError(f"{place}: a table was expected, not {entry!r}.")
    for key, value in entry.items():
        if key not in _KEYS:
            raise ConfigurationError(f"{place}.{key}: there is no such key; there are {', '.join(_KEYS)}.")
        if not isinstance(value, bool if key == "replace" else str) or value == "":
            expected = "true or false" if key == "replace" else "a text"
            raise ConfigurationError(f"{place}.{key}: {expected} was expected, not {value!r}.")
    for key in ("level", "zh", "source"):
        if key not in entry:
            raise ConfigurationError(f"{place}.{key}: is missing.")
    if entry["level"] not in _LEVELS:
        raise ConfigurationError(
            f"{place}.level: must be one of {', '.join(_LEVELS)}, not {entry['level']!r}."
        )
    if not entry["zh"].endswith(("法院", "法庭", "分院")):
        raise ConfigurationError(
            f"{place}.zh: {entry['zh']!r} is no court's Chinese name; it ends with 法院."
        )
    province = entry.get("province", "新" if code[0] == "兵" else code[0])
    if province not in PROVINCES:
        raise ConfigurationError(f"{place}.province: must be one of {' '.join(PROVINCES)}, not {province!r}.")
    replaces = code in _TABLE["courts"]
    if replaces and not entry.get("replace", False):
        raise ConfigurationError(
            f"{place}: the built-in table has this code ({_TABLE['courts'][code][1]}); write replace = true to "
            "put yours in its place."
        )
    if entry.get("replace", False) and not replaces:
        raise ConfigurationError(f"{place}.replace: the built-in table has no court of this code.")
    region = region_of(PROVINCES[province][1])
    court = Court(code, entry["level"], region, entry["zh"], entry.get("en"), "operator")
    return AddedCourt(court, entry["source"], replaces)
