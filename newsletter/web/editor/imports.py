"""Bringing people in from a file: understood, looked through, brought in, and what came of each line."""

from typing import Any
from uuid import UUID

from flask import Response as FlaskResponse
from flask import flash, render_template, request
from werkzeug.wrappers import Response
from wtforms.fields.choices import SelectChoice

from newsletter import clock, dates
from newsletter.config import current_settings
from newsletter.db import transaction
from newsletter.domain.staff.permissions import Permission, require
from newsletter.domain.subscribers import import_files, import_runs, import_uploads
from newsletter.domain.subscribers.moving_in import KIND_WORDS, Kind
from newsletter.errors import Invalid, Problem, Refused
from newsletter.i18n import gettext as _
from newsletter.models import ImportRun
from newsletter.states import ImportState
from newsletter.web.access import signed_in_account, staff
from newsletter.web.fields import put_problems
from newsletter.web.large_files import takes_large_files

from .import_forms import COLUMN_WORDS, DescribeForm, UploadForm, chosen_columns, column_fields, size_words
from .import_words import counts, done_words, encoding_words, looked_words
from .room import blueprint, lists_for, page, to

_MANAGE = Permission.MANAGE_SUBSCRIBERS
_UNDER = "editor.subscribers"


@blueprint.route("/desk/subscribers/imports", methods=["GET", "POST"])
@takes_large_files
@staff(_MANAGE)
def imports() -> tuple[str, int] | Response:
    """Upload a file; and the imports there were."""
    account = signed_in_account()
    lists = lists_for(account, _MANAGE)
    form = UploadForm(request.form)
    form.file.description = size_words(current_settings().import_megabytes)
    form.list.choices = [SelectChoice(each.slug, each.name) for each in lists]
    if request.method == "POST":
        upload = request.files.get("file")
        chosen = next((each for each in lists if each.slug == form.list.data), lists[0] if len(lists) == 1 else None)
        try:
            if upload is None or not upload.filename:
                raise Invalid([Problem("file", _("Choose a file"))])
            if chosen is None:
                raise Invalid([Problem("list", _("Choose the list they are to get"))])
            run = import_uploads.begin(chosen, upload.filename, upload.stream, actor=account, now=clock.now())
        except Invalid as error:
            put_problems(form, error)
        else:
            return to("import_run", key=run.public_id)
    runs = import_runs.recent([each.id for each in lists])
    rows = [{"run": run, "when": dates.moment(run.created_at, run.mailing_list.timezone)} for run in runs]
    return page("imports.html", under=_UNDER, status=422 if form.errors else 200, form=form, lists=lists, rows=rows)


def _find(key: UUID) -> ImportRun:
    run = import_runs.find(key)
    require(signed_in_account(), _MANAGE, run.mailing_list)
    return run


@blueprint.get("/desk/subscribers/imports/<uuid:key>")
@staff(_MANAGE)
def import_run(key: UUID) -> tuple[str, int]:
    """One import, wherever it stands."""
    run = _find(key)
    # Until somebody says otherwise, people are asked.
    agreed = bool(run.source) and not run.ask_them
    form = DescribeForm(source=run.source, note=run.basis_note, how="agreed" if agreed else "ask")
    return _page(run, form)


@blueprint.post("/desk/subscribers/imports/<uuid:key>/look")
@staff(_MANAGE)
def import_look(key: UUID) -> tuple[str, int] | Response:
    """Say what is what, and look through the file: nothing is changed."""
    run, form, now = _find(key), DescribeForm(request.form), clock.now()
    try:
        with transaction():
            import_uploads.describe(
                run,
                chosen_columns(import_uploads.layouts(run), request.form),
                source=form.source.data or "",
                note=form.note.data or "",
                ask_them=form.how.data == "ask",
                now=now,
            )
            import_runs.start(run, look=True, actor=signed_in_account(), now=now)
    except Invalid as error:
        put_problems(form, error)
        return _page(run, form, [each for each in error.problems if each.field.startswith("columns-")], 422)
    except Refused as error:
        flash(str(error), "problem")
    return to("import_run", key=key)


