"""A real mail server for tests: Postfix with a configuration, a queue and mailboxes of its own, on loopback.

`mail_server()` starts it and stops it. It delivers to Maildirs: reader1@example.org, reader2@example.org and on
share one, all of bounces.example.org another. Mail for whoever else at example.org it takes, finds then that there is
no such user, and says so to the envelope's sender.

One port speaks in clear and trusts loopback. The other wants TLS, and a user whom Dovecot knows, if Dovecot is there.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from tests.postfix import HOST, PostfixTools, free_port, wait_for_port

_PATIENCE_SECONDS = 60.0
_QUEUES = "active bounce corrupt defer deferred flush hold incoming maildrop pid private public saved trace"
_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = {tools.commands}
daemon_directory = {tools.daemons}
shlib_directory = {tools.libraries}
import_environment = MAIL_CONFIG MAIL_LOGTAG LANG=C LD_LIBRARY_PATH={tools.libraries}
maillog_file = {folder}/maillog
maillog_file_prefixes = {folder}
mail_owner = postfix
setgid_group = postdrop
myhostname = mail.example.org
mydestination = localhost
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
local_recipient_maps =
smtp_dns_support_level = disabled
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 0
smtpd_reject_unlisted_recipient = no
virtual_mailbox_domains = example.org, bounces.example.org
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = regexp:{folder}/etc/mailboxes
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
smtpd_tls_cert_file = {folder}/etc/certificate.pem
smtpd_tls_key_file = {folder}/etc/key.pem
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_sasl_security_options = noanonymous
"""
_MASTER = """
{plain} inet n - n - - smtpd
{secured} inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
  -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
smtp unix - - n - - smtp
virtual unix - n n - 20 virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""
_MAILBOXES = r"""
/^reader[0-9]+@example\.org$/ readers/
/@bounces\.example\.org$/ bounces/
"""
_DOVECOT = """
protocols =
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/dovecot.log
ssl = no
default_internal_user = postfix
default_login_user = nobody
first_valid_uid = 1
disable_plaintext_auth = no
auth_mechanisms = plain login
passdb {{
  driver = static
  args = user={user} password={password}
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home=/nonexistent
}}
service anvil {{
  chroot =
}}
service auth {{
  unix_listener {folder}/queue/private/auth {{
    mode = 0660
    user = postfix
    group = postfix
  }}
}}
"""
USER, PASSWORD = "ruth", "weir-street"


@dataclass(frozen=True)
class MailServer:
    """A running Postfix below `folder`; `ca_file` is whom to trust for `secured_url`."""

    folder: Path
    plain_port: int
    secured_port: int
    ca_file: Path

    @property
    def url(self) -> str:
        return f"smtp://{HOST}:{self.plain_port}"

    def secured_url(self, user: str = USER, password: str = PASSWORD) -> str:
        return f"smtp+starttls://{user}:{password}@localhost:{self.secured_port}"

    @property
    def log(self) -> str:
        return (self.folder / "maillog").read_text(errors="replace")

    def mailbox(self, name: str) -> Path:
        """The Maildir of the `readers`, or of the `bounces`; it comes into being with the first mail."""
        return self.folder / "mail" / name

    def mails(self, name: str) -> list[bytes]:
        """What lies in it."""
        return [path.read_bytes() for path in sorted(self.mailbox(name).glob("new/*"))]

    def until_empty(self) -> None:
        """Wait until the queue has nothing left that is not put off."""
        queues = [self.folder / "queue" / name for name in ("incoming", "active", "maildrop")]
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while any(path.is_file() for queue in queues for path in queue.rglob("*")):
            assert time.monotonic() < deadline, self.log[-4000:]
            time.sleep(0.05)


@contextmanager
def mail_server(tools: PostfixTools) -> Iterator[MailServer]:
    """Start it, stop it, and leave nothing behind. Skips where it cannot be started (it wants to begin as root)."""
    if os.geteuid() != 0:
        message = "Postfix starts as root only"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    # Not below pytest's own folder, which its users could not enter.
    folder = Path(tempfile.mkdtemp(prefix="newsletter-mta-"))
    folder.chmod(0o755)
    try:
        server = _configure(folder, tools)
        with ExitStack() as running:
            running.enter_context(_dovecot(folder))
            running.enter_context(_postfix(tools, server))
            yield server
    finally:
        shutil.rmtree(folder)


def _configure(folder: Path, tools: PostfixTools) -> MailServer:
    for name in ["etc", "queue", "data", "mail", "run", *(f"queue/{queue}" for queue in _QUEUES.split())]:
        (folder / name).mkdir()
    for name in ["data", "mail", *(f"queue/{queue}" for queue in _QUEUES.split() if queue != "pid")]:
        shutil.chown(folder / name, "postfix", "postfix")
    shutil.chown(folder / "queue/public", "postfix", "postdrop")
    about = (folder / "mail").stat()
    server = MailServer(folder, free_port(), free_port(), folder / "etc/authority.pem")
    values = {"folder": folder, "tools": tools, "uid": about.st_uid, "gid": about.st_gid}
    (folder / "etc/main.cf").write_text(_MAIN.format(**values))
    (folder / "etc/master.cf").write_text(_MASTER.format(plain=server.plain_port, secured=server.secured_port))
    (folder / "etc/mailboxes").write_text(_MAILBOXES)
    (folder / "etc/dovecot.conf").write_text(_DOVECOT.format(folder=folder, user=USER, password=PASSWORD))
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", HOST)
    authority.cert_pem.write_to_path(server.ca_file)
    certificate.cert_chain_pems[0].write_to_path(folder / "etc/certificate.pem")
    certificate.private_key_pem.write_to_path(folder / "etc/key.pem")
    (folder / "etc/key.pem").chmod(0o600)
    return server


@contextmanager
def _postfix(tools: PostfixTools, server: MailServer) -> Iterator[None]:
    # The daemon itself, not `postfix start`: that wants an installation to check and to repair.
    words = [str(tools.daemons / "master"), "-c", str(server.folder / "etc"), "-d"]
    with (server.folder / "master.out").open("ab") as output:
        process = subprocess.Popen(words, env=tools.environment, stdout=output, stderr=output, cwd=server.folder)
    try:
        wait_for_port(server.plain_port, process)
        yield
    finally:
        process.terminate()
        process.wait()


@contextmanager
def _dovecot(folder: Path) -> Iterator[None]:
    """Dovecot, for nothing but to say whose password is right."""
    program = shutil.which("dovecot", path="/usr/sbin:/usr/local/sbin:" + os.environ.get("PATH", ""))
    if program is None:
        message = "Dovecot is not installed"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    process = subprocess.Popen([program, "-F", "-c", str(folder / "etc/dovecot.conf")])
    try:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not _answers(folder / "queue/private/auth"):
            assert process.poll() is None, (folder / "dovecot.log").read_text()
            assert time.monotonic() < deadline, (folder / "dovecot.log").read_text()
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait()


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
