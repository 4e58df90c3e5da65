"""Who works here: invite, give roles, switch off."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectChoice

from ... import clock
from ...db import db, transaction
from ...domain.staff import accounts, invitations, mailing_lists, second_step
from ...domain.staff.permissions import Permission, may, require
from ...errors import Invalid, NotFound
from ...i18n import gettext as _
from ...models import Account, Invitation, MailingList
from ...states import Role
from ..access import signed_in_account, staff
from ..fields import put_problems
from ..headers import private_page
from ..links import public_link
from .forms import ROLE_HINTS, InviteForm, RoleForm
from .room import blueprint

_MANAGE = Permission.MANAGE_STAFF


@blueprint.get("/desk/staff", endpoint="staff")
@staff(_MANAGE)
def everybody() -> ResponseReturnValue:
    """Everybody with an account, and who is invited: as far as one's own lists reach."""
    lists = mailing_lists.all_lists()
    people = [one for one in accounts.everybody() if _may_see(one)]
    return render_template(
        "admin/staff.html",
        people=[(one, roles_on(one, lists)) for one in people],
        invited=[(one, _list_of(one)) for one in invitations.waiting(clock.now()) if _may_on(_list_of(one))],
    )


def _may_on(mailing_list: MailingList | None) -> bool:
    return may(signed_in_account(), _MANAGE, mailing_list)


def _may_see(person: Account) -> bool:
    """Whoever administers all sees everybody; others see whoever works on their lists."""
    if _may_on(None):
        return True
    lists = (db.session.get(MailingList, one.list_id) for one in person.memberships if one.list_id)
    return any(one is not None and _may_on(one) for one in lists)


def _list_of(invitation: Invitation) -> MailingList | None:
    return db.session.get(MailingList, invitation.list_id) if invitation.list_id else None


def roles_on(person: Account, lists: list[MailingList]) -> list[tuple[str, Role]]:
    """[(where, role)]: all newsletters first, then by list."""
    names = {one.id: one.name for one in lists}
    everywhere = [(_("All newsletters"), one.role) for one in person.memberships if one.list_id is None]
    return everywhere + [(names[one.list_id], one.role) for one in person.memberships if one.list_id in names]


def _scopes() -> list[SelectChoice]:
    """Where this administrator may give a role: its slug and name, "" for everywhere."""
    everywhere = [SelectChoice("", _("All newsletters"))] if _may_on(None) else []
    return everywhere + [SelectChoice(one.slug, one.name) for one in mailing_lists.all_lists() if _may_on(one)]


def _scope(slug: str) -> MailingList | None:
    """The list of a scope. Raises NotFound, NotAllowed."""
    mailing_list = mailing_lists.find_list(slug) if slug else None
    require(signed_in_account(), _MANAGE, mailing_list)
    return mailing_list


@blueprint.route("/desk/staff/invite", methods=["GET", "POST"])
@staff(_MANAGE)
def invite() -> ResponseReturnValue:
    """Invite somebody; the link goes by mail, and is shown once to be passed on by hand."""
    form = InviteForm(request.form)
    form.scope.choices = _scopes()
    if request.method != "POST":
        return render_template("admin/invite.html", form=form, role_hints=ROLE_HINTS)
    if not form.validate():
        return render_template("admin/invite.html", form=form, role_hints=ROLE_HINTS), 422
    mailing_list, role = _scope(form.scope.data), Role(form.role.data)
    try:
        with transaction():
            invitation, token = invitations.invite(
                form.email.data or "", role, mailing_list, actor=signed_in_account(), now=clock.now()
            )
    except Invalid as error:
        put_problems(form, error)
        return render_template("admin/invite.html", form=form, role_hints=ROLE_HINTS), 422
    link = public_link("admin.accept_invitation", token=token)
    return private_page(render_template("admin/invited.html", invitation=invitation, link=link))


@blueprint.post("/desk/staff/invitations/<int:key>/revoke")
@staff(_MANAGE)
def revoke_invitation(key: int) -> ResponseReturnValue:
    """Take an invitation back."""
    invitation = db.session.get(Invitation, key)
    if invitation is None or invitation.purpose != invitations.STAFF:
        raise NotFound(_("There is no such invitation."))
    require(signed_in_account(), _MANAGE, _list_of(invitation))
    with transaction():
        invitations.revoke(invitation, actor=signed_in_account(), now=clock.now())
    flash(_("The invitation to %(email)s is taken back.") % {"email": invitation.email}, "success")
    return redirect(url_for("admin.staff"), 303)


