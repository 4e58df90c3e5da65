"""The whole examination, at once and at the command line: what is printed, how it ends, and what it never says."""

import io
import json
import socket
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask_migrate import stamp

from newsletter import clock
from newsletter.app import create_app
from newsletter.cli import main
from newsletter.config import Settings
from newsletter.db import db
from newsletter.doctor.examination import Examination, Step, guarded
from newsletter.doctor.findings import Area, Finding, Health, worst
from newsletter.doctor.kept import last_probe
from newsletter.mail.names import NoNames
from newsletter.resources import data_dir
from newsletter.schema import install_history
from newsletter.work.runners import SilentRunner
from tests.doctor.reading import good, unknown, wrong
from tests.doctor.signing import received, signed
from tests.doctor.web_servers import HOST, served
from tests.name_server import NameServer
from tests.people import larkmere, staff
from tests.smtp_servers import AcceptingServer, Authority

Command = Callable[..., SimpleNamespace]
PASSWORD = "correct-horse/battery"


def test_an_installation_in_good_health(settings: Settings, authority: Authority) -> None:
    """Everything real: mail server with TLS and sign-in, name server, the product behind its public address."""
    zone = {
        ("example.org", "MX"): ["10 mail.example.org."],
        ("mail.example.org", "A"): ["192.0.2.1"],
        ("example.org", "TXT"): ['"v=spf1 mx -all"'],
        ("_dmarc.example.org", "TXT"): ['"v=DMARC1; p=none; rua=mailto:dmarc@example.org"'],
    }
    with (
        socket.create_server((HOST, 0)) as listener,
        AcceptingServer(tls=authority.server(), login=("larkmere", PASSWORD)) as mail,
        NameServer(zone) as server,
    ):
        settings = replace(
            settings,
            public_url=f"http://{HOST}:{listener.getsockname()[1]}",
            relay_url=mail.url_for("larkmere", "correct-horse%2Fbattery"),
            relay_ca_file=authority.file,
        )
        app = create_app(settings, runner=SilentRunner())
        with app.app_context(), served(app, listener):
            db.create_all()
            install_history(app)
            stamp(directory=str(data_dir("migrations")))
            larkmere(clock.now())
            examination = Examination(app, clock=clock.now, names=server.names())
            found = [finding for step in examination.steps() for finding in examination.run(step)]
            db.session.remove()
            db.engine.dispose()
    assert not wrong(found) + unknown(found)
    assert {finding.area for finding in found} >= {Area.DATA, Area.SETTINGS, Area.NAMES, Area.RELAY, Area.OUTSIDE}
    assert "lets us in with the user name and password" in good(found)
    assert "One-click unsubscribe gets through" in good(found)


def test_a_check_that_breaks_is_a_finding_and_no_secret_leaves(settings: Settings) -> None:
    settings = replace(
        settings,
        relay_url="smtps://larkmere:pass%2Fword@mail.example.org",
        database_url="postgresql+psycopg://news:hush-hush@db/news",
        inbound_url="imaps://bounces:imap-secret@mail.example.org/INBOX",
        oauth_client_secret="client-secret",
    )

    def look() -> Iterable[Finding]:
        spoken = f"pass/word pass%2Fword hush-hush imap-secret client-secret {settings.secret_keys[0]}"
        yield Finding(Area.RELAY, Health.WRONG, f"It said {spoken}.", f"Try {spoken}.")
        raise ZeroDivisionError("hush-hush")

    first, second = guarded(Area.RELAY, look, settings)
    assert first.sentence == "It said … … … … … …."
    assert first.what_to_do == "Try … … … … … …."
    assert second.state is Health.UNKNOWN
    assert second.sentence == "A check failed by a fault of this program (ZeroDivisionError)."


def test_the_worst_finding_counts() -> None:
    def of(*states: Health) -> Health:
        return worst([Finding(Area.DATA, state, "") for state in states])

    assert of() is Health.GOOD
    assert of(Health.GOOD, Health.UNKNOWN) is Health.UNKNOWN
    assert of(Health.UNKNOWN, Health.WARNING, Health.GOOD) is Health.WARNING
    assert of(Health.WARNING, Health.WRONG) is Health.WRONG


def test_a_database_that_cannot_be_read_leaves_the_rest_to_be_looked_at(settings: Settings) -> None:
    app = create_app(settings, runner=SilentRunner())
    with app.app_context():
        examination = Examination(app, clock=clock.now, names=NoNames("Nobody can be asked"), offline=True)
        found = [finding for step in examination.steps() for finding in examination.run(step)]
    assert wrong(found).startswith("There is no database yet")
    assert unknown(found).count("(--offline)") == 4
    assert isinstance(examination.steps()[0], Step)


# --- at the command line -----------------------------------------------------------------------------------------


@pytest.fixture
def mail_server() -> Iterator[AcceptingServer]:
    with AcceptingServer() as server:
        yield server


