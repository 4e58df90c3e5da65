"""`newsletter staff …`: invite people, see who they are, switch accounts off, let somebody back in."""

from datetime import datetime, time
from typing import Any

import click

from .. import clock, dates
from ..config import current_settings
from ..db import transaction
from ..domain.staff import accounts, identities, invitations, mailing_lists, second_step, who_had_access
from ..domain.subscribers import erasure_log
from ..errors import NotFound
from ..models import Account
from ..states import Role
from ..web.links import public_link
from .context import print_json, with_app


@click.group()
def staff() -> None:
    """Who works on the newsletters."""


@staff.command()
@click.argument("email")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True, help="What they may do.")
@click.option("--list", "slug", metavar="SLUG", help="On this list only; else on all of them.")
@click.option("--mail", is_flag=True, help="Send them the link as well.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@with_app
def invite(email: str, role: str, slug: str | None, mail: bool, as_json: bool) -> None:
    """Print a one-time link that makes EMAIL an account. It works for seven days."""
    mailing_list = mailing_lists.find_list(slug) if slug else None
    with transaction():
        invitation, token = invitations.invite(
            email, Role(role), mailing_list, actor=None, now=clock.now(), by_mail=mail
        )
        address, until = invitation.email, invitation.expires_at
    link = public_link("admin.accept_invitation", token=token)
    if as_json:
        print_json({"email": address, "role": role, "list": slug, "expires_at": until.isoformat(), "link": link})
    else:
        click.echo(link)


@staff.command("list")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@with_app
def list_everybody(as_json: bool) -> None:
    """Everybody with an account, and their roles."""
    slugs = {one.id: one.slug for one in mailing_lists.all_lists()}
    people = [_as_dict(one, slugs) for one in accounts.everybody()]
    if as_json:
        print_json(people)
        return
    for person in people:
        click.echo(f"{person['email']}  {person['name']}  {_roles(person)}")


def _roles(person: dict[str, Any]) -> str:
    roles = ", ".join(f"{one['role']} on {one['list'] or 'all lists'}" for one in person["roles"]) or "no role"
    return f"{roles}{'' if person['active'] else '  (switched off)'}"


def _as_dict(account: Account, slugs: dict[int, str]) -> dict[str, Any]:
    roles = [
        {"list": slugs.get(one.list_id) if one.list_id else None, "role": one.role.value} for one in account.memberships
    ]
    return {
        "email": account.email,
        "name": account.name,
        "active": account.active,
        "roles": roles,
        "app_connected": second_step.has_app(account),
        "last_sign_in_at": account.last_sign_in_at.isoformat() if account.last_sign_in_at else None,
    }


@staff.command("access")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), required=True, help="From the beginning of this day.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Before this day; now, where not given.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@with_app
def access(since: datetime, until: datetime | None, as_json: bool) -> None:
    """Who could see people's data in a time: roles and their changes, sign-ins, exports. For when data were lost."""
    zone, slugs = current_settings().timezone, {one.id: one.slug for one in mailing_lists.all_lists()}
    ends = dates.to_instant(until.date(), time(0), zone) if until else clock.now()
    found = who_had_access.had_access(dates.to_instant(since.date(), time(0), zone), ends)
    shown = [
        {
            **_as_dict(one.account, slugs),
            "sign_ins": one.sign_ins,
            "last_sign_in_then": one.last_sign_in.isoformat() if one.last_sign_in else None,
            "exports": one.exports,
            "changes": [{"at": each.at.isoformat(), "what": each.action, **each.detail} for each in one.changes],
        }
        for one in found
    ]
    if as_json:
        print_json(shown)
        return
    for one in shown:
        roles = _roles(one)
        click.echo(f"{one['name']}  {one['email']}  {roles}  sign-ins: {one['sign_ins']}  exports: {one['exports']}")
        for each in one["changes"]:
            then = f": {each['before'] or 'none'} to {each['after'] or 'none'}" if "after" in each else ""
            click.echo(f"    {each['at'][:16]}  {each['what'].partition('.')[2].replace('_', ' ')}{then}")


@staff.command()
@click.argument("email")
@with_app
def disable(email: str) -> None:
    """Switch an account off: nobody signs in with it, and whoever is signed in is out."""
    account = _account(email)
    with transaction():
        accounts.disable(account, actor=None, now=clock.now())
    click.echo(f"{email} can no longer sign in.")


@staff.command()
@click.argument("email")
@with_app
def enable(email: str) -> None:
    """Switch an account on again, with the roles it had."""
    account = _account(email)
    with transaction():
        accounts.enable(account, actor=None, now=clock.now())
    click.echo(f"{email} can sign in again.")


@staff.command("forget")
@click.argument("email")
@with_app
def forget(email: str) -> None:
    """Erase an account for good: name, address, roles, sessions. What they did stays, by "A former colleague"."""
    account, now = _account(email), clock.now()
    with transaction():
        number = erasure_log.erase_colleague(account, actor=None, now=now)
    click.echo(f"Forgotten. {number:,} lines of the record name nobody now.")


@staff.command()
@click.argument("email")
@with_app
def untie(email: str) -> None:
    """Forget which account at the organisation's sign-in service signs in as EMAIL: the next one that fits is tied."""
    account = _account(email)
    with transaction():
        was = identities.untie(account, actor=None, now=clock.now())
    click.echo(f"{email} is tied to no account there." if was else f"{email} was not tied to any.")


@staff.command("let-in")
@click.argument("email")
@click.option("--new-phone", is_flag=True, help="Their phone is lost too: they connect another app.")
@with_app
def let_in(email: str, new_phone: bool) -> None:
    """Print a one-time link to a new password, for somebody who cannot get in. It works for an hour."""
    account, now = _account(email), clock.now()
    with transaction():
        if new_phone:
            second_step.disconnect_app(account, actor=None, now=now)
        token = invitations.password_link(account, actor=None, now=now)
    click.echo(public_link("account.choose_password", token=token))


def _account(email: str) -> Account:
    account = accounts.find_account(email)
    if account is None:
        raise NotFound(f"Nobody here has the address {email}. `newsletter staff list` names everybody.")
    return account
