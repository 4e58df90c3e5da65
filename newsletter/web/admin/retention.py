"""What is kept for how long, and what the next run takes: looked at, before it happens."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import RadioField, StringField
from wtforms.fields.choices import SelectChoice

from ... import clock
from ...db import transaction
from ...domain.staff import mailing_lists
from ...domain.staff.permissions import Permission, require
from ...domain.subscribers import renewal_rules, retaining
from ...errors import Invalid, Problem
from ...i18n import gettext as _
from ...i18n import ngettext
from ...models import MailingList
from ..access import signed_in_account, staff
from ..fields import put_problems
from ..form_bases import PlainForm
from .room import blueprint

_MANAGE = Permission.MANAGE_INSTALLATION
_OFFERED, _NEVER = (12, 24, 36), "never"


@blueprint.get("/desk/settings/retention")
@staff(_MANAGE)
def retention() -> ResponseReturnValue:
    """Each rule with how much there is, how much goes next, and when the first goes."""
    require(signed_in_account(), _MANAGE)
    now = clock.now()
    renewals = [renewal_rules.outlook(each, now) for each in mailing_lists.all_lists()]
    return render_template("admin/retention.html", rows=retaining.outlook(now), renewals=renewals)


class RenewalForm(PlainForm):
    """After how long, or why never."""

    months = RadioField(_("People who were not heard from are asked"), choices=[])
    reason = StringField(
        _("Why never?"),
        description=_("For example, everybody here is told by law. It stands in the record."),
        render_kw={"autocomplete": "off", "maxlength": str(renewal_rules.LONGEST_REASON)},
    )

    def offer(self, chosen: int) -> None:
        """The usual lengths, the one that holds now, and never."""
        months = sorted({*_OFFERED, *([chosen] if chosen else [])})
        self.months.choices = [SelectChoice(str(each), _after_words(each)) for each in months]
        self.months.choices.append(SelectChoice(_NEVER, _("Never")))


def _after_words(months: int) -> str:
    years, rest = divmod(months, 12)
    if rest:
        return _("After {months} months").format(months=months)
    return ngettext("After %(n)s year", "After %(n)s years", years) % {"n": years}


@blueprint.route("/desk/settings/retention/<slug>", methods=["GET", "POST"])
@staff(_MANAGE)
def renewal(slug: str) -> ResponseReturnValue:
    """What would happen on one list, and the decision that begins or ends it."""
    require(signed_in_account(), _MANAGE)
    mailing_list, now = mailing_lists.find_list(slug), clock.now()
    rule = renewal_rules.rule_of(mailing_list)
    months = rule.months if rule else renewal_rules.USUAL
    form = RenewalForm(
        request.form if request.method == "POST" else None,
        months=str(months) if months else _NEVER,
        reason=rule.off_reason if rule else "",
    )
    form.offer(months)
    if request.method != "POST":
        return _renewal_page(form, mailing_list)
    chosen = request.form.get("months", "")
    try:
        if chosen != _NEVER and not (chosen.isdecimal() and len(chosen) < 4 and int(chosen)):
            raise Invalid([Problem("months", _("Choose after how long people are asked, or never"))])
        with transaction():
            renewal_rules.decide(
                mailing_list, 0 if chosen == _NEVER else int(chosen), form.reason.data or "",
                actor=signed_in_account(), now=now,
            )  # fmt: skip
            name = mailing_list.name
    except Invalid as error:
        put_problems(form, error)
        return _renewal_page(form, mailing_list, 422)
    flash(_("Decided for “{list}”.").format(list=name), "success")
    return redirect(url_for("admin.retention"), 303)


def _renewal_page(form: RenewalForm, mailing_list: MailingList, status: int = 200) -> tuple[str, int]:
    now, hints = clock.now(), {}
    for choice in form.months.choices:
        if choice.value != _NEVER:
            number = renewal_rules.count_due(mailing_list, int(choice.value), now)
            said = ngettext(
                "%(n)s person was not heard from for so long", "%(n)s people were not heard from for so long", number
            )
            hints[choice.value] = said % {"n": f"{number:,}"}
    return render_template(
        "admin/renewal.html", form=form, hints=hints, list=mailing_list, never=_NEVER,
        view=renewal_rules.outlook(mailing_list, now), ends=renewal_rules.silence_ends(mailing_list),
        a_day=renewal_rules.a_day(renewal_rules.count_active(mailing_list)),
    ), status  # fmt: skip
