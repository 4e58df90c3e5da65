"""The account page: password, second step, the browsers that are signed in."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ... import clock
from ...config import current_settings
from ...db import transaction
from ...domain.staff import (
    browser_sessions,
    identities,
    invitations,
    mailing_lists,
    one_time_codes,
    passwords,
    second_step,
)
from ...errors import Invalid, NotFound
from ...i18n import gettext as _
from ...models import Account
from ..access import signed_in, signed_in_account
from ..fields import put_problems
from ..headers import private_page
from ..sessions import browser_session
from . import forms, throttle
from .qr import qr_response
from .room import blueprint

_PENDING = "connecting"
_NOT_THEIRS = "That is not your password"


@blueprint.get("/desk/account")
@signed_in
def account() -> ResponseReturnValue:
    """Who I am here, and what I can change about it."""
    person = signed_in_account()
    return render_template(
        "account/account.html",
        roles=roles_of(person),
        with_password=current_settings().password_sign_in,
        identity=identities.of(person),
        has_app=second_step.has_app(person),
        paper_left=len(person.mf_recovery_codes or []),
        browsers=browser_sessions.of(person, clock.now()),
        this_browser=browser_session().row,
    )


def roles_of(person: Account) -> list[dict[str, Any]]:
    """Their memberships as {where, role}: "all newsletters" first."""
    names = {one.id: one.name for one in mailing_lists.all_lists()}
    return [
        {
            "where": names.get(one.list_id, _("All newsletters")) if one.list_id else _("All newsletters"),
            "role": one.role,
        }
        for one in sorted(person.memberships, key=lambda one: one.list_id or 0)
    ]


@blueprint.post("/desk/account/sign-out-others")
@signed_in
def sign_out_others() -> ResponseReturnValue:
    """End every session but this one."""
    person = signed_in_account()
    with transaction():
        ended = browser_sessions.revoke(person, now=clock.now(), keep=browser_session().id)
    flash(_("Signed out everywhere else.") if ended else _("You were signed in nowhere else."), "success")
    return redirect(url_for("account.account"), 303)


@blueprint.route("/desk/account/password", methods=["GET", "POST"])
@signed_in
def change_password() -> ResponseReturnValue:
    """The old password, then a new one; every other browser is signed out."""
    if not current_settings().password_sign_in:
        raise NotFound(_("Nobody signs in here with a password."))
    person, form = signed_in_account(), forms.ChangePasswordForm(request.form)
    if request.method != "POST":
        return render_template("account/change_password.html", form=form)
    refused = _refused(person, form.current)
    if refused:
        return render_template("account/change_password.html", form=form), refused
    try:
        chosen = passwords.check(form.password.data or "", person=(person.email, person.name))
    except Invalid as error:
        put_problems(form, error)
        return render_template("account/change_password.html", form=form), 422
    hashed, keep = passwords.hashed(chosen), browser_session().id
    with transaction():
        invitations.set_password(person, password_hash=hashed, keep=keep, now=clock.now())
    flash(_("Your password is changed. Every other browser is signed out."), "success")
    return redirect(url_for("account.account"), 303)


def _refused(person: Account, field: Any) -> int:
    """0 where the field holds the person's password; else the status to answer with, and why at the field."""
    if not throttle.may_try_password(person.email, request.remote_addr, clock.now()):
        field.errors = [_(throttle.TOO_OFTEN)]
        return 429
    if not passwords.proves(person, field.data or ""):
        field.errors = [_(_NOT_THEIRS)]
        return 422
    return 0


@blueprint.route("/desk/account/second-step", methods=["GET", "POST"])
@signed_in
def change_second_step() -> ResponseReturnValue:
    """The password once more; then another app, or new codes on paper."""
    person, form = signed_in_account(), forms.ConfirmForm(request.form)
    if request.method != "POST":
        return render_template("account/second_step.html", form=form)
    refused = _refused(person, form.password)
    if refused:
        return render_template("account/second_step.html", form=form), refused
    if request.form.get("what") == "paper":
        paper = one_time_codes.new_paper_codes()
        hashes = one_time_codes.paper_hashes(paper)
        with transaction():
            second_step.replace_paper_codes(person, hashes, now=clock.now())
        return _paper_page(paper)
    secret = one_time_codes.new_secret()
    with transaction():
        _remember_secret(secret)
    return redirect(url_for("account.connect_another_app"), 303)


def _remember_secret(secret: str) -> None:
    row = browser_session().row
    if row is None:
        raise NotFound(_("Sign in again."))
    row.data = {**row.data, _PENDING: secret}


def _remembered_secret() -> str:
    row = browser_session().row
    secret = str(row.data.get(_PENDING, "")) if row is not None else ""
    if not secret:
        raise NotFound(_("Start again from your account page."))
    return secret


@blueprint.route("/desk/account/app", methods=["GET", "POST"])
@signed_in
def connect_another_app() -> ResponseReturnValue:
    """Connect another app in place of the one there is; its first right code counts."""
    person, secret, form = signed_in_account(), _remembered_secret(), forms.CodeForm(request.form)
    page = {"form": form, "picture": url_for("account.own_picture"), "spelled": one_time_codes.spelled_out(secret)}
    if request.method != "POST":
        return render_template("account/connect_another_app.html", **page)
    now = clock.now()
    allowed = throttle.may_try_code(person, request.remote_addr, now)
    step = one_time_codes.step_of(form.code.data or "", secret, None, now) if allowed else None
    if step is None:
        form.code.errors = [
            _("That code is not right. Wait for the next one and enter it") if allowed else _(throttle.TOO_OFTEN)
        ]
        return render_template("account/connect_another_app.html", **page), 422 if allowed else 429
    paper = one_time_codes.new_paper_codes()
    hashes, keep = one_time_codes.paper_hashes(paper), browser_session().id
    with transaction():
        second_step.connect_app(person, secret=secret, step=step, paper_hashes=hashes, keep=keep, now=now)
        _remember_secret("")
    return _paper_page(paper)


def _paper_page(codes: list[str]) -> ResponseReturnValue:
    return private_page(render_template("account/paper_codes.html", codes=codes, next_url=url_for("account.account")))


@blueprint.get("/desk/account/app.svg")
@signed_in
def own_picture() -> ResponseReturnValue:
    """The QR code of the app that is being connected."""
    return qr_response(one_time_codes.app_address(_remembered_secret(), signed_in_account()))
