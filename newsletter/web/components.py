"""The macros of govuk-frontend-jinja as plain functions: `govukInput({...})` in any template, without an import.

They live in an environment of their own, because they test for parameters that were not given, which our own
templates (StrictUndefined) must not do by accident. Everything passed as `text` is escaped there; `html` is
not, so only Markup that our own templates made goes into it.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, PrefixLoader
from markupsafe import Markup

#: Each macro by its folder in the package.
COMPONENTS = {
    "govukBackLink": "back-link",
    "govukButton": "button",
    "govukCharacterCount": "character-count",
    "govukCheckboxes": "checkboxes",
    "govukDetails": "details",
    "govukErrorSummary": "error-summary",
    "govukFileUpload": "file-upload",
    "govukInput": "input",
    "govukInsetText": "inset-text",
    "govukPagination": "pagination",
    "govukPasswordInput": "password-input",
    "govukRadios": "radios",
    "govukSelect": "select",
    "govukSkipLink": "skip-link",
    "govukSummaryList": "summary-list",
    "govukTag": "tag",
    "govukTaskList": "task-list",
    "govukTextarea": "textarea",
    "govukWarningText": "warning-text",
}

Component = Callable[[Mapping[str, Any]], Markup]


@cache
def _environment() -> Environment:
    loader = PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})
    return Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)


@cache
def component(name: str) -> Component:
    """The macro `name` ("govukInput") as a function of its parameters. Raises KeyError for one we do not use."""
    template = _environment().get_template(f"govuk_frontend_jinja/components/{COMPONENTS[name]}/macro.html")
    macro = getattr(template.module, name)

    def render(params: Mapping[str, Any]) -> Markup:
        return Markup(str(macro(params)).strip())  # noqa: S704 - the macro has escaped its parameters

    return render


def components() -> dict[str, Component]:
    """Every macro we use, by name."""
    return {name: component(name) for name in COMPONENTS}
