"""The forms of this room, and how a date and a time are read from two of their fields."""

from datetime import datetime

from wtforms import RadioField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length, Optional

from newsletter import dates
from newsletter.deadlines import Deadline
from newsletter.i18n import gettext as _
from newsletter.web.form_bases import GuardedForm
from newsletter.web.reading_dates import Chosen, Unreadable, choose, read_planned_day, read_time

_DAY_HINT = _("For example, 15 January 2027")
_TIME_HINT = _("For example, 5pm")
_FOLDS = [
    SelectChoice("earlier", _("The first, before the clocks go back")),
    SelectChoice("later", _("The second, an hour after")),
]


def _day(label: str) -> StringField:
    return StringField(label, description=_DAY_HINT, render_kw={"autocomplete": "off"})


def _time(label: str) -> StringField:
    return StringField(label, description=_TIME_HINT, render_kw={"autocomplete": "off"})


def _fold() -> RadioField:
    return RadioField(
        _("The clocks go back that night, so this time comes twice. Which do you mean?"),
        choices=_FOLDS,
        validators=[Optional()],
    )


class _WithDates(GuardedForm):
    """A form with moments: `<name>_day`, `<name>_time` and `<name>_fold`, which is shown when it must be asked."""

    def read_moment(self, name: str, zone: str, *, required: bool = False) -> Chosen | None:
        """The moment that was typed, or None with the reason at its field (or with nothing typed at all)."""
        day_field, time_field, fold_field = (self[f"{name}_{part}"] for part in ("day", "time", "fold"))
        typed = [(field.data or "").strip() for field in (day_field, time_field)]
        if not any(typed) and not required:
            return None
        day = _read(day_field, read_planned_day)
        at = _read(time_field, read_time)
        if day is None or at is None:
            return None
        fold = {"earlier": dates.Fold.EARLIER, "later": dates.Fold.LATER}.get(fold_field.data or "")
        try:
            chosen = choose(day, at, zone, fold)
        except Unreadable as error:
            time_field.errors = [*time_field.errors, str(error)]
            return None
        if chosen is None:
            fold_field.errors = [*fold_field.errors, _("Say which of the two times you mean")]
        return chosen

    def asks_fold(self, name: str) -> bool:
        """Whether to show the question which of two equal times is meant."""
        return bool(self[f"{name}_fold"].data or self[f"{name}_fold"].errors)

    def put_moment(self, name: str, instant: datetime | None, zone: str) -> None:
        """Show an instant (None for none) as a local day and time."""
        if instant is not None:
            local = dates.local(instant, zone)
            self[f"{name}_day"].data = dates.day(local.date())
            self[f"{name}_time"].data = dates.clock_time(local)
            if dates.is_ambiguous(local.date(), local.time(), zone):
                self[f"{name}_fold"].data = "later" if local.fold else "earlier"

    def put_deadline(self, name: str, deadline: Deadline | None) -> None:
        if deadline is not None:
            self.put_moment(name, deadline.instant, deadline.zone)


def _read(field: StringField, read):  # type: ignore[no-untyped-def]  # any reader of one value
    try:
        return read(field.data or "")
    except Unreadable as error:
        field.errors = [*field.errors, str(error)]
        return None


class NewIssueForm(_WithDates):
    """The beginning of an issue. The deadline is that of its call for contributions."""

    title = StringField(
        _("Title"),
        description=_("What readers see it called, such as January 2027"),
        validators=[DataRequired(_("Give the issue a title, such as January 2027")), Length(max=120)],
    )
    planned_day = _day(_("Day it goes out"))
    planned_time = _time(_("Time"))
    planned_fold = _fold()
    deadline_day = _day(_("Day"))
    deadline_time = _time(_("Time"))
    deadline_fold = _fold()


class FrameForm(NewIssueForm):
    """What stands around the words: subject, preview text, name, dates, and the issue after this one."""

    subject = StringField(
        _("Subject"),
        description=_("What people read before they open it. Phones show some 40 characters, desks some 70."),
        validators=[Length(max=200, message=_("The subject must have 200 characters or fewer"))],
    )
    preheader = StringField(
        _("Preview text"),
        description=_("The line beside the subject in the inbox, 30 to 130 characters. Say what else is in the issue."),
        validators=[Length(max=200, message=_("The preview text must have 200 characters or fewer"))],
    )
    slug = StringField(
        _("Address of its web page"),
        description=_("Lower-case letters, digits and hyphens"),
        validators=[Length(max=80)],
    )
    strapline = StringField(
        _("Line below the title"),
        description=_("Empty takes the line of the list"),
        validators=[Length(max=200)],
    )
    confirmation = StringField(
        _("Bring the deadline forward, though people were told the later one"), render_kw={"autocomplete": "off"}
    )
    next_title = StringField(_("Title of the next issue"), validators=[Length(max=120)])
    next_day = _day(_("Day"))
    next_time = _time(_("Time"))
    next_fold = _fold()


class CommentForm(GuardedForm):
    """Returning an issue with a comment."""

    comment = TextAreaField(
        _("What should change?"),
        description=_("The people who write it get this in full."),
        validators=[DataRequired(_("Say what should change")), Length(max=5000)],
    )


class ReasonForm(GuardedForm):
    """Why something is cancelled; it is kept on the record."""

    reason = StringField(_("Why? (kept on the record)"), validators=[Length(max=300)])
