"""What mail programs can do, distilled from the data behind caniemail.com into tests/fixtures/mail_programs.json.

Run by hand when there is newer data, with the file that is published as https://www.caniemail.com/api/data.json and
in the npm package `caniemail` (data/caniemail.json):

    python -m tests.rendering.mail_programs_data caniemail.json "the npm package caniemail 2.0.2"

The fixture has every HTML and CSS feature, with the support of the newest tested version of each program in a
family; a family is as good as its worst program. The data is MIT-licensed, Copyright (c) 2019 HTeuMeuLeu.
"""

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

FIXTURE = Path(__file__).parents[1] / "fixtures" / "mail_programs.json"

#: The five families, and whose tests count for each: (family, platform) of the data.
FAMILIES = {
    "outlook": [("outlook", "windows")],
    "gmail": [("gmail", platform) for platform in ("desktop-webmail", "ios", "android", "mobile-webmail")],
    "apple": [("apple-mail", platform) for platform in ("macos", "ios")],
    "outlook.com": [("outlook", "outlook-com")],
    "yahoo": [("yahoo", platform) for platform in ("desktop-webmail", "ios", "android")],
}
#: From worst to best: no, partly, yes. What was not tested says nothing beside what was.
_WORST_FIRST = "nayu"

LICENCE = """MIT License. Copyright (c) 2019 HTeuMeuLeu.
Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:
The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.
THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE."""


def distil(data: dict[str, Any], taken_from: str) -> dict[str, Any]:
    """The fixture's content from the whole of the published data."""
    features = {one["slug"]: _feature(one) for one in data["data"] if one["category"] in ("html", "css")}
    return {
        "source": f"caniemail.com, data of {data['last_update_date'][:10]}, from {taken_from}",
        "licence": LICENCE.split("\n"),
        "support": {"y": "yes", "a": "partly", "n": "no", "u": "not tested"},
        "features": dict(sorted(features.items())),
    }


def _feature(one: dict[str, Any]) -> dict[str, str]:
    found = {family: _newest(one["stats"], programs) for family, programs in FAMILIES.items()}
    feature = {family: min((cell[0] for cell in cells), key=_WORST_FIRST.index, default="u")
               for family, cells in found.items()}  # fmt: skip
    numbers = sorted({number for cells in found.values() for cell in cells for number in re.findall(r"#(\d+)", cell)})
    notes = " ".join((one.get("notes_by_num") or {}).get(number, "") for number in numbers)
    return {**feature, "notes": " ".join(notes.split())}


def _newest(stats: dict[str, Any], programs: Iterable[tuple[str, str]]) -> list[str]:
    """One cell ("y", "a #1 #2", "n" …) for each program: the last version that was tested."""
    tested = (stats.get(family, {}).get(platform) for family, platform in programs)
    return [list(versions.values())[-1] for versions in tested if versions]


def write(content: dict[str, Any]) -> None:
    """One line a feature, so that a newer version can be compared by eye."""
    features = content.pop("features")
    head = json.dumps(content, indent=1, ensure_ascii=False).removesuffix("\n}")
    lines = ",\n".join(f"  {json.dumps(slug)}: {json.dumps(one, ensure_ascii=False)}" for slug, one in features.items())
    FIXTURE.write_text(f'{head},\n "features": {{\n{lines}\n }}\n}}\n', encoding="utf-8")


if __name__ == "__main__":
    write(distil(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), sys.argv[2]))