@pytest.fixture
def newsletter(
    tmp_path: Path, mail_server: AcceptingServer, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Command:
    """`newsletter …` as typed, with a mail server set: exit status, standard output, standard error."""
    monkeypatch.setenv("NEWSLETTER_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("NEWSLETTER_RELAY_URL", mail_server.url)
    for name in ("DATABASE_URL", "PUBLIC_URL", "BOUNCE_DOMAIN", "INBOUND_URL", "RELAY_CA_FILE"):
        monkeypatch.delenv(f"NEWSLETTER_{name}", raising=False)

    def run(*arguments: str, stdin: bytes = b"") -> SimpleNamespace:
        monkeypatch.setattr(sys, "argv", ["newsletter", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capfd.readouterr()
        try:
            main()
            status: object = 0
        except SystemExit as ended:
            status = ended.code or 0
        said = capfd.readouterr()
        return SimpleNamespace(status=status, out=said.out, err=said.err)

    return run


def _unwrapped(ended: SimpleNamespace) -> str:
    """What was printed, each sentence in one line again."""
    return str(ended.out).replace("\n           ", " ")


def test_a_bare_machine_is_left_bare(newsletter: Command, tmp_path: Path) -> None:
    looked = newsletter("doctor", "--offline")
    assert looked.status == 1
    assert "There is no database yet" in looked.out
    assert "→ Start newsletter serve, or run newsletter migrate." in looked.out
    assert looked.err == ""
    assert [path.name for path in (tmp_path / "var").iterdir()] == ["secret_keys"]


def test_what_migrate_makes_is_its_owner_s_alone(newsletter: Command) -> None:
    newsletter("migrate")
    looked = newsletter("doctor", "--offline")
    assert looked.status == 0
    assert "is its owner's alone" in _unwrapped(looked)
    assert "The tables are of this version of the program" in _unwrapped(looked)
    assert looked.out.splitlines()[-1].endswith("good.")


def test_for_machines(newsletter: Command) -> None:
    newsletter("migrate")
    looked = newsletter("doctor", "--offline", "--json")
    report = json.loads(looked.out)
    assert report["state"] == "warning"
    assert {"area", "state", "sentence", "what_to_do"} == set(report["findings"][0])


def test_a_setting_that_cannot_be_used_is_a_finding(newsletter: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSLETTER_RELAY_URL", "smtp://larkmere:very-secret@mail.example.org")
    looked = newsletter("doctor", "--json")
    assert looked.status == 1
    assert "without encryption" in json.loads(looked.out)["findings"][0]["sentence"]
    assert "very-secret" not in looked.out + looked.err


def test_a_probe_and_what_became_of_it(newsletter: Command, mail_server: AcceptingServer, tmp_path: Path) -> None:
    newsletter("migrate")
    newsletter("lists", "create", "news", "--name", "News", "--sender", "newsletter@example.org")
    refused = newsletter("doctor", "--probe", "ruth@example.org")
    assert (refused.status, refused.out) == (1, "")
    assert refused.err.startswith("This installation sends to its team only.")
    with create_app().app_context():
        staff(datetime(2026, 12, 7, tzinfo=UTC))
        db.session.remove()
        db.engine.dispose()

    sent = newsletter("doctor", "--probe", "ruth@example.org")
    assert sent.status == 0
    assert "→ newsletter doctor --received FILE" in sent.out
    probe = last_probe(tmp_path / "var")
    assert probe is not None
    assert mail_server.accepted[0].message == probe.message

    arrived = received(signed(probe.message), return_path=probe.sender)
    (tmp_path / "probe.eml").write_bytes(arrived)
    by_file = newsletter("doctor", "--received", str(tmp_path / "probe.eml"), "--offline")
    assert "covers List-Unsubscribe and List-Unsubscribe-Post" in _unwrapped(by_file)
    assert "Both bodies, HTML and plain text, arrived as they were sent." in by_file.out
    piped = newsletter("doctor", "--received", "-", "--offline", stdin=arrived)
    assert piped.out == by_file.out


def test_a_probe_sent_and_read_in_one_go(
    newsletter: Command, mail_server: AcceptingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mail server here does not deliver, so what it took is put into the Maildir while the doctor waits."""
    for name in ("new", "cur"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("NEWSLETTER_INBOUND_URL", f"maildir:{tmp_path}")
    newsletter("migrate")
    newsletter("lists", "create", "news", "--name", "News", "--sender", "newsletter@example.org")
    nothing = newsletter("doctor", "--mailbox", "--json")
    assert nothing.status == 1
    assert json.loads(nothing.out)["findings"][0]["sentence"].startswith("No probe was sent from here")
    with create_app().app_context():
        staff(datetime(2026, 12, 7, tzinfo=UTC))
        db.session.remove()
        db.engine.dispose()

    def deliver(seconds: float) -> None:
        (tmp_path / "new" / "1.probe").write_bytes(mail_server.accepted[0].message)

    monkeypatch.setattr("newsletter.cli.doctor.time.sleep", deliver)
    looked = newsletter("doctor", "--probe", "ruth@example.org", "--mailbox")
    assert looked.status == 1, "nobody signed it"
    assert "The mail carries no DKIM signature" in looked.out
    assert "Both bodies, HTML and plain text, arrived as they were sent." in looked.out


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["--received", "/no/such/file"], 2, "No such file"),
        (["--received", "-"], 1, "not the source of a mail"),
        (["--probe", "ruth", "--offline"], 2, "needs the network"),
        (["--mailbox", "--offline"], 2, "needs the network"),
        (["--mailbox", "--received", "-"], 2, "goes by itself"),
        (["--probe", "ruth", "--received", "-"], 2, "goes by itself"),
        (["--probe", "not an address"], 1, "Enter one email address"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    newsletter: Command, words: list[str], status: int, says: str
) -> None:
    newsletter("migrate")
    ended = newsletter("doctor", *words)
    assert ended.status == status
    assert says in ended.err
    assert "Traceback" not in ended.err


def test_without_tables_a_probe_is_refused_in_a_sentence(newsletter: Command) -> None:
    ended = newsletter("doctor", "--probe", "ruth@example.org")
    assert (ended.status, ended.out) == (1, "")
    assert ended.err == "The database has no tables of this version yet. Run newsletter migrate first.\n"
