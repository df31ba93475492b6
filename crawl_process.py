"""A crawl in a process of its own: it ends with the process that started it, and when its time is up."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

STOP_WITHIN = 60.0
"""Seconds that a crawl has for an orderly end (rows judged, leases given back) before it is killed."""
_PR_SET_PDEATHSIG = 1
# -P: the same modules as here, whatever the working folder holds.
COMMAND = (sys.executable, "-P", "-c", "import crawl_process; crawl_process.main()")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a crawl's process ended: its exit code, the end of its standard error, and whether its time was up."""

    code: int
    errors: str
    overdue: bool


class CrawlProcess:
    """One process with the command `iprwatch`, started at once.

    On Linux the kernel kills it when the *thread* that started it ends: start it from one that lasts, such as a
    worker of an executor.
    """

    def __init__(self, arguments: Sequence[str], command: Sequence[str] = COMMAND) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own command line
            [*command, str(os.getpid()), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            # A Ctrl-C is for the scheduler alone; it asks each crawl once to end.
            start_new_session=True,
        )

    def wait(self, time_limit: float) -> Ended:
        """Wait for the end, which is asked for after `time_limit` seconds, and enforced a minute later."""
        overdue = False
        try:
            _, errors = self._process.communicate(timeout=time_limit)
        except subprocess.TimeoutExpired:
            overdue = True
            self.ask_to_end()
            try:
                _, errors = self._process.communicate(timeout=STOP_WITHIN)
            except subprocess.TimeoutExpired:
                self.kill()
                _, errors = self._process.communicate()
        return Ended(self._process.returncode, errors[-2000:], overdue)

    def ask_to_end(self) -> None:
        """Ask for an orderly end: what was fetched is stored, every run row is judged."""
        self._process.terminate()

    def kill(self) -> None:
        """End it at once. What was acknowledged is stored; the next crawl completes the rest."""
        self._process.kill()


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent ends, however that ends. Linux only; else it does nothing.

    https://man7.org/linux/man-pages/man2/pr_set_pdeathsig.2const.html
    """
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        # It ended before the kernel was asked.
        sys.exit(1)


def main() -> None:
    """The child's side: the first argument is the parent's number, the rest is a command line of `iprwatch`."""
    die_with(int(sys.argv.pop(1)))
    import cli  # what it imports takes time, in which the parent could end

    cli.main()
