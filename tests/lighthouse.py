"""Lighthouse's accessibility score of every public page, those behind a reader's links too, on a running demo.

    npm install --prefix /tmp/lighthouse lighthouse
    newsletter serve --demo                                                      # in another window
    python -m tests.lighthouse http://localhost:8000 var --lighthouse /tmp/lighthouse/node_modules/.bin/lighthouse

The links are made with the keys in the data directory, for a reader of the demo; nothing is changed. It prints a line a
page and ends with 1 if any is below 100. It takes some ten seconds a page, so it is run by hand and before a release.
"""

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import uuid
from contextlib import closing
from pathlib import Path

from newsletter.tokens import Purpose, Signer, unsubscribe_token

_OPEN = (
    "/",
    "/subscribe",
    "/check-inbox",
    "/news",
    "/privacy",
    "/accessibility",
    "/complaints",
    "/sign-in",
    "/contribute",
)
_FLAGS = "--headless=new --no-sandbox --disable-gpu"


def pages(data_dir: Path) -> list[str]:
    """The paths to look at: those anybody knows, an issue, and those that hang on links in mails."""
    keys = tuple((data_dir / "secret_keys").read_text().split())
    with closing(sqlite3.connect(data_dir / "newsletter.db")) as database:
        (number,) = database.execute("SELECT public_id FROM subscription WHERE state = 'active' LIMIT 1").fetchone()
        (slug,) = database.execute("SELECT slug FROM issue WHERE state = 'sent' ORDER BY id DESC LIMIT 1").fetchone()
        (other,) = database.execute("SELECT slug FROM mailing_list WHERE public ORDER BY id DESC LIMIT 1").fetchone()
    public_id = uuid.UUID(number)
    preferences = f"/preferences/{Signer(keys).sign_id(Purpose.PREFERENCES, public_id)}"
    behind_links = (preferences, f"{preferences}/join/{other}", f"{preferences}/leave")
    return [*_OPEN, f"/news/{slug}", *behind_links, f"/u/{unsubscribe_token(keys, public_id)}"]


def score(program: str, url: str) -> tuple[int, list[str]]:
    """Out of 100, and the audits that failed."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        words = [program, url, "--only-categories=accessibility", f"--chrome-flags={_FLAGS}", "--quiet"]
        environment = {"CHROME_PATH": "/usr/bin/chromium", **os.environ}
        subprocess.run([*words, "--output=json", f"--output-path={report}"], check=True, env=environment)
        found = json.loads(report.read_text())
    failed = [name for name, audit in found["audits"].items() if audit["score"] == 0]
    return round(100 * found["categories"]["accessibility"]["score"]), failed


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.lighthouse", description=__doc__)
    parser.add_argument("address")
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--lighthouse", default="lighthouse", help="the program")
    options = parser.parse_args()
    lowest = 100
    for path in pages(options.data_dir):
        points, failed = score(options.lighthouse, options.address.rstrip("/") + path)
        print(f"{points:3}  {path[:60]}  {' '.join(failed)}".rstrip(), flush=True)
        lowest = min(lowest, points)
    sys.exit(lowest < 100)


if __name__ == "__main__":
    main()
