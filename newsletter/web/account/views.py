"""Signing in and out: password, then code."""

from urllib.parse import urlsplit

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ... import addresses, clock
from ...config import current_settings
from ...db import transaction
from ...domain.staff import (
    accounts,
    browser_sessions,
    installation,
    invitations,
    one_time_codes,
    passwords,
    second_step,
)
from ...errors import Invalid, NotAllowed, NotFound
from ...i18n import gettext as _
from ...models import Account
from ..access import current_account, public
from ..fields import put_problems
from ..headers import private_page
from ..sessions import browser_session
from . import forms, steps, throttle
from .qr import qr_response
from .room import blueprint

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_WRONG = "That email address and password do not belong together"
_WRONG_CODE = "That code is not right, or was used before. Wait for the next one and enter it"


@blueprint.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> ResponseReturnValue:
    """Email address and password. The answer is the same, and as slow, for people who do not exist."""
    if request.method != "POST" and current_account() is not None:
        return steps.on_the_way(request.args.get("next", ""))
    form = forms.SignInForm(request.form, next=request.args.get("next", ""))
    if request.method == "POST":
        _require_passwords()
        now, typed = clock.now(), form.email.data or ""
        if not throttle.may_try_password(typed, request.remote_addr, now):
            form.form_errors = [_(throttle.TOO_OFTEN)]
            return _sign_in_page(form), 429
        account = accounts.find_account(typed)
        known = account if account is not None and account.active else None
        if passwords.proves(known, form.password.data or "") and known is not None:
            return steps.begin(known, form.next.data or "")
        form.form_errors = [_(_WRONG)]
        return _sign_in_page(form), 422
    return _sign_in_page(form)


def _sign_in_page(form: forms.SignInForm) -> str:
    settings = current_settings()
    return render_template(
        "account/sign_in.html",
        form=form,
        demo_people=_demo_people(),
        sign_in_service=settings.oidc_name if settings.oidc_issuer else "",
        with_password=settings.password_sign_in,
    )


def _require_passwords() -> None:
    """Raise NotAllowed where nobody signs in with a password."""
    if not current_settings().password_sign_in:
        raise NotAllowed(_("Nobody signs in here with a password. Use your organisation’s account."))


def _demo_people() -> list[Account]:
    """Who can be signed in as with one click: the demo's staff, on the machine it runs on and nowhere else."""
    # The request's own Host too: a page elsewhere can have its name lead to this machine (DNS rebinding).
    hosts = {urlsplit(current_settings().public_url).hostname, urlsplit(f"//{request.host}").hostname}
    organisation = installation.organisation()
    if organisation is None or not organisation.demo or not hosts <= _LOOPBACK:
        return []
    return [one for one in accounts.everybody() if one.active and one.memberships]


@blueprint.post("/sign-in/demo")
@public
def demo() -> ResponseReturnValue:
    """One click in the demo, instead of password and code."""
    chosen = request.form.get("account", type=int)
    account = next((one for one in _demo_people() if one.id == chosen), None)
    if account is None:
        raise NotFound(_("There is no such person here."))
    with transaction():
        session_id = steps.finish(account, how="demo")
    browser_session().begin(session_id)
    return steps.on_the_way(request.form.get("next", ""))


@blueprint.route("/sign-in/code", methods=["GET", "POST"])
@public
def code() -> ResponseReturnValue:
    """The second step: a code of the app, or one on paper."""
    account = steps.whose()
    if account is None or not second_step.has_app(account):
        return steps.start_again()
    form = forms.CodeForm(request.form)
    if request.method == "POST":
        now, typed = clock.now(), form.code.data or ""
        if not throttle.may_try_code(account, request.remote_addr, now):
            form.code.errors = [_(throttle.TOO_OFTEN)]
            return render_template("account/code.html", form=form), 429
        path, session_id = steps.next_path(), _sign_in_with(account, typed)
        if session_id is not None:
            browser_session().begin(session_id)
            return steps.on_the_way(path)
        form.code.errors = [_(_WRONG_CODE)]
        return render_template("account/code.html", form=form), 422
    return render_template("account/code.html", form=form)


def _sign_in_with(account: Account, typed: str) -> str | None:
    """The new session's id, if the code is right and nobody was first with it."""
    step = one_time_codes.step_of(typed, account.tf_totp_secret or "", account.tf_last_step, clock.now())
    with transaction():
        if step is not None and one_time_codes.use_step(account, step):
            return steps.finish(account, how="app")
        if step is None and one_time_codes.use_paper_code(account, typed):
            return steps.finish(account, how="paper")
    return None


