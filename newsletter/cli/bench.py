"""`newsletter bench`: how fast this machine sends, measured on an installation that is thrown away."""

import sys
from contextlib import ExitStack

import click

from ..bench.sending import MOST_RECIPIENTS, Result, bench_send, open_relay
from .context import print_json


@click.group()
def bench() -> None:
    """Measure how fast this machine sends. Never touches the installation that is configured."""


@bench.command()
@click.option("--recipients", required=True, metavar="N", type=click.IntRange(1, MOST_RECIPIENTS))
@click.option("--relay", "relay_url", required=True, metavar="URL", help="Such as smtp://127.0.0.1:2500.")
@click.option("--connections", default=16, show_default=True, type=click.IntRange(1, 1024))
@click.option("--database", metavar="URL", help="A PostgreSQL database to make a schema in; SQLite otherwise.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("--i-mean-it", "mean_it", is_flag=True, help="Send to a mail server on another machine.")
def send(recipients: int, relay_url: str, connections: int, database: str | None, as_json: bool, mean_it: bool) -> None:
    """Send an issue of some 31 KB to N made-up readers: launch, claim, fill, send, record, nothing left out."""
    relay = open_relay(relay_url, connections, mean_it=mean_it)
    with _Bars() as bars:
        result = bench_send(recipients, relay, database, bars.tell)
    if as_json:
        print_json(vars(result))
    else:
        _print(result)


def _print(result: Result) -> None:
    each = result.cpu_seconds / result.accepted * 1000
    click.echo(f"{result.accepted} messages of {result.message_bytes} bytes accepted in {result.seconds:.2f} s")
    over = f"{result.connections} connections to {result.relay} ({result.event_loop})"
    click.echo(f"  {result.messages_per_second:.0f} a second over {over}")
    click.echo(f"  {each:.3f} s of this process's CPU for 1,000; peak memory {result.peak_rss_bytes / 1e6:.0f} MB")
    click.echo(
        f"  {result.database}: frozen after {result.freeze_seconds:.2f} s, "
        f"first message after {result.seconds_to_first_message:.2f} s"
    )


class _Bars(ExitStack):
    """One bar after the other on standard error; none where it is not a terminal."""

    _label = ""

    def tell(self, label: str, more: int, of: int) -> None:
        if label != self._label:
            self.close()
            self._label = label
            self._bar = self.enter_context(
                click.progressbar(length=of, label=label, file=sys.stderr, hidden=not sys.stderr.isatty())
            )
        self._bar.update(more)
