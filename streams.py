"""Standard streams, which a service's supervisor or a crontab line may have closed."""

from __future__ import annotations

import os
import sys


def open_closed_streams() -> None:
    """Let input that was closed be empty, and output go nowhere. For the beginning of a process.

    Else the next file that is opened would have the number of a standard stream, and what this process or one that it
    starts prints would be written into it.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            descriptor = os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is this one
            os.set_inheritable(descriptor, True)
            setattr(sys, name, os.fdopen(descriptor, "w" if number else "r", encoding="utf-8"))