def _control(key: UUID, verb: Any, **values: Any) -> Response:
    run = _find(key)
    try:
        with transaction():
            verb(run, actor=signed_in_account(), now=clock.now(), **values)
    except Refused as error:
        flash(str(error), "problem")
    return to("import_run", key=key)


@blueprint.post("/desk/subscribers/imports/<uuid:key>/start")
@staff(_MANAGE)
def import_start(key: UUID) -> Response:
    """Bring them in."""
    return _control(key, import_runs.start, look=False)


@blueprint.post("/desk/subscribers/imports/<uuid:key>/stop")
@staff(_MANAGE)
def import_stop(key: UUID) -> Response:
    """Stop; who was brought in stays."""
    return _control(key, import_runs.stop)


@blueprint.post("/desk/subscribers/imports/<uuid:key>/go-on")
@staff(_MANAGE)
def import_go_on(key: UUID) -> Response:
    """Go on where it was."""
    return _control(key, import_runs.go_on)


@blueprint.post("/desk/subscribers/imports/<uuid:key>/remove")
@staff(_MANAGE)
def import_remove(key: UUID) -> Response:
    """Remove the file and the report."""
    run = _find(key)
    try:
        with transaction():
            import_runs.discard(run)
    except Refused as error:
        flash(str(error), "problem")
        return to("import_run", key=key)
    flash(_("The file and its report were removed. Whoever was brought in stays."), "success")
    return to("imports")


@blueprint.get("/desk/subscribers/imports/<uuid:key>/part")
@staff(_MANAGE)
def import_part(key: UUID) -> FlaskResponse:
    """The progress, which fetches itself again until there is another page to see."""
    run = _find(key)
    if run.state is not ImportState.RUNNING:
        return FlaskResponse("", headers={"HX-Refresh": "true"})
    return FlaskResponse(render_template("editor/_import_progress.html", **_progress(run)))


@blueprint.post("/desk/subscribers/imports/<uuid:key>/report.csv")
@staff(_MANAGE)
def import_report(key: UUID) -> Response:
    """The lines that nobody came of, for a spreadsheet."""
    run = _find(key)
    require(signed_in_account(), Permission.SEE_ADDRESSES, run.mailing_list)
    path = import_files.report_of(run.public_id)
    if not path.is_file():
        flash(_("The report is no longer kept."), "problem")
        return to("import_run", key=key)
    name = f"import-{run.created_at:%Y-%m-%d}.csv"
    return FlaskResponse(
        path.read_bytes(),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


def _progress(run: ImportRun) -> dict[str, Any]:
    total = max(1, run.rows)
    return {
        "run": run,
        "look": import_runs.is_look(run),
        "bar": [{"number": min(run.done_rows, total), "kind": "good"}],
        "bar_words": _("{done} of {total} lines").format(done=f"{run.done_rows:,}", total=f"{total:,}"),
        "total": total,
    }


def _page(
    run: ImportRun, form: DescribeForm, problems: list[Problem] | None = None, status: int = 200
) -> tuple[str, int]:
    layouts = import_uploads.layouts(run)
    return page(
        "import.html",
        under=_UNDER,
        status=status,
        form=form.for_list(run.mailing_list),
        problems=problems or [],
        kind=KIND_WORDS[Kind(run.mapping["kind"])],
        files=[
            {
                "encoding": encoding_words(layout.encoding),
                "delimiter": {",": _("commas"), ";": _("semicolons"), "\t": _("tabs")}[layout.delimiter],
                "header": layout.header,
                "fields": column_fields(index, layout, request.form),
            }
            for index, layout in enumerate(layouts)
        ],
        column_words=COLUMN_WORDS,
        looked=import_runs.looked(run),
        counts=counts(run),
        refused=_refused(run),
        looked_words=looked_words(run),
        done_words=done_words(run),
        timezone=run.mailing_list.timezone,
        **_progress(run),
    )


def _refused(run: ImportRun) -> list[list[str]]:
    return import_files.first_lines(run.public_id, 20) if run.state is not ImportState.RUNNING and run.counts else []
