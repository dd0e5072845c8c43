"""Ties a process to its parent, so that a killed parent leaves nobody behind.

As a command, `python -m pillweb.base.leash SIGNAL PROGRAM ARGUMENT...` becomes the
program, which then receives the signal when its parent dies.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with_parent(wanted: signal.Signals = signal.SIGKILL) -> None:
    """Ask the kernel to send this process the signal when its parent is gone.

    Works on Linux and does nothing elsewhere. It outlives an exec, but not a fork: a
    forked child has to ask for itself. "Parent" is the thread that forked.
    """
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(wanted), 0, 0, 0)
    if os.getppid() != parent:
        # It died before the kernel was asked.
        os.kill(os.getpid(), wanted)


if __name__ == "__main__":
    die_with_parent(signal.Signals[sys.argv[1]])
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - no shell is wanted
