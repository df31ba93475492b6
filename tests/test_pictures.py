"""Charts as PNG: Chinese labels are drawn or refused, and nothing is left behind."""

from __future__ import annotations

import importlib.util
import re
import shutil
import struct
import subprocess
import time
import zlib
from collections import Counter
from pathlib import Path

import pytest

from query.charts import bar_chart
from query.pictures import PictureFailed, draw_png
from tests import command
from tests.command import Ran

WITHOUT_EXTRA = "import sys; sys.modules['playwright'] = None"
WHITE, BAR = (255, 255, 255), (47, 111, 159)


def fonts(pattern: str) -> list[Path]:
    """The files of the machine's fonts that fit a pattern of fontconfig."""
    if shutil.which("fc-list") is None:
        return []
    listed = subprocess.run(["fc-list", pattern, "file"], capture_output=True, text=True, check=True).stdout
    return [Path(line.rstrip(": ")) for line in listed.splitlines()]


@pytest.fixture(scope="module")
def chinese_font() -> None:
    if not fonts(":lang=zh"):
        pytest.skip("no font with Chinese characters is installed (fc-list :lang=zh finds none)")


@pytest.fixture
def without_chinese(tmp_path: Path) -> Path:
    """A configuration of fonts that knows a single one, which has no Chinese character."""
    plain = sorted(set(fonts(":lang=en:fontformat=TrueType")) - set(fonts(":lang=zh")))
    if not plain:
        pytest.skip("no font without Chinese characters is installed (fc-list finds none)")
    folder = tmp_path / "fonts"
    folder.mkdir()
    shutil.copy(plain[0], folder)
    file = tmp_path / "fonts.conf"
    file.write_text(
        f"<?xml version='1.0'?><fontconfig><dir>{folder}</dir><cachedir>{folder}</cachedir></fontconfig>",
        encoding="utf-8",
    )
    return file


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory, samples: Path) -> Path:
    """A folder with a stored source."""
    folder = tmp_path_factory.mktemp("crawled")
    assert "new items" in iprwatch("crawl", "cnipa_news", "--replay", samples, cwd=folder).out
    return folder


@pytest.fixture
def folder(crawled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(crawled, tmp_path / "folder"))


def iprwatch(*arguments: str | Path, cwd: Path, first: str = "", **extra: str) -> Ran:
    """Run it with another home than its folder: the browser makes folders of its own there."""
    return command.iprwatch(*arguments, cwd=cwd, first=first, HOME=str(cwd.parent), **extra)


def read_png(data: bytes) -> list[list[tuple[int, ...]]]:
    """The rows of a picture, pixel by pixel. https://www.w3.org/TR/png-3/#9Filters"""
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    assert (data[:8], depth) == (b"\x89PNG\r\n\x1a\n", 8)
    step = {2: 3, 6: 4}[kind]
    packed, at = b"", 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        packed += data[at + 8 : at + 8 + length] if data[at + 4 : at + 8] == b"IDAT" else b""
        at += 12 + length
    raw, before, rows = zlib.decompress(packed), bytes(width * step), []
    for start in range(0, len(raw), width * step + 1):
        line = bytearray(raw[start + 1 : start + 1 + width * step])
        for place in range(len(line)):
            left, corner = (line[place - step], before[place - step]) if place >= step else (0, 0)
            line[place] = (line[place] + predict(raw[start], left, before[place], corner)) & 255
        before = bytes(line)
        rows.append([tuple(line[place : place + 3]) for place in range(0, len(line), step)])
    assert len(rows) == height
    return rows


