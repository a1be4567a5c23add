"""A real Postfix for tests, in a directory of its own: it takes mail on a free port, encrypted, and hands it on.

with postfix(tmp_path, to=server.port, refuse=["gone@contoso.example"]) as mta:
    …  # mta.port, mta.certificate
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.platform.waiting import eventually

COMMAND = "/usr/sbin/postfix"

MAIN = """
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
maillog_file = /dev/stdout
mail_owner = postfix
setgid_group = postdrop
myhostname = mta.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
local_recipient_maps =
default_transport = smtp:[127.0.0.1]:{to}
message_size_limit = {size}
smtpd_tls_security_level = encrypt
smtpd_tls_cert_file = {home}/certificate.pem
smtpd_tls_key_file = {home}/certificate.pem
smtp_tls_security_level = none
smtpd_recipient_restrictions = check_recipient_access inline:{{{refuse}}}, permit_mynetworks, reject
"""

MASTER = """
{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True)
class Mta:
    port: int
    certificate: Path


def missing() -> str:
    """Why there is no Postfix to run here; empty when there is."""
    if sys.platform != "linux":
        return "Postfix is run on Linux only"
    if not Path(COMMAND).exists():
        return "Postfix is not installed (scripts/setup dev installs it where it may)"
    return "" if os.getuid() == 0 else "Postfix starts as root only"


@contextmanager
def postfix(*, to: int, refuse: Sequence[str] = (), size: int = 2_000_000, more: str = "") -> Iterator[Mta]:
    """Running while the block does. ``to``: the port of whoever gets the mail; ``refuse``: addresses it knows not;
    ``more``: lines for ``main.cf``, which win."""
    home = Path(tempfile.mkdtemp(prefix="postfix-"))
    home.chmod(0o755)  # its processes give up being root
    port = _free_port()
    rules = ", ".join(f"{{{one} = 550 5.1.1 no such user here}}" for one in refuse)
    main = MAIN.format(home=home, to=to, size=size, refuse=rules or "{x@x.invalid = OK}")
    (home / "main.cf").write_text(_without(main, more) + more.replace("{home}", str(home)))
    (home / "master.cf").write_text(MASTER.format(port=f"127.0.0.1:{port}"))
    for name in ("queue", "data"):
        (home / name).mkdir()
    shutil.chown(home / "data", "postfix", "postfix")
    _certify(home / "certificate.pem")
    with (home / "log").open("wb") as log:
        run = subprocess.Popen([COMMAND, "-c", str(home), "start-fg"], stdout=log, stderr=log, start_new_session=True)
    try:
        eventually(lambda: _answers(port) or run.poll() is not None, seconds=20, what="Postfix answers")
        assert run.poll() is None, (home / "log").read_text()[-2000:]
        yield Mta(port, home / "certificate.pem")
    finally:
        subprocess.run([COMMAND, "-c", str(home), "abort"], capture_output=True, check=False, timeout=20)
        with suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
        run.wait(10)
        shutil.rmtree(home, ignore_errors=True)


def _without(main: str, more: str) -> str:
    """Postfix complains of what is set twice."""
    told = {line.partition("=")[0].strip() for line in more.splitlines() if "=" in line}
    return "".join(f"{line}\n" for line in main.splitlines() if line.partition("=")[0].strip() not in told)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as one:
            return one.recv(3) == b"220"
    except OSError:
        return False


def _certify(place: Path) -> None:
    """A certificate for this machine, signed by itself."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mta.test")]),
    )
    moment = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - timedelta(days=1))
        .not_valid_after(moment + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    place.write_bytes(private + made.public_bytes(pem))
