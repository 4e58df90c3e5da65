"""A test in one's own inbox, and the addresses of a list that get one too."""

from flask import flash, request
from sqlalchemy import select
from werkzeug.wrappers import Response
from wtforms import BooleanField, EmailField, SelectMultipleField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length

from newsletter import clock
from newsletter.db import db, transaction
from newsletter.domain.issues import approving, testing
from newsletter.domain.staff import mailing_lists
from newsletter.domain.staff.permissions import Permission, require
from newsletter.errors import Conflict, Invalid, Refused
from newsletter.i18n import gettext as _
from newsletter.i18n import ngettext
from newsletter.models import Issue, MailingList, TestSend
from newsletter.states import EDITABLE_STATES
from newsletter.web.access import signed_in_account, staff
from newsletter.web.context import relay_local
from newsletter.web.fields import put_problems
from newsletter.web.form_bases import GuardedForm

from .room import blueprint, find_issue, page, to

_RECENT = 5
#: What to look at in which program: where it differs most from the preview.
_HINTS = (
    (_("On a phone"), _("The subject is cut after some 40 characters. Does what is left say enough?")),
    (_("Gmail"), _("It cuts a mail off at 102 KB, and then hides the link to leave.")),
    (_("Outlook on Windows"), _("It draws with Word: look at pictures, buttons and the space between sections.")),
    (_("Apple Mail and dark mode"), _("Colours are turned round: look at the logo and at pictures with white edges.")),
    (_("With pictures off"), _("The words in their place must say what the pictures do.")),
)


class TestForm(GuardedForm):
    """Where a test email goes: ticked and typed."""

    __test__ = False

    known = SelectMultipleField(_("Send it to"), validate_choice=False)
    addresses = TextAreaField(_("Other addresses (optional)"), description=_("One on each line, ten in all at most."))


class AddressForm(GuardedForm):
    """A further test address of a list."""

    address = EmailField(
        _("Email address"), validators=[DataRequired(_("Enter an email address"))], render_kw={"autocomplete": "off"}
    )
    note = StringField(
        _("What it is (optional)"),
        description=_("Such as: shared inbox, opened in Outlook"),
        validators=[Length(max=100, message=_("Use 100 characters or fewer"))],
    )
    although_subscriber = BooleanField(_("This address also subscribes, and may get test copies"))


@blueprint.route("/desk/issues/<slug>/test", methods=["GET", "POST"])
@staff(Permission.EDIT_ISSUES)
def issue_test(slug: str) -> Response | tuple[str, int]:
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    form = TestForm()
    if request.method == "GET":
        form.known.data = [signed_in_account().email]
    elif form.validate():
        done = _send_test(issue, form)
        if done:
            return done
        issue = find_issue(slug, Permission.EDIT_ISSUES)
    form.known.choices = _known(issue)
    return page(
        "test.html",
        issue=issue,
        status=422 if form.errors else 200,
        form=form,
        notes={each.address: each.note for each in testing.addresses_for_tests(issue.mailing_list) if each.note},
        current=testing.last_test(issue, current=True),
        sent=_sent(issue),
        editable=issue.state in EDITABLE_STATES,
        local=relay_local(),
        hints=_HINTS,
    )


def _known(issue: Issue) -> list[SelectChoice]:
    me = signed_in_account().email
    named = [each.address for each in testing.addresses_for_tests(issue.mailing_list) if each.address != me]
    return [
        SelectChoice(me, _("Yourself, {address}").format(address=me)),
        *(SelectChoice(address, address) for address in named),
    ]


def _sent(issue: Issue) -> list[TestSend]:
    query = select(TestSend).where(TestSend.issue_id == issue.id).order_by(TestSend.id.desc()).limit(_RECENT)
    return list(db.session.scalars(query))


def _send_test(issue: Issue, form: TestForm) -> Response | None:
    """Render outside the transaction, queue inside; None with the reasons in the form when it is refused."""
    slug, now = issue.slug, clock.now()
    targets = [*(form.known.data or []), *(form.addresses.data or "").splitlines()]
    try:
        prepared = approving.prepare(issue, now)
        with transaction():
            sent = len(testing.send_test(issue, prepared, targets, actor=signed_in_account(), now=now))
    except Invalid as error:
        put_problems(form, error)
        return None
    except (Conflict, Refused) as error:
        form.form_errors = [str(error)]
        return None
    words = ngettext("%(number)s test email is on its way.", "%(number)s test emails are on their way.", sent)
    flash(words % {"number": sent}, "success")
    return to("issue_test", slug=slug)


# --- the list's test addresses -----------------------------------------------------------------------------------


def _list(named: str) -> MailingList:
    found = mailing_lists.find_list(named)
    require(signed_in_account(), Permission.EDIT_ISSUES, found)
    return found


@blueprint.route("/desk/lists/<list>/test-addresses", methods=["GET", "POST"])
@staff(Permission.EDIT_ISSUES)
def test_addresses(list: str) -> Response | tuple[str, int]:  # noqa: A002 - the name in the address
    mailing_list, form = _list(list), AddressForm()
    if request.method == "POST" and form.validate():
        try:
            with transaction():
                testing.add_test_address(
                    mailing_list,
                    form.address.data,
                    note=form.note.data or "",
                    although_subscriber=form.although_subscriber.data,
                    actor=signed_in_account(),
                    now=clock.now(),
                )
            flash(_("It gets test copies from now on, where it is ticked."), "success")
            return to("test_addresses", list=list)
        except Invalid as error:
            put_problems(form, error)
    return page(
        "test_addresses.html",
        under="editor.issues",
        status=422 if form.errors else 200,
        form=form,
        mailing_list=mailing_list,
        named=testing.addresses_for_tests(mailing_list),
        ask_subscriber=bool(form.although_subscriber.errors) or form.although_subscriber.data,
    )


@blueprint.post("/desk/lists/<list>/test-addresses/<int:number>/remove")
@staff(Permission.EDIT_ISSUES)
def test_address_remove(list: str, number: int) -> Response:  # noqa: A002 - the name in the address
    mailing_list = _list(list)
    with transaction():
        address = testing.remove_test_address(mailing_list, number, actor=signed_in_account(), now=clock.now())
    flash(_("{address} gets no test copies any more.").format(address=address), "success")
    return to("test_addresses", list=list)
