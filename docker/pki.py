"""Keys and certificates of the transport for one machine: a CA made on the spot.

The real federation uses certificates of the organisations; see the compose files.
"""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from protocols.keys import write_private

LIFETIME = timedelta(days=7)


class Pki:
    """A CA and a server certificate for localhost and 127.0.0.1 in `folder`: ca.crt, server.crt, server.key.

    The CA's own key is never written; nothing else can be signed with it later.
    """

    def __init__(self, folder: Path) -> None:
        self.ca_certificate = folder / "ca.crt"
        self.server_certificate = folder / "server.crt"
        self.server_key = folder / "server.key"

    def create(self) -> None:
        """Make the keys and write the files."""
        ca_key, server_key = ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP384R1())
        ca_name = _name("Leadline demonstration CA")
        ca = _builder(ca_name, ca_name, ca_key.public_key())
        ca = ca.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        server = _builder(_name("localhost"), ca_name, server_key.public_key())
        addresses = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        server = server.add_extension(x509.SubjectAlternativeName(addresses), critical=False)
        server = server.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        self.ca_certificate.parent.mkdir(parents=True, exist_ok=True)
        self.ca_certificate.write_bytes(_signed(ca, ca_key))
        self.server_certificate.write_bytes(_signed(server, ca_key))
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        write_private(self.server_key, server_key.private_bytes(*form))


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + LIFETIME)
    )


def _signed(builder: x509.CertificateBuilder, ca_key: ec.EllipticCurvePrivateKey) -> bytes:
    return builder.sign(ca_key, hashes.SHA384()).public_bytes(serialization.Encoding.PEM)
