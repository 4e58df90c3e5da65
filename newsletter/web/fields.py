"""WTForms fields as govuk-frontend components, and the list of problems for the error summary.

The words of an error stand in the summary and at the field, the same in both. What was typed is kept, except
passwords and files, which a browser does not take back.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from markupsafe import Markup
from wtforms import Field, FieldList, Form, FormField
from wtforms import fields as kinds

from newsletter.errors import Invalid, Problem

from .components import component

Params = dict[str, Any]

#: What lets the component's script show and hide the fields of a choice.
_REVEALED_BY_SCRIPT = re.compile(r' data-aria-controls="[^"]*"| govuk-radios__conditional--hidden')
_AUTOCOMPLETE = {"email": "email", "password": "current-password"}


def _common(field: Field, options: Mapping[str, Any]) -> Params:
    attributes = dict(field.render_kw or {}) | dict(options.get("attributes") or {})
    params: Params = {
        "id": field.id,
        "name": field.name,
        "classes": " ".join(filter(None, (attributes.pop("class", ""), options.get("classes")))),
        "formGroup": {"classes": options.get("group_classes", "")},
    }
    autocomplete = options.get("autocomplete") or attributes.pop("autocomplete", None) or _AUTOCOMPLETE.get(field.name)
    attributes.pop("autocomplete", None)
    if autocomplete:
        params["autocomplete"] = autocomplete
    hint = options.get("hint") or field.description
    if hint:
        params["hint"] = {"text": hint}
    if field.errors:
        params["errorMessage"] = {"text": _first(field.errors)}
    params["attributes"] = attributes
    return params


def _heading(options: Mapping[str, Any], kind: str) -> Params:
    """How large the label or legend is: that of a field, or that of the page itself."""
    if options.get("heading"):
        return {"classes": f"govuk-{kind}--l", "isPageHeading": True}
    return {"classes": options.get("label_classes", f"govuk-{kind}--s")}


def _label(field: Field, options: Mapping[str, Any]) -> Params:
    return {"text": options.get("label") or field.label.text, **_heading(options, "label")}


def _fieldset(field: Field, options: Mapping[str, Any]) -> Params:
    legend = {"text": options.get("label") or field.label.text, **_heading(options, "fieldset__legend")}
    return {"legend": legend}


def _typed(field: Field) -> str:
    value: Any = field._value() if hasattr(field, "_value") else field.data
    return "" if value is None else str(value)


def _input(field: Field, options: Mapping[str, Any]) -> Markup:
    kind = getattr(field.widget, "input_type", "text")
    params = _common(field, options) | {"label": _label(field, options), "value": _typed(field)}
    params["type"] = kind if kind in ("email", "tel", "url", "search") else "text"
    if kind == "number":
        params["inputmode"] = "numeric"
    if kind in ("email", "url"):
        params |= {"spellcheck": False, "autocapitalize": "none"}
    for name in ("inputmode", "prefix", "suffix", "spellcheck"):
        if name in options:
            params[name] = {"text": options[name]} if name in ("prefix", "suffix") else options[name]
    return component("govukInput")(params)


def _password(field: Field, options: Mapping[str, Any]) -> Markup:
    params = _common(field, options) | {"label": _label(field, options)}
    return component("govukPasswordInput")(params)


def _textarea(field: Field, options: Mapping[str, Any]) -> Markup:
    params = _common(field, options) | {"label": _label(field, options), "value": _typed(field)}
    params["rows"] = str(options.get("rows") or params["attributes"].pop("rows", 5))
    longest = getattr(field.flags, "maxlength", None)
    if longest:
        return component("govukCharacterCount")(params | {"maxlength": longest, "threshold": "75"})
    return component("govukTextarea")(params)


def _items(field: Field, options: Mapping[str, Any]) -> list[Params]:
    hints: Mapping[str, str] = options.get("hints") or {}
    inside: Mapping[str, Markup] = options.get("inside") or {}
    items = []
    for value, text, chosen, *_ in field.iter_choices():
        item: Params = {"value": str(value), "text": str(text), "checked": chosen, "selected": chosen}
        if str(value) in hints:
            item["hint"] = {"text": hints[str(value)]}
        if str(value) in inside:
            item["conditional"] = {"html": _place_of(str(value))}
        items.append(item)
    return items


def _place_of(choice: str) -> Markup:
    """What stands for a choice's own fields until they are put in."""
    return Markup("<!-- inside {} -->").format(choice)


