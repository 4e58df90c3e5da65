"""The forms of these pages."""

from wtforms import EmailField, HiddenField, PasswordField, StringField

from ...i18n import gettext as _
from ..form_bases import PlainForm


class SignInForm(PlainForm):
    """Who, and the password."""

    email = EmailField(_("Email address"))
    password = PasswordField(_("Password"))
    next = HiddenField()


class CodeForm(PlainForm):
    """The six digits of the app, or a code on paper."""

    code = StringField(_("Code"), render_kw={"autocomplete": "one-time-code"})


class EmailForm(PlainForm):
    """Whose password was forgotten."""

    email = EmailField(_("Email address"))


class NewPasswordForm(PlainForm):
    """A new password, typed once: it can be shown."""

    password = PasswordField(_("New password"), render_kw={"autocomplete": "new-password"})


class ChangePasswordForm(PlainForm):
    """The old password and the new one."""

    current = PasswordField(_("Password you have now"), render_kw={"autocomplete": "current-password"})
    password = PasswordField(_("New password"), render_kw={"autocomplete": "new-password"})


class ConfirmForm(PlainForm):
    """The password once more, before something that matters."""

    password = PasswordField(_("Your password"))
