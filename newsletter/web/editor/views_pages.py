"""Answers to calls for views: the questions that were asked, what was answered, closing, and deleting after use."""

import uuid

from flask import Response as FlaskResponse
from flask import flash
from werkzeug.wrappers import Response

from newsletter import clock
from newsletter.db import transaction
from newsletter.domain.calls.asking_views import views, views_reading
from newsletter.domain.calls.asking_views.views_reading import Standing
from newsletter.domain.issues.content import address
from newsletter.domain.staff import activity
from newsletter.domain.staff.permissions import Permission, require
from newsletter.errors import Conflict, NotFound
from newsletter.i18n import gettext as _
from newsletter.i18n import ngettext
from newsletter.models import ViewsPage
from newsletter.rendering import rich
from newsletter.web.access import signed_in_account, staff

from .room import blueprint, lists_for, page, to

_UNDER = "editor.contributions"


@blueprint.get("/desk/views")
@staff(Permission.TRIAGE_CONTRIBUTIONS)
def views_pages() -> tuple[str, int]:
    """The questions, newest first."""
    pages = views_reading.pages_of(lists_for(signed_in_account(), Permission.TRIAGE_CONTRIBUTIONS))
    now = clock.now()
    rows = [(each, views_reading.number_of_answers(each), views_reading.standing(each, now)) for each in pages]
    return page("views.html", under=_UNDER, rows=rows, Standing=Standing)


@blueprint.get("/desk/views/<uuid:public_id>")
@staff(Permission.TRIAGE_CONTRIBUTIONS)
def views_answers(public_id: uuid.UUID) -> tuple[str, int]:
    """One question, and what was answered."""
    found, now = _find(public_id), clock.now()
    standing = views_reading.standing(found, now)
    return page(
        "views_answers.html",
        under=_UNDER,
        issue=found.issue,
        found=found,
        words=rich.to_web(found.explanation),
        answers=views_reading.answers_to(found),
        number=views_reading.number_of_answers(found),
        standing=standing,
        Standing=Standing,
        may_purge=found.purged_at is None and standing is not Standing.OPEN,
        url=address(f"/views/{found.public_id}"),
        deleted_on=found.deadline_at + views.KEPT_AFTER_CLOSING if found.deadline_at else None,
    )


@blueprint.post("/desk/views/<uuid:public_id>/answers.csv")
@staff(Permission.TRIAGE_CONTRIBUTIONS)
def views_csv(public_id: uuid.UUID) -> Response:
    """The answers as a spreadsheet. That they were taken out is on record."""
    found, now = _find(public_id), clock.now()
    lines = list(views_reading.csv_lines(found))
    with transaction():
        activity.record(
            "views.exported", actor=signed_in_account(), now=now, issue=found.issue,
            subject=("views page", found.id), number=len(lines) - 1,
        )  # fmt: skip
    return FlaskResponse(
        "".join(lines),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{found.issue.slug}-views.csv"'},
    )


@blueprint.post("/desk/views/<uuid:public_id>/close")
@staff(Permission.TRIAGE_CONTRIBUTIONS)
def views_close(public_id: uuid.UUID) -> Response:
    """Take no more answers."""
    found = _find(public_id)
    try:
        with transaction():
            views.close_early(found, actor=signed_in_account(), now=clock.now())
        flash(_("It is closed. Who has begun an answer can still send it for 15 minutes."), "success")
    except Conflict as error:
        flash(str(error), "problem")
    return to("views_answers", public_id=public_id)


@blueprint.post("/desk/views/<uuid:public_id>/reopen")
@staff(Permission.TRIAGE_CONTRIBUTIONS)
def views_reopen(public_id: uuid.UUID) -> Response:
    """Take answers again, until the day that readers were told."""
    found = _find(public_id)
    try:
        with transaction():
            views.reopen(found, actor=signed_in_account(), now=clock.now())
        flash(_("It takes answers again."), "success")
    except Conflict as error:
        flash(str(error), "problem")
    return to("views_answers", public_id=public_id)


@blueprint.get("/desk/views/<uuid:public_id>/delete")
@staff(Permission.TRIAGE_CONTRIBUTIONS)
def views_delete(public_id: uuid.UUID) -> Response | tuple[str, int]:
    """Ask before the answers are deleted."""
    found = _find(public_id)
    if found.purged_at is not None or views_reading.standing(found, clock.now()) is Standing.OPEN:
        return to("views_answers", public_id=public_id)
    number = views_reading.number_of_answers(found)
    return page("views_delete.html", under=_UNDER, issue=found.issue, found=found, number=number)


@blueprint.post("/desk/views/<uuid:public_id>/delete")
@staff(Permission.TRIAGE_CONTRIBUTIONS)
def views_purge(public_id: uuid.UUID) -> Response:
    """Delete the answers for good."""
    found = _find(public_id)
    try:
        with transaction():
            number = views.purge(found, actor=signed_in_account(), now=clock.now())
        said = ngettext("%(number)s answer is deleted.", "%(number)s answers are deleted.", number)
        flash(said % {"number": number}, "success")
    except Conflict as error:
        flash(str(error), "problem")
    return to("views_answers", public_id=public_id)


def _find(public_id: uuid.UUID) -> ViewsPage:
    found = views_reading.find_page(public_id)
    if found is None:
        raise NotFound(_("There is no call for views at this address."))
    require(signed_in_account(), Permission.TRIAGE_CONTRIBUTIONS, found.issue.mailing_list)
    return found
