"""The forms of these pages."""

from wtforms import EmailField, Form, HiddenField, PasswordField, StringField

from ...i18n import gettext as _


class SignInForm(Form):  # type: ignore[misc]
    """Who, and the password."""

    email = EmailField(_("Email address"))
    password = PasswordField(_("Password"))
    next = HiddenField()


class CodeForm(Form):  # type: ignore[misc]
    """The six digits of the app, or a code on paper."""

    code = StringField(_("Code"), render_kw={"autocomplete": "one-time-code"})


class EmailForm(Form):  # type: ignore[misc]
    """Whose password was forgotten."""

    email = EmailField(_("Email address"))


class NewPasswordForm(Form):  # type: ignore[misc]
    """A new password, typed once: it can be shown."""

    password = PasswordField(_("New password"), render_kw={"autocomplete": "new-password"})


class ChangePasswordForm(Form):  # type: ignore[misc]
    """The old password and the new one."""

    current = PasswordField(_("Password you have now"), render_kw={"autocomplete": "current-password"})
    password = PasswordField(_("New password"), render_kw={"autocomplete": "new-password"})


class ConfirmForm(Form):  # type: ignore[misc]
    """The password once more, before something that matters."""

    password = PasswordField(_("Your password"))
