"""Mail is read from a real IMAP server, from a Maildir, and from a server that knows no keywords; each mail once."""

import os
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from newsletter.errors import MailboxError, RelayDown, RelayRejectsUs, SettingError
from newsletter.mail import imap
from newsletter.mail.inbound import LONGEST, Incoming, received_at
from newsletter.mail.inbound_sources import open_source
from newsletter.mail.oauth import TokenSource
from tests.dovecot import Account, Dovecot, dovecot, mailbox
from tests.mail.imap_server import Mail, ScriptedImap
from tests.mail.report_corpus import load

__all__ = ["Dovecot", "dovecot", "mailbox"]

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


def read(account: Account, **how: object) -> list[Incoming]:
    return list(open_source(account.url(**how), ca_file=account.ca_file).messages())


def mail(subject: str, body: bytes = b"Good morning.") -> bytes:
    return b"From: reader1@example.org\r\nSubject: " + subject.encode() + b"\r\n\r\n" + body


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    """A process that has looked into no mailbox yet."""
    imap._left.clear()
    yield
    imap._left.clear()


class TestDovecot:
    """The real thing, as Debian ships it."""

    @pytest.mark.parametrize("starttls", [False, True])
    def test_mails_come_whole_with_the_time_our_server_had_them(self, mailbox: Account, starttls: bool) -> None:
        mailbox.deliver(mail("one"), NOON)
        mailbox.deliver(load("postfix_unknown_user"), NOON + timedelta(minutes=5))
        found = read(mailbox, starttls=starttls)
        assert [(one.raw, one.received_at) for one in found] == [
            (mail("one"), NOON), (load("postfix_unknown_user"), NOON + timedelta(minutes=5)),
        ]  # fmt: skip

    def test_what_is_settled_is_put_away_and_the_rest_left_unread_for_people(self, mailbox: Account) -> None:
        for subject in ("bounce", "letter"):
            mailbox.deliver(mail(subject), NOON)
        source = open_source(mailbox.url(), ca_file=mailbox.ca_file)
        for one in source.messages():
            one.done(b"bounce" in one.raw)
        assert mailbox.folder("Processed") == [("bounce", (b"\\Seen",))]
        assert mailbox.folder("INBOX") == [("letter", (imap.KEYWORD,))]
        assert read(mailbox) == []
        mailbox.deliver(mail("next"), NOON)
        assert [one.raw for one in read(mailbox)] == [mail("next")]

    def test_a_long_letter_is_brought_whole_where_it_is_wanted(self, mailbox: Account) -> None:
        long = mail("long", b"x" * 70 + b"\r\n" + b"words of a letter\r\n" * 50_000)
        mailbox.deliver(long, NOON)
        source = open_source(mailbox.url(), ca_file=mailbox.ca_file)
        for one in source.messages():
            assert (len(one.raw), one.whole(len(long) + 1)) == (LONGEST, long)
            assert one.whole(600_000) == long[:600_000]
            one.done(True)
        assert mailbox.folder("Processed") == [("long", (b"\\Seen",))]

    def test_a_report_that_somebody_opened_first_is_read_all_the_same(self, mailbox: Account) -> None:
        mailbox.deliver(mail("bounce"), NOON)
        client = mailbox.client()
        client.select_folder("INBOX")
        client.add_flags(client.search(), [b"\\Seen"])
        client.logout()
        assert len(read(mailbox)) == 1

    def test_a_reader_who_dies_before_saying_done_gets_the_mail_again(self, mailbox: Account) -> None:
        mailbox.deliver(mail("bounce"), NOON)
        messages = open_source(mailbox.url(), ca_file=mailbox.ca_file).messages()
        next(messages)
        messages.close()
        assert len(read(mailbox)) == 1

    def test_more_mails_than_one_batch_and_one_that_is_too_long(self, mailbox: Account) -> None:
        long = mail("long", b"x" * LONGEST)
        mailbox.deliver(long, NOON)
        client = mailbox.client()
        for number in range(60):
            client.append("INBOX", mail(f"{number}"), msg_time=NOON)
        client.logout()
        found = []
        for one in open_source(mailbox.url(), ca_file=mailbox.ca_file).messages():
            one.done(True)
            found.append(one.raw)
        assert len(found) == 61
        assert found[0] == long[:LONGEST]
        assert len(mailbox.folder("Processed")) == 61

    def test_a_mail_that_somebody_moves_away_meanwhile_is_no_failure(self, mailbox: Account) -> None:
        mailbox.deliver(mail("bounce"), NOON)
        source = open_source(mailbox.url(), ca_file=mailbox.ca_file)
        for one in source.messages():
            client = mailbox.client()
            client.select_folder("INBOX")
            client.delete_messages(client.search())
            client.expunge()
            client.logout()
            one.done(True)
        assert read(mailbox) == []

    def test_another_folder_can_be_read(self, mailbox: Account) -> None:
        client = mailbox.client()
        client.create_folder("Undelivered mail")
        client.append("Undelivered mail", mail("bounce"), msg_time=NOON)
        client.logout()
        assert [one.raw for one in read(mailbox, folder="Undelivered%20mail")] == [mail("bounce")]
        with pytest.raises(MailboxError, match=r"said: .*doesn't exist"):
            read(mailbox, folder="Nowhere")

    @pytest.mark.parametrize("starttls", [False, True])
    def test_a_server_that_is_not_known_gets_no_password(self, mailbox: Account, starttls: bool) -> None:
        with pytest.raises(MailboxError, match="The certificate of localhost cannot be trusted"):
            list(open_source(mailbox.url(starttls=starttls)).messages())
        with pytest.raises(MailboxError, match=r"The certificate of 127\.0\.0\.1 cannot be trusted"):
            url = mailbox.url(starttls=starttls).replace("localhost", "127.0.0.1")
            list(open_source(url, ca_file=mailbox.ca_file).messages())

    def test_a_wrong_password_is_a_sentence_without_it(self, mailbox: Account) -> None:
        with pytest.raises(MailboxError) as refused:
            read(mailbox, password="quite-wrong")
        assert str(refused.value).startswith("The mailbox server does not let us in: look at the user name")
        assert "quite-wrong" not in str(refused.value)

    def test_the_doctor_can_ask_without_reading(self, mailbox: Account) -> None:
        mailbox.deliver(mail("bounce"), NOON)
        imap.ImapMailbox.from_url(mailbox.url(), ca_file=mailbox.ca_file).check()
        assert mailbox.folder("INBOX") == [("bounce", ())]


