"""The compiler is native code that can crash: whoever calls it lives on."""

import multiprocessing
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from newsletter.errors import Invalid
from newsletter.rendering import mjml, mjml_process
from newsletter.rendering.mjml import compile_mjml

from .made_up import Seen


def mail(inside: str, head: str = "") -> str:
    return (
        f'<mjml lang="en-GB" dir="ltr"><mj-head>{head}</mj-head><mj-body><mj-section><mj-column>{inside}'
        "</mj-column></mj-section></mj-body></mjml>"
    )


def test_a_mail_is_compiled_without_comments_and_without_other_peoples_fonts() -> None:
    html = compile_mjml(mail("<!-- ours --><mj-text><p>Hello &amp; welcome</p></mj-text>"))
    assert "Hello &amp; welcome" in html
    assert "ours" not in html
    assert "fonts.googleapis.com" not in html


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (mail("<mj-text>" + "<div>" * 10_000 + "</div>" * 10_000 + "</mj-text>"), "too deep"),
        (mail("<mj-text>" + "x" * 600_000 + "</mj-text>"), "too long"),
        (mail("<mj-raw><div></div></mj-raw>"), "“mj-raw”"),
        (mail("<mj-include path='/etc/passwd' />"), "“mj-include”"),
        (mail("", "<mj-html-attributes></mj-html-attributes>"), "“mj-html-attributes”"),
        (mail("<mj-carousel></mj-carousel>"), "“mj-carousel”"),
        (mail("<mj-text><script>x</script></mj-text>"), "“script”"),
        (mail("<mj-text><p onclick='x'>x</p></mj-text>"), "“onclick”"),
        (mail("<mj-text><a href='java\tscript:x'>x</a></mj-text>"), "“href”"),
        (mail("<mj-text><p>open</mj-text>"), "line 1 is not well formed"),
        (mail("<mj-text>1 < 2</mj-text>"), "not well formed"),
        (mail("<mj-text>\x00</mj-text>"), "not well formed"),
        (mail("<mj-text>\ud800</mj-text>"), "not well formed"),
        ('<!DOCTYPE x [<!ENTITY a "aaaa">]>' + mail("<mj-text>&a;</mj-text>"), "document type"),
        ("", "not well formed"),
        ("<p>no mail</p>", "could not be made"),
    ],
)
def test_what_we_never_write_is_refused_in_a_sentence(source: str, sentence: str) -> None:
    with pytest.raises(Invalid) as refused:
        compile_mjml(source)
    assert sentence in str(refused.value)
    assert str(refused.value).endswith(".")


def test_the_title_becomes_the_label_of_the_mail_whatever_it_holds() -> None:
    title = "&#34; onload=&#34;x \\ e\u0301 \u200d"
    html = compile_mjml(mail("<mj-text>x</mj-text>", f"<mj-title>{title}</mj-title>"))
    labels = [attrs["aria-label"] for _tag, attrs in Seen(html).tags if "aria-label" in attrs]
    assert labels == ['" onload="x \\ e\u0301 \u200d']


def test_the_description_of_a_picture_is_kept_to_the_letter() -> None:
    alt = "C:\\new &#34; onerror=&#34;x 👩\u200d👧 ŵ"
    html = compile_mjml(mail(f'<mj-image src="https://larkmere.example.org/a.png" alt="{alt}" />'))
    assert [picture["alt"] for picture in Seen(html).all("img")] == ['C:\\new " onerror="x 👩\u200d👧 ŵ']


def test_elements_nested_beyond_measure_end_the_compiler_and_not_the_caller() -> None:
    """Past the guard, straight to the compiler: its process may die, ours must not, and the next mail is made."""
    compiler = mjml_process.Compiler(20)
    deep = mail("<mj-text>" + "<div>" * 200_000 + "</div>" * 200_000 + "</mj-text>").encode()
    try:
        with pytest.raises((mjml_process.CompilerDied, mjml_process.CompilerRefused)):
            compiler.compile(deep)
        assert "still here" in compiler.compile(mail("<mj-text>still here</mj-text>").encode())
    finally:
        compiler.close()
    assert compiler.pid is None


def test_a_compiler_that_does_not_answer_is_ended_in_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stuck = tmp_path / "stuck.py"
    stuck.write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setattr(mjml_process, "_WORKER", stuck)
    compiler = mjml_process.Compiler(0.2)
    monkeypatch.setattr(mjml, "_compiler", compiler)
    with pytest.raises(Invalid, match="within five seconds"):
        compile_mjml(mail("<mj-text>x</mj-text>"))
    assert compiler.pid is None


def test_a_compiler_killed_between_two_mails_is_replaced() -> None:
    compiler = mjml_process.Compiler(20)
    try:
        compiler.compile(mail("<mj-text>one</mj-text>").encode())
        first = compiler.pid
        assert first is not None
        os.kill(first, 9)
        os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
        assert "two" in compiler.compile(mail("<mj-text>two</mj-text>").encode())
        assert compiler.pid != first
    finally:
        compiler.close()


def test_threads_get_their_own_mails() -> None:
    answers: dict[int, str] = {}

    def make(number: int) -> None:
        answers[number] = compile_mjml(mail(f"<mj-text>mail {number}.</mj-text>"))

    threads = [threading.Thread(target=make, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(f"mail {number}." in answers[number] for number in range(12))


def _in_child(answers: "multiprocessing.SimpleQueue[tuple[bool, str]]") -> None:
    nobodys = mjml._compiler.pid is None
    answers.put((nobodys, compile_mjml(mail("<mj-text>child</mj-text>"))))
    mjml.stop_compiler()


def test_a_fork_has_a_compiler_of_its_own() -> None:
    compile_mjml(mail("<mj-text>parent</mj-text>"))
    ours = mjml._compiler.pid
    context = multiprocessing.get_context("fork")
    answers: multiprocessing.SimpleQueue[tuple[bool, str]] = context.SimpleQueue()
    child = context.Process(target=_in_child, args=(answers,))
    child.start()
    nobodys, html = answers.get()
    child.join()
    assert child.exitcode == 0
    assert nobodys
    assert "child" in html
    assert "parent again" in compile_mjml(mail("<mj-text>parent again</mj-text>"))
    assert mjml._compiler.pid == ours


def test_the_end_of_the_interpreter_leaves_no_process_and_no_warning() -> None:
    script = (
        "from newsletter.rendering import mjml\n"
        f"mjml.compile_mjml('''{mail('<mj-text>x</mj-text>')}''')\n"
        "print(mjml._compiler.pid)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-X", "dev", "-c", script], capture_output=True, text=True, check=True,
        cwd=Path(mjml.__file__).parents[2],
    )  # fmt: skip
    assert done.stderr == ""
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)
