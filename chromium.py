"""Finds and starts the system's Chromium, for pages that scripts write and for charts as PNG.

It has no network of its own: every name and address leads nowhere in it. Needs the extra `browser`.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from errors import ConfigurationError

if TYPE_CHECKING:
    from playwright.async_api import Browser, Playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")

_NO_NETWORK = (
    "--host-resolver-rules=MAP * ~NOTFOUND",
    # WebRTC asks literal addresses by UDP, past the resolver.
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-quic",
)
_QUIET = (
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_chromium(chosen: Path | None, needed_for: str) -> Path:
    """The browser's program: the operator's choice, else the one on the PATH.

    `needed_for` begins the sentence that says what is missing. Raises ConfigurationError where the program, or the
    extra that drives it, is missing.
    """
    if importlib.util.find_spec("playwright") is None:
        raise ConfigurationError(f"{needed_for} needs the extra `browser`: pip install '.[browser]'.")
    if chosen is not None:
        if not (chosen.is_file() and os.access(chosen, os.X_OK)):
            raise ConfigurationError(
                f"{chosen}: there is no program that can be run; set `chromium` to that of Chromium."
            )
        return chosen
    found = next((path for name in PROGRAMS if (path := shutil.which(name))), None)
    if found is None:
        raise ConfigurationError(
            f"{needed_for} needs Chromium, and none of {', '.join(PROGRAMS)} is on the PATH: "
            "install it (Debian: apt-get install chromium), or set `chromium` in iprwatch.toml to its program."
        )
    return Path(found)


async def launch_chromium(playwright: Playwright, program: Path) -> Browser:
    """A browser without a window, a network or a profile; it ends with `playwright`. Raises Playwright's Error."""
    # Playwright speaks to it through a pipe: no debugging port is opened.
    return await playwright.chromium.launch(
        executable_path=program,
        args=[*_NO_NETWORK, *_QUIET],
        chromium_sandbox=os.geteuid() != 0,
        handle_sigint=False,
        handle_sigterm=False,
        handle_sighup=False,
    )
