"""Commands for whoever runs the installation."""

import click

from ..app import create_app
from ..schema import prepare_schema, schema_version


@click.command()
def migrate() -> None:
    """Bring the database's tables to the version of this program."""
    with create_app().app_context():
        before = schema_version()
        waiting = prepare_schema()
        after = schema_version()
    if before == after:
        click.echo(f"The database is up to date ({after}).")
    else:
        click.echo(f"The database was brought from {before or 'nothing'} to {after}.")
    if waiting:
        click.echo(
            f"{len(waiting)} of the steps of Procrastinate's tables wait until no worker of before is running: restart "
            "the workers, then run this again."
        )
