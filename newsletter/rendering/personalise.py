"""What differs from reader to reader: a closed set of fields, filled in after everything else.

The renderings carry them as `{unsubscribe_url}` and `{preferences_url}`. A sending run fills them in a compiled
message; here they are filled in whole texts, for previews and for mails to one person.
"""

import re
from collections.abc import Mapping
from html import escape

#: The names of the fields, without their brackets.
MERGE_FIELDS = frozenset({"unsubscribe_url", "preferences_url"})

UNSUBSCRIBE = "{unsubscribe_url}"
PREFERENCES = "{preferences_url}"

_FIELD = re.compile("|".join(re.escape(f"{{{name}}}") for name in sorted(MERGE_FIELDS)))


def fill(source: str, values: Mapping[str, str], *, html: bool) -> str:
    """`source` with each merge field replaced by its value, escaped where `html` says so.

    One pass: a value that looks like a field stays as it is, and so does every other pair of curly brackets.
    Raises ValueError for a field in `source` without a value, and for a value that is no field's.
    """
    if unknown := set(values) - MERGE_FIELDS:
        raise ValueError(f"There is no merge field {', '.join(sorted(unknown))}")

    def value(found: re.Match[str]) -> str:
        name = found[0].strip("{}")
        if name not in values:
            raise ValueError(f"The merge field {name} has no value")
        return escape(values[name]) if html else values[name]

    return _FIELD.sub(value, source)
