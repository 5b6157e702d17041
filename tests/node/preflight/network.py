"""A small network on loopback: an authority, TLS servers that answer HTTP, a proxy that speaks CONNECT."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


class Authority:
    """A certificate authority with this name; `certificate` is the file of its own certificate."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = folder / f"{name}.crt".replace(" ", "-")
        own = self._builder(self._name, self._key.public_key(), -DAY, DAY)
        own = own.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.certificate.write_bytes(own.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))

    def issue(self, host: str = "127.0.0.1", begins: timedelta = -DAY, ends: timedelta = DAY) -> ssl.SSLContext:
        """A server's context with a certificate for `host`, valid from and until these spans from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        try:
            name: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            name = x509.DNSName(host)
        builder = self._builder(subject, key.public_key(), begins, ends)
        builder = builder.add_extension(x509.SubjectAlternativeName([name]), critical=False)
        file = self._folder / f"{x509.random_serial_number():x}.pem"
        form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        certificate = builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)
        file.write_bytes(key.private_bytes(*form) + certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, begins: timedelta, ends: timedelta
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key)
        builder = builder.serial_number(x509.random_serial_number())
        return builder.not_valid_before(now + begins).not_valid_after(now + ends)


@contextmanager
def listening(handle: Callable[[socket.socket], None]) -> Iterator[str]:
    """`handle` every connection to a free port of 127.0.0.1; gives host:port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                with suppress(TimeoutError):
                    connection, _ = server.accept()
                    with connection, suppress(OSError):
                        connection.settimeout(5)
                        handle(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}"
        finally:
            ended.set()
            thread.join()


def superlink(context: ssl.SSLContext, ahead: timedelta | None = timedelta()) -> Callable[[socket.socket], None]:
    """Answers every request with 404 over TLS; its clock is `ahead` of this machine's, or it tells no time."""

    def handle(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            if secure.recv(4096):
                date = "" if ahead is None else f"Date: {format_datetime(datetime.now(UTC) + ahead, usegmt=True)}\r\n"
                secure.sendall(f"HTTP/1.1 404 Not Found\r\n{date}Content-Length: 0\r\n\r\n".encode())

    return handle


def proxy(answer: str = "200 Connection established", login: str = "") -> Callable[[socket.socket], None]:
    """Opens a tunnel to where it is asked to, or answers with something else; may want a Proxy-Authorization."""

    def handle(connection: socket.socket) -> None:
        asked = connection.recv(4096).decode()
        if login and f"Proxy-Authorization: {login}\r\n" not in asked:
            connection.sendall(b'HTTP/1.1 407 Login\r\nProxy-Authenticate: Basic realm="hospital"\r\n\r\n')
            return
        connection.sendall(f"HTTP/1.1 {answer}\r\n\r\n".encode())
        if answer.startswith("200"):
            host, _, port = asked.split()[1].partition(":")
            with socket.create_connection((host, int(port)), 5) as onward:
                back = threading.Thread(target=_pour, args=(onward, connection))
                back.start()
                _pour(connection, onward)
                back.join()

    return handle


def _pour(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while content := source.recv(65536):
            target.sendall(content)
        target.shutdown(socket.SHUT_WR)
