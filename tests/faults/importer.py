"""A process that goes on with an import, a few lines at a time, beside a process that reads: to be killed."""

import sys

from newsletter import clock
from newsletter.app import create_app
from newsletter.domain.subscribers import import_child, import_runs, importing
from newsletter.work.runners import SilentRunner
from tests.dying import die_with_parent

#: Few, so that there is much to be killed in the middle of.
BATCH = 100


def main() -> None:
    die_with_parent()
    importing.BATCH, import_child._WORTH_A_PROCESS = BATCH, 0
    with create_app(runner=SilentRunner(), pages=False).app_context():
        import_runs.perform(int(sys.argv[1]), clock.now())


if __name__ == "__main__":
    main()
