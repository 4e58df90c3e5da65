"""A throw-away IMAP server for tests: Dovecot, as installed, with a configuration of its own and no rights.

`dovecot` is one server for the whole run, on loopback, with TLS of the tests' authority; `mailbox` an empty account on
it for one test. Where Dovecot is not installed the tests are skipped, with the reason; on a machine that says CI they
fail instead.
"""

import grp
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
import trustme
from imapclient import IMAPClient

from newsletter.mail.tls import verified_context
from tests.smtp_servers import HOST

_PROGRAM = shutil.which("dovecot", path="/usr/sbin:/usr/local/sbin:" + os.environ.get("PATH", ""))
_PASSWORD = "pass:wörd/@"
_CONFIGURATION = """
protocols = imap
listen = {host}
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
ssl = required
ssl_min_protocol = TLSv1.2
ssl_cert = <{folder}/server.pem
ssl_key = <{folder}/server.key
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
mail_location = maildir:{folder}/mail/%u
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {plain}
  }}
  inet_listener imaps {{
    port = {secured}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
"""


@dataclass(frozen=True)
class Dovecot:
    """A running server: `secured` speaks TLS from the start, `plain` after STARTTLS."""

    secured: int
    plain: int
    ca_file: Path


@dataclass(frozen=True)
class Account:
    """One account on it, and what a person could see there."""

    server: Dovecot
    user: str

    @property
    def ca_file(self) -> Path:
        return self.server.ca_file

    def url(self, *, starttls: bool = False, password: str = "pass%3Aw%C3%B6rd%2F%40", folder: str = "INBOX") -> str:
        scheme, port = ("imap+starttls", self.server.plain) if starttls else ("imaps", self.server.secured)
        return f"{scheme}://{self.user}:{password}@localhost:{port}/{folder}"

    def client(self) -> IMAPClient:
        """A mail program of the test's own, signed in."""
        client = IMAPClient("localhost", self.server.secured, ssl_context=verified_context(self.ca_file))
        client.normalise_times = False
        client.plain_login(self.user, _PASSWORD)
        return client

    def deliver(self, raw: bytes, at: datetime) -> None:
        """Put a mail into the inbox; the server says that it came at `at`."""
        client = self.client()
        client.append("INBOX", raw, msg_time=at)
        client.logout()

    def folder(self, name: str) -> list[tuple[str, tuple[bytes, ...]]]:
        """Subject and flags of each mail in a folder; none where there is no such folder."""
        client = self.client()
        try:
            if not client.folder_exists(name):
                return []
            client.select_folder(name, readonly=True)
            found = client.fetch(client.search(), ["ENVELOPE", "FLAGS"])
            return [
                (one[b"ENVELOPE"].subject.decode(), tuple(flag for flag in one[b"FLAGS"] if flag != b"\\Recent"))
                for _uid, one in sorted(found.items())
            ]
        finally:
            client.logout()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _write_certificates(folder: Path, elsewhere: Path) -> Path:
    """The server's certificate into its folder; returns the authority's, for who is to trust it."""
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(folder / "server.key")
    certificate.cert_chain_pems[0].write_to_path(folder / "server.pem")
    authority.cert_pem.write_to_path(elsewhere / "authority.pem")
    return elsewhere / "authority.pem"


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


@pytest.fixture(scope="session")
def dovecot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dovecot]:
    if _PROGRAM is None:
        message = "Dovecot (dovecot-imapd) is not installed"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    # A short path: its sockets lie in there.
    folder = Path(tempfile.mkdtemp(prefix="newsletter-imap-"))
    ca_file = _write_certificates(folder, tmp_path_factory.mktemp("imap-authority"))
    user = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    group = grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name
    server = Dovecot(_free_port(), _free_port(), ca_file)
    settings = _CONFIGURATION.format(
        host=HOST, folder=folder, user=user, group=group, password=_PASSWORD, plain=server.plain, secured=server.secured
    )
    (folder / "dovecot.conf").write_text(settings, encoding="utf-8")
    for path in (folder, *folder.iterdir()):
        shutil.chown(path, user, group)
    with (folder / "stderr").open("wb") as errors:
        # In the foreground, so that it is ours to end.
        process = subprocess.Popen(
            [_PROGRAM, "-F", "-c", str(folder / "dovecot.conf")],
            user=user,
            group=group,
            extra_groups=[],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
    try:
        for _turn in range(600):
            if process.poll() is not None or (_listens(server.secured) and _listens(server.plain)):
                break
            time.sleep(0.05)
        said = "\n".join(path.read_text() for path in (folder / "stderr", folder / "log") if path.exists())
        assert process.poll() is None, said
        yield server
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(folder)


@pytest.fixture
def mailbox(dovecot: Dovecot) -> Account:
    """An account that nobody has used."""
    return Account(dovecot, f"bounces-{uuid.uuid4().hex[:12]}")
