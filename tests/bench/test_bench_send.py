"""The bench itself: that it sends what it says, leaves nothing behind, and mails nobody by mistake."""

import json
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from newsletter.cli.bench import bench
from newsletter.cli.main import root
from tests.bench.rounds import play, table
from tests.postfix import PostfixTools, free_port, postfix

__all__ = ["postfix"]


def run(*words: str) -> Result:
    return CliRunner().invoke(bench, ["send", *words], catch_exceptions=True)


def refusal(*words: str) -> str:
    """What the bench says when it will not begin."""
    done = run(*words)
    assert done.exit_code != 0
    return f"{done.output}{done.exception or ''}"


def schemas(url: str) -> set[str]:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        return {name for (name,) in connection.execute("SELECT nspname FROM pg_namespace")}


@pytest.mark.postgres
def test_a_short_form_beside_smtp_source(
    postfix: PostfixTools, postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its figures are printed and nothing is asked of them: a machine that others use is fast now and slow then."""
    before = schemas(postgres_url)
    (played,) = play(postfix, {"SQLite": None, "PostgreSQL": postgres_url}, recipients=2_000)
    for name, ours in played.ours.items():
        assert (ours["recipients"], ours["accepted"], ours["database"]) == (2_000, 2_000, name)
        assert 30_000 <= ours["message_bytes"] <= 33_000
        assert 0 < ours["freeze_seconds"] <= ours["seconds_to_first_message"] <= ours["seconds"]
        assert ours["cpu_seconds"] > 0
        assert ours["peak_rss_bytes"] > 10_000_000
    assert schemas(postgres_url) == before, "its schema is gone again"
    with capsys.disabled():
        print(f"\n{table([played])}")


def test_it_leaves_the_configured_installation_alone(
    postfix: PostfixTools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSLETTER_DATA_DIR", str(tmp_path / "real"))
    monkeypatch.setenv("NEWSLETTER_DATABASE_URL", f"sqlite:///{tmp_path / 'real.db'}")
    own = tmp_path / "bench.db"
    with postfix.sink() as port:
        done = run(
            *("--recipients", "30", "--relay", f"smtp://127.0.0.1:{port}"),
            *("--database", f"sqlite:///{own}", "--connections", "2", "--json"),
        )
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["accepted"] == 30
    assert list(tmp_path.iterdir()) == [], "neither the real one's files nor its own"


def test_it_says_in_words_how_fast_it_was(postfix: PostfixTools) -> None:
    with postfix.sink() as port:
        done = run("--recipients", "20", "--relay", f"smtp://localhost:{port}")
    assert done.exit_code == 0, done.output
    assert done.output.startswith("20 messages of 3")


def test_it_mails_no_other_machine_unless_told_so() -> None:
    for address in ("mail.example.org", "192.0.2.1", "127.0.0.1.example.org"):
        assert "--i-mean-it" in refusal("--recipients", "5", "--relay", f"smtp://{address}:25")


def test_bad_input_is_told_in_a_sentence(tmp_path: Path) -> None:
    nobody = f"smtp://127.0.0.1:{free_port()}"
    assert "could not be reached" in refusal("--recipients", "5", "--relay", nobody)
    assert "must begin with smtp://" in refusal("--recipients", "5", "--relay", "http://127.0.0.1:25")
    assert "not in the range" in refusal("--recipients", "0", "--relay", nobody)
    assert "not in the range" in refusal("--recipients", "5000001", "--relay", nobody)
    assert "not in the range" in refusal("--recipients", "5", "--relay", nobody, "--connections", "0")


def test_a_database_that_is_somebody_elses_is_not_written_to(postfix: PostfixTools, tmp_path: Path) -> None:
    theirs = tmp_path / "newsletter.db"
    theirs.write_bytes(b"theirs")
    with postfix.sink() as port:
        words = ("--recipients", "5", "--relay", f"smtp://127.0.0.1:{port}", "--database")
        assert "is there already" in refusal(*words, f"sqlite:///{theirs}")
        assert "no schema can be made" in refusal(*words, "postgresql://nobody@127.0.0.1:1/none")
        assert "--database must" in refusal(*words, "mysql://localhost/x")
        assert "--database must" in refusal(*words, "nonsense")
    assert theirs.read_bytes() == b"theirs"


def test_the_command_is_listed() -> None:
    assert "bench" in CliRunner().invoke(root, ["--help"]).output
