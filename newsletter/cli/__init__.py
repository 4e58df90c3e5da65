"""The command line: `newsletter …`.

Exit status: 0 done, 1 refused with one clear sentence on standard error, 2 wrong usage; never a traceback.
"""

from .main import main

__all__ = ["main"]
