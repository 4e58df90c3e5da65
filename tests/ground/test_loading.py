"""What a process loads, it keeps for as long as it lives: the mailer's loads nothing that only pages need."""

import subprocess
import sys
from pathlib import Path

#: Each for a reason of its own is large, or large together with what it brings along.
_LARGE = {
    *("flask_security", "flask_wtf", "wtforms", "passlib", "webauthn", "cryptography", "OpenSSL", "qrcode", "PIL"),
    *("flask_migrate", "alembic", "mako", "pygments", "mammoth", "icalendar", "holidays", "lxml", "mjml"),
    *("imapclient", "dns", "dkim", "procrastinate", "prometheus_client", "playwright", "pytest"),
}
_MAKE_APP = """
import sys
from pathlib import Path
from newsletter import jobs
from newsletter.app import create_app
from newsletter.bench import sending
from newsletter.cli import main, serving
from newsletter.config import Settings
from newsletter.schema import newest_version, schema_version
folder = Path(sys.argv[1])
settings = Settings(
    data_dir=folder,
    database_url=f"sqlite:///{folder}/none.db",
    public_url="https://news.example.org",
    secret_keys=("a-test-key-that-is-long-enough-to-be-used",),
)
app = create_app(settings, pages=PAGES)
with app.app_context():
    assert schema_version() is None and newest_version()
print(*{name.partition(".")[0] for name in sys.modules})
print(*(name for name in sys.modules if name.startswith("newsletter.web")))
"""


def _loaded(folder: Path, *, pages: bool) -> tuple[set[str], set[str]]:
    """The packages that a process has loaded, and of ours the pages."""
    program = _MAKE_APP.replace("PAGES", str(pages))
    done = subprocess.run([sys.executable, "-c", program, str(folder)], check=True, capture_output=True, text=True)
    packages, ours = done.stdout.splitlines()
    return set(packages.split()), set(ours.split())


def test_a_worker_loads_nothing_that_only_pages_need(tmp_path: Path) -> None:
    packages, ours = _loaded(tmp_path, pages=False)
    assert packages & _LARGE == set()
    assert ours == set()


def test_the_command_line_alone_loads_next_to_nothing() -> None:
    program = "import sys, newsletter.cli.main; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert set(done.stdout.split()) & (_LARGE | {"sqlalchemy", "flask"}) == set()


def test_the_pages_would_be_noticed(tmp_path: Path) -> None:
    packages, ours = _loaded(tmp_path, pages=True)
    assert {"flask_security", "wtforms"} < packages
    assert "newsletter.web" in ours
