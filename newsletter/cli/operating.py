"""Commands for whoever runs the installation."""

import click

from ..app import create_app
from ..schema import newest_version, prepare_schema, schema_version


@click.command()
def migrate() -> None:
    """Bring the database's tables to the version of this program."""
    with create_app().app_context():
        before = schema_version()
        prepare_schema()
        after = newest_version()
    if before == after:
        click.echo(f"The database is up to date ({after}).")
    else:
        click.echo(f"The database was brought from {before or 'nothing'} to {after}.")
