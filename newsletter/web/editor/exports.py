"""Taking subscribers out as a file: a list, a search, an audience or those ticked, for a reason, by who proves it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import Response as FlaskResponse
from flask import request, stream_with_context, url_for
from werkzeug.wrappers import Response
from wtforms import SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice

from newsletter import clock
from newsletter.db import transaction
from newsletter.domain.staff.permissions import Permission, require
from newsletter.domain.subscribers import audiences, exporting, taking_out
from newsletter.errors import Invalid, Refused
from newsletter.i18n import gettext as _
from newsletter.models import Account
from newsletter.web.access import signed_in_account, staff
from newsletter.web.account import proof
from newsletter.web.account.proof import Way
from newsletter.web.fields import put_problems
from newsletter.web.form_bases import PlainForm

from .chosen_people import carried, search_of, selection_of
from .room import blueprint, page

_EXPORT = Permission.EXPORT_SUBSCRIBERS
#: What most are after; the rest is a tick away.
_AT_FIRST = ("email", "name", "organisation")


class ExportForm(PlainForm):
    """What the file holds, what it is for, and a proof."""

    columns = SelectMultipleField(
        _("What the file holds"),
        choices=[SelectChoice(name, words) for name, words in exporting.COLUMN_WORDS.items()],
        default=list(_AT_FIRST),
        validate_choice=False,
    )
    reason = StringField(
        _("What is it for?"),
        description=_("For example, badges for the conference of 3 October. Every administrator is told."),
        render_kw={"autocomplete": "off", "maxlength": str(taking_out.LONGEST_REASON)},
    )
    code = StringField(
        _("Code of your app"),
        description=_("Six digits, or one of your codes on paper: it shows that it is you who asks."),
        render_kw={"autocomplete": "one-time-code"},
    )


@dataclass(frozen=True)
class Asked:
    """Who is meant, where the form goes and what it carries along, and where the person came from."""

    whom: taking_out.Whom
    url: str
    carried: list[tuple[str, str]]
    back: str
    #: The lines of a file that is made elsewhere, given the reference that each is to end with.
    rows: Callable[[str], Iterator[tuple[int, str]]] | None = None


def _asked(account: Account) -> Asked:
    """Raises NotAllowed for whoever may not take these people out, NotFound for an audience that is none."""
    number = request.values.get("audience", "")
    if number:
        saved = audiences.find(int(number) if number.isdecimal() and len(number) < 10 else 0)
        require(account, _EXPORT, saved.mailing_list)
        return Asked(
            taking_out.audience(saved), url_for("editor.export"), [("audience", number)], url_for("editor.audiences")
        )
    selection = selection_of(account)
    require(account, _EXPORT, selection.mailing_list)
    back = url_for("editor.subscribers", **search_of(selection))
    return Asked(taking_out.selected(selection, clock.now()), url_for("editor.export"), carried(selection), back)


@blueprint.route("/desk/subscribers/export", methods=["GET", "POST"])
@staff(_EXPORT)
def export() -> Response | tuple[str, int]:
    """A list, a search, an audience, those ticked."""
    return ask(_asked(signed_in_account()))


def ask(asked: Asked) -> Response | tuple[str, int]:
    """Ask for what, why and a proof; answer with the file itself, line by line as it is read."""
    account = signed_in_account()
    if request.method != "POST":
        return _page(ExportForm(None), asked, account)
    form = ExportForm(request.form)
    try:
        step = proof.step_of(account, form.code.data or "") if proof.way_of(account) is Way.APP else None
        with transaction():
            made = taking_out.begin(
                asked.whom, form.columns.data or [], form.reason.data or "", actor=account, door="page", now=clock.now()
            )
            # After the form itself was found right: a slip in it costs no code.
            if proof.way_of(account) is Way.APP:
                proof.spend(account, form.code.data or "", step)
            elif not proof.is_proved(account):
                raise Refused(_("Sign in anew first: it was too long ago."))
    except Invalid as error:
        put_problems(form, error)
        return _page(form, asked, account, status=422)
    except Refused as error:
        return _page(form, asked, account, refused=str(error), status=422)
    rows = asked.rows(made.reference) if asked.rows else None
    lines = taking_out.lines(asked.whom, made, actor=account, for_excel=True, rows=rows)
    answer = FlaskResponse(stream_with_context(lines), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{taking_out.file_name(made)}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _page(form: ExportForm, asked: Asked, account: Account, *, refused: str = "", status: int = 200) -> tuple[str, int]:
    number = asked.whom.number()
    way = proof.way_of(account)
    return page(
        "export.html",
        under="editor.subscribers",
        status=status,
        form=form,
        number=number,
        whom=asked.whom,
        url=asked.url,
        carried=asked.carried,
        back=asked.back,
        refused=refused,
        way=way.value,
        proved=way is Way.APP or proof.is_proved(account),
        here=f"{asked.url}?{urlencode(asked.carried)}",
    )
