"""From the court code of a case number to the court.

Since 2016 a code is the province's one-character name and the digits of the administrative division without
the province (法〔2015〕137号): 粤07 is the intermediate court of division 4407, 粤0703 the basic court of 440703.
Courts that are no division's have codes of their own: `court_codes.toml`. Where neither says, the court stays
unknown.
"""

from __future__ import annotations

import csv
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_TABLE = tomllib.loads(Path(__file__).with_name("court_codes.toml").read_text(encoding="utf-8"))
PROVINCES: dict[str, tuple[str, str, str]] = {
    name: (code, chinese, english) for name, (code, chinese, english) in _TABLE["provinces"].items()
}
ABBREVIATIONS: dict[str, str] = dict(_TABLE["abbreviations"])
_KIND_OF_PROVINCE = re.compile(r"省|市|维吾尔自治区|壮族自治区|回族自治区|自治区")


@dataclass(frozen=True, slots=True)
class Court:
    """A court: its level (supreme, high, intermediate, basic), region, names, and how the name was found.

    `region_zh` is the province without its kind (广东), None for national courts. `name_en` is None where
    no usual English spelling is known. `method` is `table` or `derived`.
    """

    code: str
    level: str
    region_zh: str | None
    name_zh: str
    name_en: str | None
    method: str


def region_of(province: str) -> str:
    """Shorten 广东省 to 广东, 广西壮族自治区 to 广西."""
    return _KIND_OF_PROVINCE.sub("", province)


@cache
def divisions() -> dict[str, tuple[str, str]]:
    """Read the administrative divisions: code -> (Chinese name, English name or '')."""
    with Path(__file__).with_name("divisions.csv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return {row["code"]: (row["zh"], row["en"]) for row in rows}


@cache
def special_courts() -> dict[str, Court]:
    """Read the courts that have a code of their own."""
    courts = {}
    for code, (level, chinese, english) in _TABLE["courts"].items():
        province = PROVINCES.get(code[0])
        region = region_of(province[1]) if province else ("新疆" if code == "兵" else None)
        courts[code] = Court(code, level, region, chinese, english, "table")
    return courts


def chamber(court_code: str, type_code: str) -> tuple[str, str] | None:
    """Name the chamber that a type code of the Supreme People's Court stands for, in Chinese and English."""
    found = _TABLE["chambers"].get(court_code + type_code[:1])
    return (found[0], found[1]) if found else None


@cache
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