def predict(filter: int, left: int, above: int, corner: int) -> int:
    if filter < 4:
        return (0, left, above, (left + above) // 2)[filter]
    paeth = left + above - corner
    return min((left, above, corner), key=lambda near: abs(paeth - near))


def size_of(svg: str) -> tuple[int, int]:
    found = re.search(r'width="(\d+)" height="(\d+)"', svg)
    assert found
    return int(found[1]), int(found[2])


def test_chinese_labels_are_drawn_at_twice_the_size_on_white(chromium: Path, chinese_font: None) -> None:
    chart = bar_chart("按法院", [("最高人民法院", 4), ("广州知识产权法院", 1)])
    rows = read_png(draw_png(chart, chromium))
    width, height = size_of(chart)
    assert (len(rows[0]), len(rows)) == (2 * width, 2 * height)
    assert rows[0][0] == rows[-1][-1] == WHITE
    colours = Counter(pixel for row in rows for pixel in row)
    # The bars are 640 and 160 wide and 16 high.
    assert colours[BAR] == pytest.approx(800 * 16 * 4, rel=0.02)
    # Labels stand left of the bars; what stands for a missing glyph is the same for all, these two differ.
    left = next(x for row in rows for x, pixel in enumerate(row) if pixel == BAR)
    labels = [[row[:left] for row in rows[2 * top : 2 * (top + 20)]] for top in (48, 72)]
    assert all(min(sum(pixel) for row in label for pixel in row) < 200 for label in labels)
    assert labels[0] != labels[1]
    assert all(row[0] == WHITE for row in rows)  # nothing is cut off


def test_a_chart_without_chinese_needs_no_font_for_it(
    chromium: Path, without_chinese: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FONTCONFIG_FILE", str(without_chinese))
    assert draw_png(bar_chart("Items by source", [("cnipa_news", 3)]), chromium).startswith(b"\x89PNG")


def test_characters_that_no_font_has_are_named_and_nothing_is_written(
    folder: Path, chromium: Path, without_chinese: Path
) -> None:
    (folder / "chart.png").write_bytes(b"as before")
    arguments = ("stats", "商标", "--png", "chart.png", "--svg", "chart.svg")
    ran = iprwatch(*arguments, cwd=folder, FONTCONFIG_FILE=str(without_chinese))
    check_refused(ran, folder, "no font on this machine has 商标; install one", "fonts-noto-cjk")


def check_refused(ran: Ran, folder: Path, *words: str) -> None:
    """One sentence, no table, no new file, and what was there is as it was."""
    assert (ran.code, ran.out) == (2, ""), ran
    assert all(word in " ".join(ran.err.split()) for word in words), ran.err
    assert len(ran.err.strip().splitlines()) == 1
    assert sorted(path.name for path in folder.iterdir()) == ["chart.png", "iprwatch-data"]
    assert (folder / "chart.png").read_bytes() == b"as before"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--png", "chart.svg"), "--png chart.svg: the file is PNG, so its name ends in .png"),
        (("--png", "chart"), "its name ends in .png"),
        (("--png", "no/such/chart.png", "--svg", "chart.svg"), "no/such/chart.png: can't be written"),
        (("--png", "iprwatch-data/folder.png"), "it is no file"),
    ],
)
def test_what_can_not_be_written_is_refused(
    folder: Path, chromium: Path, arguments: tuple[str, ...], words: str
) -> None:
    (folder / "chart.png").write_bytes(b"as before")
    (folder / "iprwatch-data" / "folder.png").mkdir()
    check_refused(iprwatch("stats", *arguments, cwd=folder), folder, words)


def test_without_the_extra_a_picture_is_refused(folder: Path) -> None:
    (folder / "chart.png").write_bytes(b"as before")
    ran = iprwatch("stats", "--png", "chart.png", cwd=folder, first=WITHOUT_EXTRA)
    check_refused(ran, folder, "--png needs the extra `browser`: pip install '.[browser]'")


@pytest.mark.skipif(importlib.util.find_spec("playwright") is None, reason="the extra is asked for first")
@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"PATH": "/nowhere"}, "--png needs Chromium, and none of chromium"),
        ({"IPRWATCH_CHROMIUM": "/nowhere/chromium"}, "/nowhere/chromium: there is no program"),
        ({"IPRWATCH_CHROMIUM": shutil.which("false") or ""}, "Chromium failed"),
    ],
)
def test_without_chromium_a_picture_is_refused(folder: Path, variables: dict[str, str], words: str) -> None:
    (folder / "chart.png").write_bytes(b"as before")
    ran = iprwatch("stats", "--png", "chart.png", "--svg", "chart.svg", cwd=folder, **variables)
    check_refused(ran, folder, words)


def test_both_pictures_of_a_chart_are_written_at_once(folder: Path, chromium: Path) -> None:
    (folder / "old.png").write_bytes(b"as before")
    (folder / "chart.png").symlink_to("old.png")
    arguments = ("--by", "source", "--png", "chart.png", "--svg", "chart.svg", "--json")
    ran = iprwatch("stats", *arguments, cwd=folder)
    assert (ran.code, ran.err.split("\n")) == (0, ["Drawn into chart.svg.", "Drawn into chart.png.", ""])
    assert ran.json["by"] == "source"
    width, height = size_of((folder / "chart.svg").read_text("utf-8"))
    assert struct.unpack(">II", (folder / "old.png").read_bytes()[16:24]) == (2 * width, 2 * height)
    assert (folder / "chart.png").is_symlink()
    assert sorted(path.name for path in folder.iterdir()) == [
        "chart.png", "chart.svg", "iprwatch-data", "old.png",
    ]  # fmt: skip


@pytest.mark.skipif(importlib.util.find_spec("playwright") is None, reason="the extra is asked for first")
def test_a_browser_that_hangs_is_given_up_and_ended(tmp_path: Path) -> None:
    program, started = tmp_path / "chromium", tmp_path / "started"
    program.write_text(f"#!/bin/sh\necho $$ > {started}\nexec sleep 600\n", encoding="utf-8")
    program.chmod(0o755)
    with pytest.raises(PictureFailed, match="longer than 5 s"):
        draw_png(bar_chart("Items", []), program, seconds=5.0)
    browser = Path("/proc", started.read_text("utf-8").strip())
    deadline = time.monotonic() + 10
    while browser.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not browser.exists()