def _with_inside(markup: Markup, inside: Mapping[str, Markup]) -> Markup:
    """Put each choice's own fields in. The macro would indent them, and with them what stands in a text area.

    A radio button has no aria-expanded (WAI-ARIA 1.2, 6.6.11), which the component's script would give it: the style
    sheet shows the fields of the choice that is taken.
    """
    markup = Markup(_REVEALED_BY_SCRIPT.sub("", markup))  # noqa: S704 - parts of the macro's own markup are left out
    for choice, fields in inside.items():
        markup = Markup(markup.replace(_place_of(choice), fields))  # noqa: S704 - both sides are markup
    return markup


def _select(field: Field, options: Mapping[str, Any]) -> Markup:
    params = _common(field, options) | {"label": _label(field, options), "items": _items(field, options)}
    return component("govukSelect")(params)


def _choices(macro: str) -> Callable[[Field, Mapping[str, Any]], Markup]:
    def render(field: Field, options: Mapping[str, Any]) -> Markup:
        params = _common(field, options) | {"idPrefix": field.id, "fieldset": _fieldset(field, options)}
        markup = component(macro)(params | {"items": _items(field, options)})
        return _with_inside(markup, options["inside"]) if options.get("inside") else markup

    return render


def _boolean(field: Field, options: Mapping[str, Any]) -> Markup:
    params = _common(field, options) | {"idPrefix": field.id}
    item: Params = {"value": "y", "text": options.get("label") or field.label.text, "checked": bool(field.data)}
    if "hint" in params:
        item["hint"] = params.pop("hint")
    return component("govukCheckboxes")(params | {"items": [item]})


def _file(field: Field, options: Mapping[str, Any]) -> Markup:
    params = _common(field, options) | {"label": _label(field, options)}
    params["multiple"] = isinstance(field, kinds.MultipleFileField)
    return component("govukFileUpload")(params)


def _plain(field: Field, options: Mapping[str, Any]) -> Markup:  # noqa: ARG001 (called like the others)
    return Markup(field())  # noqa: S704 - WTForms' own widget, which escapes


_RENDERERS: tuple[tuple[type[Field] | tuple[type[Field], ...], Callable[[Field, Mapping[str, Any]], Markup]], ...] = (
    (kinds.HiddenField, _plain),
    (kinds.SubmitField, _plain),
    (kinds.PasswordField, _password),
    (kinds.TextAreaField, _textarea),
    (kinds.RadioField, _choices("govukRadios")),
    (kinds.SelectMultipleField, _choices("govukCheckboxes")),
    (kinds.SelectField, _select),
    (kinds.BooleanField, _boolean),
    (kinds.FileField, _file),
    ((FormField, FieldList), _plain),
)


def field_markup(field: Field, **options: Any) -> Markup:
    """One field with its label, hint and error.

    Options: `label`, `hint` (texts), `hints` ({value: text} for choices), `inside` ({value: markup} shown with a
    choice), `heading` (the label is the page's h1), `classes`, `group_classes`, `label_classes`, `autocomplete`,
    `inputmode`, `prefix`, `suffix`, `rows`, `attributes`. A date is a text input: people paste and dictate dates,
    and the form reads them in words.
    """
    for kind, render in _RENDERERS:
        if isinstance(field, kind):
            return render(field, options)
    return _input(field, options)


def _first(errors: Iterable[Any]) -> str:
    return str(next(iter(errors)))


def _wrong_fields(form: Form) -> Iterator[tuple[Field, str]]:
    for field in form:
        if isinstance(field, FormField):
            yield from _wrong_fields(field.form)
        elif isinstance(field, FieldList):
            for entry in field.entries:
                if isinstance(entry, FormField):
                    yield from _wrong_fields(entry.form)
                elif entry.errors:
                    yield entry, _first(entry.errors)
        elif field.errors:
            yield field, _first(field.errors)


def problem_list(form: Form | None = None, problems: Iterable[Problem] = ()) -> list[dict[str, str]]:
    """What the error summary lists, in the form's order: {"text": …, "href": "#field"}.

    `problems` are those that belong to no form: their `field` is the id of what they are about, or "".
    """
    listed = [{"text": text, "href": f"#{field.id}"} for field, text in _wrong_fields(form)] if form else []
    if form and form.form_errors:
        listed += [{"text": str(text)} for text in form.form_errors]
    for problem in problems:
        listed.append({"text": problem.sentence} | ({"href": f"#{problem.field}"} if problem.field else {}))
    return listed


def put_problems(form: Form, error: Invalid) -> None:
    """Show the problems of a verb at the fields they name; those that name none of them, in the summary."""
    for problem in error.problems:
        if problem.field in form:
            field = form[problem.field]
            field.errors = [*field.errors, problem.sentence]
        else:
            form.form_errors = [*form.form_errors, problem.sentence]