# --- a server as Microsoft 365 has it ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    authority = trustme.CA()
    file = tmp_path_factory.mktemp("imap-authority") / "authority.pem"
    authority.cert_pem.write_to_path(file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context, file


class Tokens(TokenSource):
    """A source of tokens that has one at hand, or says why not."""

    def __init__(self, answer: str | Exception) -> None:
        self.answer = answer
        self.forgotten: list[str] = []

    def token(self) -> str:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def forget(self, token: str) -> None:
        self.forgotten.append(token)


class TestWithoutKeywords:
    def read(self, server: ScriptedImap, file: Path, tokens: Tokens | None = None) -> Iterator[Incoming]:
        auth = "?auth=xoauth2" if tokens else ""
        user = "bounces%40example.org" + ("" if tokens else ":a-password")
        url = f"imaps://{user}@localhost:{server.port}/INBOX{auth}"
        return open_source(url, ca_file=file, tokens=tokens).messages()

    def test_signing_in_with_a_token(self, certificates: tuple[ssl.SSLContext, Path]) -> None:
        context, file = certificates
        with ScriptedImap(context, token="an-access-token") as server:
            server.mails[5] = Mail(mail("bounce"))
            found = list(self.read(server, file, Tokens("an-access-token")))
            assert [(one.raw, one.received_at) for one in found] == [
                (mail("bounce"), datetime(2026, 12, 7, 10, 0, tzinfo=UTC))
            ]
            assert server.response == "user=bounces@example.org\x01auth=Bearer an-access-token\x01\x01"

    def test_a_token_that_is_not_taken_is_forgotten_and_never_shown(
        self, certificates: tuple[ssl.SSLContext, Path]
    ) -> None:
        context, file = certificates
        tokens = Tokens("an-old-token")
        with ScriptedImap(context, token="another") as server:
            with pytest.raises(MailboxError, match=r"does not let us in.*AUTHENTICATE failed") as refused:
                list(self.read(server, file, tokens))
            assert "an-old-token" not in str(refused.value)
            assert tokens.forgotten == ["an-old-token"]

    @pytest.mark.parametrize("error", [RelayDown("The sign-in service is away"), RelayRejectsUs("Wrong client")])
    def test_no_token_to_be_had_is_a_sentence(
        self, certificates: tuple[ssl.SSLContext, Path], error: Exception
    ) -> None:
        context, file = certificates
        with ScriptedImap(context) as server, pytest.raises(MailboxError, match=str(error)):
            list(self.read(server, file, Tokens(error)))

    def test_what_is_left_is_remembered_and_stays_unread(self, certificates: tuple[ssl.SSLContext, Path]) -> None:
        context, file = certificates
        with ScriptedImap(context, token="t") as server:
            server.mails = {5: Mail(mail("bounce")), 6: Mail(mail("letter"))}
            for one in self.read(server, file, Tokens("t")):
                one.done(b"bounce" in one.raw)
            assert server.processed == [mail("bounce")]
            assert {uid: one.flags for uid, one in server.mails.items()} == {6: set()}
            assert list(self.read(server, file, Tokens("t"))) == []
            server.mails[7] = Mail(mail("next"))
            assert [one.raw for one in self.read(server, file, Tokens("t"))] == [mail("next")]

    def test_where_no_folder_can_be_made_it_is_only_marked_as_read(
        self, certificates: tuple[ssl.SSLContext, Path]
    ) -> None:
        context, file = certificates
        with ScriptedImap(context, token="t", folders=False) as server:
            server.mails = {5: Mail(mail("bounce"))}
            for one in self.read(server, file, Tokens("t")):
                one.done(True)
            assert {uid: one.flags for uid, one in server.mails.items()} == {5: {"\\Seen"}}
            assert list(self.read(server, file, Tokens("t"))) == []

    @pytest.mark.parametrize(("command", "answer"), [
        ("CAPABILITY", "DROP"), ("AUTHENTICATE", "DROP"), ("SELECT", "DROP"), ("SEARCH", "DROP"), ("FETCH", "DROP"),
        ("SELECT", "TAG NO go away"), ("SEARCH", "TAG BAD what"), ("FETCH", "* 1 FETCH (UID x\nTAG OK"),
        ("SEARCH", "* SEARCH x y\nTAG OK"), ("SELECT", "rubbish\nTAG OK"), ("LOGOUT", "DROP"),
    ])  # fmt: skip
    def test_a_server_that_misbehaves_is_a_sentence(
        self, certificates: tuple[ssl.SSLContext, Path], command: str, answer: str
    ) -> None:
        context, file = certificates
        with ScriptedImap(context, token="t", instead={command: answer}) as server:
            server.mails = {5: Mail(mail("bounce"))}
            try:
                found = list(self.read(server, file, Tokens("t")))
            except MailboxError as error:
                assert str(error).startswith("The mailbox server")
                assert str(error).isprintable()
            else:
                assert command in ("LOGOUT", "SELECT")
                assert len(found) == 1


# --- a Maildir -----------------------------------------------------------------------------------------------


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    for name in ("new", "cur", "tmp"):
        (tmp_path / "Maildir" / name).mkdir(parents=True)
    return tmp_path / "Maildir"


class TestMaildir:
    def test_new_mail_is_read_once_oldest_first_and_moved_to_cur(self, maildir: Path) -> None:
        for name in ("200.b.host", "100.a.host", "300.c.host"):
            (maildir / "new" / name).write_bytes(mail(name))
        source = open_source(f"maildir:{maildir}")
        seen = []
        for one in source.messages():
            seen.append(one.raw)
            one.done(b"letter" not in one.raw and b"300" not in one.raw)
        assert seen == [mail("100.a.host"), mail("200.b.host"), mail("300.c.host")]
        assert sorted(path.name for path in (maildir / "cur").iterdir()) == [
            "100.a.host:2,S", "200.b.host:2,S", "300.c.host:2,",
        ]  # fmt: skip
        assert list(source.messages()) == []

    def test_the_time_is_the_server_s_else_the_file_s(self, maildir: Path) -> None:
        for name, raw in (("1", load("exim_unknown_user")), ("2", mail("no trace"))):
            (maildir / "new" / name).write_bytes(raw)
            os.utime(maildir / "new" / name, (1_799_000_000, 1_799_000_000))
        first, second = open_source(f"maildir:{maildir}").messages()
        assert first.received_at == datetime(2026, 12, 7, 10, 0, 9, tzinfo=UTC)
        assert second.received_at == datetime.fromtimestamp(1_799_000_000, UTC)

    def test_a_link_to_another_file_is_not_followed_nor_a_folder_read(self, maildir: Path, tmp_path: Path) -> None:
        (tmp_path / "secret_keys").write_text("secret")
        (maildir / "new" / "1").symlink_to(tmp_path / "secret_keys")
        (maildir / "new" / "2").mkdir()
        os.mkfifo(maildir / "new" / "3")
        assert list(open_source(f"maildir:{maildir}").messages()) == []

    def test_only_the_beginning_of_a_long_mail_is_read(self, maildir: Path) -> None:
        (maildir / "new" / "1").write_bytes(mail("long", b"x" * LONGEST))
        (one,) = open_source(f"maildir:{maildir}").messages()
        assert len(one.raw) == LONGEST

    def test_a_file_that_another_program_took_is_no_failure(self, maildir: Path) -> None:
        for name in ("1", "2"):
            (maildir / "new" / name).write_bytes(mail(name))
        messages = open_source(f"maildir:{maildir}").messages()
        first = next(messages)
        for path in (maildir / "new").iterdir():
            path.unlink()
        first.done(True)
        assert list(messages) == []

    def test_a_folder_that_is_no_maildir_is_a_sentence(self, tmp_path: Path) -> None:
        with pytest.raises(MailboxError, match="is no Maildir: it needs the folders new and cur"):
            list(open_source(f"maildir:{tmp_path}").messages())


# --- settings and times --------------------------------------------------------------------------------------


def test_a_mailbox_needs_a_user_and_a_token_its_settings() -> None:
    with pytest.raises(SettingError, match="must name a user and a host"):
        open_source("imaps://mail.example.org/INBOX")
    with pytest.raises(SettingError, match="set NEWSLETTER_OAUTH_TOKEN_URL"):
        open_source("imaps://bounces@mail.example.org/INBOX?auth=xoauth2")


def test_the_name_of_a_source_holds_no_password() -> None:
    source = open_source("imaps://bounces%40example.org:very-secret@mail.example.org/Bounces")
    assert source.name == "Bounces of bounces@example.org on mail.example.org"
    assert "very-secret" not in repr(source)


@pytest.mark.parametrize(("received", "expected"), [
    ("by mx; Mon, 2 Nov 2026 10:00:00 +0000", datetime(2026, 11, 2, 10, tzinfo=UTC)),
    ("by mx; Mon, 2 Nov 2026 10:00:00 -0000", datetime(2026, 11, 2, 10, tzinfo=UTC)),
    ("by mx; Mon, 2 Nov 2026 11:00:00 +0100 (CET)", datetime(2026, 11, 2, 10, tzinfo=UTC)),
    ("by mx; Tue, 1 Jan 2030 10:00:00 +0000", NOON),
    ("by mx", NOON), ("by mx; yesterday", NOON), ("by mx; 99 Foo 2026 99:99:99 +9999", NOON),
    ("by mx; Mon, 2 Nov 99999999999 10:00:00 +0000", NOON),
])  # fmt: skip
def test_the_receipt_is_what_our_server_wrote_and_never_later_than_now(received: str, expected: datetime) -> None:
    others = "Received: by elsewhere; Sun, 1 Nov 2026 09:00:00 +0000\r\nDate: Sat, 1 Jan 2000 00:00:00 +0000\r\n\r\nx"
    assert received_at(f"Received: {received}\r\n{others}".encode(), NOON) == expected
