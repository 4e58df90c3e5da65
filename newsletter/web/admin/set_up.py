"""The two links that make an account: the first set-up, and an invitation."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from ... import clock
from ...config import current_settings
from ...db import db, transaction
from ...domain.staff import installation, invitations, passwords
from ...errors import Conflict, Invalid
from ...i18n import gettext as _
from ...models import Invitation, MailingList
from ..access import public
from ..account import steps
from ..fields import put_problems
from ..headers import private_page
from .forms import CADENCE_HINTS, JoinForm, SetUpForm
from .room import blueprint

#: A draft to better, not advice: it says only what this program does.
_FIRST_NOTICE = _(
    "We use your email address, and your name and organisation if you give them, to send you the newsletters you "
    "choose, and for nothing else. We ask for your consent, and you can withdraw it at any time with the link at the "
    "foot of each mail.\n\n"
    "We keep your address while you are subscribed. When you leave, we keep only what we need to know not to write to "
    "you again. We do not track whether you open a mail or what you click.\n\n"
    "Ask us what we hold about you, or to correct or delete it, at the address below. You can complain to the "
    "Information Commissioner’s Office."
)


@blueprint.route("/join/<token>", methods=["GET", "POST"])
@public
def accept_invitation(token: str) -> ResponseReturnValue:
    """Name and password; then, as at every first sign-in, an app for codes."""
    now = clock.now()
    invitation = invitations.read(token, invitations.STAFF, now)
    form = JoinForm(request.form)
    if request.method != "POST" or not current_settings().password_sign_in:
        return _join_page(form, invitation)
    name = form.name.data or ""
    hashed, weak = _hashed(form.password.data or "", (str(invitation.email), name))
    try:
        if weak is not None:
            raise weak
        with transaction():
            account = invitations.accept(invitation, name=name, password_hash=hashed, now=now)
    except Invalid as error:
        put_problems(form, error)
        return _join_page(form, invitation, 422)
    return steps.begin(account, "")


def _join_page(form: JoinForm, invitation: Invitation, status: int = 200) -> ResponseReturnValue:
    mailing_list = db.session.get(MailingList, invitation.list_id) if invitation.list_id else None
    settings = current_settings()
    page = render_template(
        "admin/join.html",
        form=form,
        invitation=invitation,
        mailing_list=mailing_list,
        sign_in_service=settings.oidc_name if settings.oidc_issuer else "",
        with_password=settings.password_sign_in,
    )
    return private_page(page, status)


@blueprint.route("/set-up/<token>", methods=["GET", "POST"])
@public
def set_up(token: str) -> ResponseReturnValue:
    """Organisation, first list, privacy notice, first administrator: on one page, saved together."""
    now = clock.now()
    invitation = invitations.read(token, invitations.SET_UP, now)
    if installation.organisation() is not None:
        raise Conflict(_("This newsletter has been set up already: sign in."))
    form = SetUpForm(request.form, privacy_notice=_FIRST_NOTICE)
    if request.method != "POST":
        return _set_up_page(form)
    if not form.cadence.validate(form):
        form.cadence.errors = [_("Choose how often it appears")]
        return _set_up_page(form, 422)
    answers = form.answers()
    person = (answers.your_email, answers.your_name, answers.organisation.name, answers.list_name)
    hashed, weak = _hashed(form.password.data or "", person)
    try:
        with transaction():
            account = installation.set_up(invitation, answers, password_hash=hashed, now=now)
            if weak is not None:
                # The other answers were looked at all the same; now nothing of them is kept.
                raise weak
    except Invalid as error:
        put_problems(form, error)
        if weak is not None and error is not weak:
            put_problems(form, weak)
        return _set_up_page(form, 422)
    return steps.begin(account, "")


def _set_up_page(form: SetUpForm, status: int = 200) -> ResponseReturnValue:
    return private_page(render_template("admin/set_up.html", form=form, cadence_hints=CADENCE_HINTS), status)


def _hashed(typed: str, person: tuple[str, ...]) -> tuple[str, Invalid | None]:
    """The password's hash; or "" and what is wrong with the password."""
    try:
        return passwords.hashed(passwords.check(typed, person=person)), None
    except Invalid as error:
        return "", error
