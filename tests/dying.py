"""Processes that a test starts end with it, however it ends: a run that is killed leaves none behind."""

import ctypes
import signal
import sys

_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Have the system kill this process when the one that started it is gone (prctl(2), Linux; nothing elsewhere).

    The "parent" is the thread that started us: it must be one that lasts.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
