"""The root command: finds the others, turns our errors into one sentence and exit status 1."""

import importlib
import logging
import sys

import click

from .. import __version__
from ..errors import NewsletterError

#: Each command group and the module of this package that holds it under the same name.
_GROUPS = {
    "serve": "serving",
    "web": "web_serving",
    "worker": "serving",
    "scheduler": "serving",
    "migrate": "operating",
    "installation": "installation",
    "staff": "staff",
    "lists": "lists",
    "subscribers": "subscribers",
    "issues": "issues",
    "agencies": "agencies",
    "contributions": "contributions",
    "bounces": "bounces",
    "inbound": "inbound",
    "bench": "bench",
    "doctor": "doctor",
    "backup": "safekeeping",
    "restore": "safekeeping",
    "migrate-data": "safekeeping",
}

_show_traceback = False


class _Root(click.Group):
    """Imports a command's module when it is asked for: `newsletter --help` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_GROUPS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _GROUPS:
            return None
        module = importlib.import_module(f".{_GROUPS[cmd_name]}", __package__)
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command


@click.command(cls=_Root, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
@click.option("--traceback", is_flag=True, help="Show where the program failed, for a report of a fault.")
def root(traceback: bool) -> None:
    """A partnership's email newsletter: composed, scheduled, sent and accounted for."""
    global _show_traceback
    _show_traceback = traceback


def main() -> None:
    """The entry point of the `newsletter` program."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        _require_utf8(sys.argv[1:])
        root(standalone_mode=False)
    except NewsletterError as error:
        _stop(str(error))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _stop("Stopped.")
    except Exception as error:
        from ..db import why_unavailable

        if (why := why_unavailable(error)) and not _show_traceback:
            _stop(f"The database cannot be used at the moment: {why}. What was not said to be done is not done.")
        if _show_traceback:
            raise
        _stop(f"A fault of this program ({type(error).__name__}: {error}). Run it again with --traceback to see where.")


def _require_utf8(words: list[str]) -> None:
    """What no database and no mail can hold is refused before any of it is done."""
    for word in words:
        try:
            word.encode()
        except UnicodeEncodeError:
            shown = word.encode(errors="replace").decode()[:80]
            raise click.UsageError(f"“{shown}” is not UTF-8. (A file of such a name can be piped in: -)") from None


def _stop(sentence: str) -> None:
    click.echo(sentence, err=True)
    sys.exit(1)