def _person(key: int) -> Account:
    person = accounts.find(key)
    if not _may_see(person):
        raise NotFound(_("There is no such person here."))
    return person


@blueprint.get("/desk/staff/<int:key>")
@staff(_MANAGE)
def member(key: int) -> ResponseReturnValue:
    """One person: what they may do, and what can be done about them."""
    person = _person(key)
    on_all = accounts.membership_on(person, None)
    scopes: list[dict[str, Any]] = [{"slug": "", "name": _("All newsletters"), "role": on_all.role if on_all else None}]
    for one in mailing_lists.all_lists():
        membership = accounts.membership_on(person, one)
        scopes.append({"slug": one.slug, "name": one.name, "role": membership.role if membership else None})
    mine = {one.value for one in _scopes()}
    return render_template(
        "admin/member.html",
        member=person,
        scopes=[one | {"may": one["slug"] in mine} for one in scopes],
        has_app=second_step.has_app(person),
        may_all=_may_on(None),
    )


@blueprint.route("/desk/staff/<int:key>/role", methods=["GET", "POST"])
@staff(_MANAGE)
def change_role(key: int) -> ResponseReturnValue:
    """Another role on one list, or on all; `?on=` names the list."""
    person, mailing_list = _person(key), _scope(request.args.get("on", ""))
    membership = accounts.membership_on(person, mailing_list)
    form = RoleForm(request.form, role=membership.role.value if membership else "")
    if request.method == "POST" and form.validate():
        role = Role(form.role.data) if form.role.data else None
        with transaction():
            accounts.change_role(person, role, mailing_list, actor=signed_in_account(), now=clock.now())
        flash(_("%(name)s’s role is changed. They sign in again to use it.") % {"name": person.name}, "success")
        return redirect(url_for("admin.member", key=key), 303)
    return render_template(
        "admin/role.html", form=form, member=person, mailing_list=mailing_list, role_hints=ROLE_HINTS
    )


def _whole_account(key: int) -> Account:
    """A person whose account as a whole may be changed: by whoever administers everything."""
    require(signed_in_account(), _MANAGE, None)
    return _person(key)


@blueprint.route("/desk/staff/<int:key>/disable", methods=["GET", "POST"])
@staff(_MANAGE)
def disable(key: int) -> ResponseReturnValue:
    """Switch the account off, after a page that says what that means."""
    person = _whole_account(key)
    if request.method != "POST":
        return render_template("admin/disable.html", member=person)
    with transaction():
        accounts.disable(person, actor=signed_in_account(), now=clock.now())
    flash(_("%(name)s can no longer sign in.") % {"name": person.name}, "success")
    return redirect(url_for("admin.staff"), 303)


@blueprint.post("/desk/staff/<int:key>/enable")
@staff(_MANAGE)
def enable(key: int) -> ResponseReturnValue:
    """Switch the account on again."""
    person = _whole_account(key)
    with transaction():
        accounts.enable(person, actor=signed_in_account(), now=clock.now())
    flash(_("%(name)s can sign in again, with the roles they had.") % {"name": person.name}, "success")
    return redirect(url_for("admin.member", key=key), 303)


@blueprint.route("/desk/staff/<int:key>/second-step", methods=["GET", "POST"])
@staff(_MANAGE)
def reset_second_step(key: int) -> ResponseReturnValue:
    """Let somebody who lost their phone connect another one."""
    person = _whole_account(key)
    if request.method != "POST":
        return render_template("admin/reset_second_step.html", member=person)
    with transaction():
        second_step.disconnect_app(person, actor=signed_in_account(), now=clock.now())
    flash(_("%(name)s connects an app anew when they next sign in.") % {"name": person.name}, "success")
    return redirect(url_for("admin.member", key=key), 303)


@blueprint.post("/desk/staff/<int:key>/password-link")
@staff(_MANAGE)
def send_password_link(key: int) -> ResponseReturnValue:
    """Mail somebody a link to a new password. Nobody sets it for them."""
    person = _whole_account(key)
    with transaction():
        invitations.send_password_link(person, actor=signed_in_account(), now=clock.now())
    flash(_("A link is on its way to %(email)s. It works for an hour.") % {"email": person.email}, "success")
    return redirect(url_for("admin.member", key=key), 303)
