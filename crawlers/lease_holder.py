"""The name under which a process holds leases, and whether the process of such a name is dead.

A process that was killed can't give its leases back. Where this machine can tell that it is dead, its leases needn't
be waited for; of processes elsewhere nothing is known.
"""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

_NAME = re.compile(r"process (\d+) on .* \[(\S+) (\d+)\]", re.DOTALL)
_PROC = Path("/proc")


def name_holder() -> str:
    """The name of this process: for people its number and machine, for machines what makes it unique (Linux)."""
    shown = f"process {os.getpid()} on {socket.gethostname()[:200]}"
    place, started = _place(), _started(os.getpid())
    return f"{shown} [{place} {started}]" if place and started else shown


def show_holder(name: str) -> str:
    """A name as people read it."""
    return name.partition(" [")[0]


def is_dead(name: str) -> bool:
    """True when this machine knows that the process has ended; False when it lives or nobody can tell."""
    read = _NAME.fullmatch(name)
    if read is None or read[2] != _place():
        return False
    return _started(int(read[1])) != int(read[3])


def _place() -> str | None:
    """This start of this machine and its space of process numbers; None where there is no /proc."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()
        space = (_PROC / "self/ns/pid").readlink()
    except OSError:
        return None
    return f"{boot}/{space}"


def _started(number: int) -> int | None:
    """When a process started, in ticks since the machine did; None for one that has ended.

    https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    """
    try:
        # The second field is the program's name in brackets and may hold anything.
        fields = (_PROC / str(number) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return None
    state, started = fields[0], int(fields[19])
    return None if state in ("Z", "X") else started
