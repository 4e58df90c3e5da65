"""What our forms are made from. WTForms and Flask-WTF have no types: this is the one place that has to say so."""

from flask_wtf import FlaskForm
from wtforms import Form


class PlainForm(Form):  # type: ignore[misc]  # the base has no types
    """A form whose page brings its own guard, or whose posts the application's CSRF check reads."""


class GuardedForm(FlaskForm):  # type: ignore[misc]  # the base has no types
    """A form with a CSRF token of its own."""