@blueprint.route("/sign-in/app", methods=["GET", "POST"])
@public
def connect_app() -> ResponseReturnValue:
    """At the first sign-in: connect an app. The right code signs in and shows the codes on paper, once."""
    account, secret = steps.whose(), steps.secret()
    if account is None or not secret or second_step.has_app(account):
        return steps.start_again()
    form = forms.CodeForm(request.form)
    page = {"form": form, "picture": url_for("account.app_picture"), "spelled": one_time_codes.spelled_out(secret)}
    if request.method != "POST":
        return render_template("account/connect_app.html", **page)
    now = clock.now()
    allowed = throttle.may_try_code(account, request.remote_addr, now)
    step = one_time_codes.step_of(form.code.data or "", secret, None, now) if allowed else None
    if step is None:
        form.code.errors = [_(_WRONG_CODE) if allowed else _(throttle.TOO_OFTEN)]
        return render_template("account/connect_app.html", **page), 422 if allowed else 429
    paper, path = one_time_codes.new_paper_codes(), steps.safe_path(steps.next_path()) or steps.desk_url()
    hashes = one_time_codes.paper_hashes(paper)
    with transaction():
        second_step.connect_app(account, secret=secret, step=step, paper_hashes=hashes, keep=None, now=now)
        session_id = steps.finish(account, how="app")
    browser_session().begin(session_id)
    return private_page(render_template("account/paper_codes.html", codes=paper, next_url=path))


@blueprint.get("/sign-in/app.svg")
@public
def app_picture() -> ResponseReturnValue:
    """The QR code of the app that is being connected."""
    account, secret = steps.whose(), steps.secret()
    if account is None or not secret or second_step.has_app(account):
        raise NotFound(_("This picture is gone. Sign in again."))
    return qr_response(one_time_codes.app_address(secret, account))


@blueprint.post("/sign-out")
@public
def sign_out() -> ResponseReturnValue:
    """End this browser's session, whoever it is."""
    session_id = browser_session().id
    through = browser_sessions.came_through(browser_session().row)
    if session_id is not None:
        with transaction():
            browser_sessions.end(session_id)
    browser_session().end()
    if through == steps.ORGANISATION and current_settings().oidc_issuer:
        return redirect(url_for("account.signed_out"), 303)
    flash(_("You are signed out."), "success")
    return redirect(url_for("account.sign_in"), 303)


@blueprint.route("/forgotten", methods=["GET", "POST"])
@public
def forgotten() -> ResponseReturnValue:
    """Ask for a link to a new password. The answer tells nobody who works here."""
    _require_passwords()
    form = forms.EmailForm(request.form)
    if request.method != "POST":
        return render_template("account/forgotten.html", form=form)
    now = clock.now()
    try:
        address = addresses.clean(form.email.data or "")
    except Invalid as error:
        put_problems(form, error)
        return render_template("account/forgotten.html", form=form), 422
    may_ask, may_get = throttle.link_limits(address, request.remote_addr, now)
    if may_ask:
        with transaction():
            invitations.answer_forgotten(address, allowed=may_get, now=now)
    return redirect(url_for("account.link_sent"), 303)


@blueprint.get("/forgotten/sent")
@public
def link_sent() -> ResponseReturnValue:
    """What anybody sees who asked."""
    return render_template("account/link_sent.html")


@blueprint.route("/password/<token>", methods=["GET", "POST"])
@public
def choose_password(token: str) -> ResponseReturnValue:
    """A new password by the link in a mail. The second step is asked for at the next sign-in as always."""
    now = clock.now()
    invitation = invitations.read(token, invitations.PASSWORD, now)
    account = accounts.find(invitation.account_id or 0)
    form = forms.NewPasswordForm(request.form)
    if request.method != "POST":
        return private_page(render_template("account/choose_password.html", form=form))
    try:
        chosen = passwords.check(form.password.data or "", person=(account.email, account.name))
    except Invalid as error:
        put_problems(form, error)
        return private_page(render_template("account/choose_password.html", form=form), 422)
    hashed = passwords.hashed(chosen)
    with transaction():
        invitations.change_password_by_link(invitation, password_hash=hashed, now=now)
    browser_session().end()
    if not current_settings().password_sign_in:
        # The way back in where the organisation's service is away: by a link that was made on this machine, this once.
        return steps.begin(account, "")
    flash(_("Your password is changed. Sign in with it."), "success")
    return redirect(url_for("account.sign_in"), 303)
