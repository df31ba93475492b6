"""Charts as PNG, for documents that take no SVG: Chromium draws what `query.charts` made.

It loads nothing, and has neither a network nor files. Needs the extra `browser`.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from chromium import launch_chromium
from errors import IprwatchError

LONGEST = 60.0
"""Seconds that a picture may take, with the start of the browser."""
_SHARPNESS = 2  # pixels of the picture for one of the chart, in either direction
_MOST_NAMED = 20  # characters

# What has no glyph is drawn as what no font can have one for. The canvas has place for a character of 40 pixels.
_MEASURE = r"""() => {
    const svg = document.querySelector("svg");
    const canvas = Object.assign(document.createElement("canvas"), {width: 64, height: 64});
    const pen = canvas.getContext("2d", {willReadFrequently: true});
    pen.font = `40px ${getComputedStyle(svg).fontFamily}`;
    const drawn = character => {
        pen.clearRect(0, 0, 64, 64);
        pen.fillText(character, 8, 48);
        return pen.getImageData(0, 0, 64, 64).data.join();
    };
    const nothing = drawn("\u{10FFFF}");
    const labels = [...svg.querySelectorAll("text")].map(text => text.textContent).join("");
    const chinese = new Set(labels.match(/[\p{Script_Extensions=Han}\uFF01-\uFF60]/gu));
    return {
        width: svg.width.baseVal.value,
        height: svg.height.baseVal.value,
        missing: [...chinese].filter(character => drawn(character) === nothing),
    };
}"""


class PictureFailed(IprwatchError):
    """There is no picture of a chart: no font has its characters, or Chromium failed. Raised by `draw_png`."""


def draw_png(svg: str, chromium: Path, *, seconds: float = LONGEST) -> bytes:
    """The picture of a chart, twice its size in pixels, on white, by this program (`chromium.find_chromium`).

    Raises PictureFailed where no font of this machine has a Chinese character of its labels, and where Chromium
    fails or takes longer than `seconds`; the browser has ended in any case.
    """
    from playwright.async_api import Error

    try:
        return asyncio.run(_draw(svg, chromium, seconds))
    except TimeoutError:
        raise PictureFailed(f"The chart can't be drawn: Chromium took longer than {seconds:.0f} s.") from None
    except Error as error:
        raise PictureFailed(
            f"The chart can't be drawn: Chromium failed: {error.message.splitlines()[0]}"
        ) from error


async def _draw(svg: str, chromium: Path, seconds: float) -> bytes:
    from playwright.async_api import async_playwright

    async with asyncio.timeout(seconds), async_playwright() as playwright:
        browser = await launch_chromium(playwright, chromium)
        # Of the forms that a character has in China, Japan and Korea the locale picks China's.
        page = await browser.new_page(device_scale_factor=_SHARPNESS, locale="zh-CN", offline=True)
        await page.set_content(f"<style>body {{ margin: 0 }} svg {{ display: block }}</style>{svg}")
        measured = await page.evaluate(_MEASURE)
        if missing := measured["missing"]:
            raise PictureFailed(_say_missing(missing))
        await page.set_viewport_size({"width": measured["width"], "height": measured["height"]})
        return await page.screenshot(type="png")


def _say_missing(characters: list[str]) -> str:
    named = "".join(characters[:_MOST_NAMED]) + ("…" if len(characters) > _MOST_NAMED else "")
    return (
        f"The chart can't be drawn as PNG: no font on this machine has {named}; install one with Chinese characters "
        "(Debian: apt-get install fonts-noto-cjk, or fonts-wqy-microhei)."
    )
