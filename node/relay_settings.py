"""What the relay is told: where the SuperLink is, behind which certificates, through which proxy.

`relay.env` is an EnvironmentFile of systemd and can be read by a shell (`set -a; . relay.env`); `ca.crt` holds the
authorities that the relay trusts.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from node.config import NodeConfig
from node.files import GROUP, PUBLIC, put_file
from protocols.enrolment import root_certificates
from protocols.operator.errors import InputError
from protocols.v1 import leadline_pb2 as pb

CA_NAME, SETTINGS_NAME, FLOWER_NAME = "ca.crt", "relay.env", "flower"
_SYSTEM_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\r?\n?")


def write_relay_settings(config: NodeConfig, approval: pb.Approval) -> None:
    """Bring `ca.crt` and `relay.env` in the relay's folder up to date; what already says so is not touched.

    InputError if certificates cannot be read, or a setting holds what no line of the file can.
    """
    for name, (content, mode) in _files(config, approval).items():
        _bring_up_to_date(config.paths.relay / name, content, mode)


def outdated(config: NodeConfig, approval: pb.Approval) -> tuple[str, ...]:
    """Which of the two say something else than `write_relay_settings` would write now; InputError as there.

    OSError if one is missing or cannot be read.
    """
    files, folder = _files(config, approval), config.paths.relay
    return tuple(name for name, (content, _) in files.items() if (folder / name).read_bytes() != content)


def _files(config: NodeConfig, approval: pb.Approval) -> Mapping[str, tuple[bytes, int]]:
    """Content and mode by file name."""
    lines = [f"{name}={_quoted(name, value)}\n" for name, value in _settings(config, approval).items()]
    return {
        CA_NAME: (_authorities(config, approval), PUBLIC),
        SETTINGS_NAME: ("".join(lines).encode(), GROUP),
    }


def _settings(config: NodeConfig, approval: pb.Approval) -> Mapping[str, str]:
    folder = config.paths.relay.resolve()
    settings = {
        "SUPERLINK": approval.superlink,
        "ROOT_CERTIFICATES": str(folder / CA_NAME),
        "TRANSPORT_KEY": str(folder / "transport"),
        "NODE_SOCKET": str(config.paths.socket.resolve()),
        "FLWR_HOME": str(folder / FLOWER_NAME),
        "FLWR_TELEMETRY_ENABLED": "0",
        "FLWR_DISABLE_UPDATE_CHECK": "1",
    }
    if config.network.proxy:
        settings |= {"HTTPS_PROXY": config.network.proxy, "NO_PROXY": "localhost,127.0.0.1"}
    return settings


def _quoted(name: str, value: str) -> str:
    """A value in double quotes, as systemd and shells read it."""
    if not value.isprintable():
        hint = "use a path and a proxy without control characters"
        raise InputError("relay_settings", f"{name} holds a character that relay.env cannot hold", hint)
    return '"' + re.sub(r'(["\\$`])', r"\\\1", value) + '"'


def _authorities(config: NodeConfig, approval: pb.Approval) -> bytes:
    """The approval's own authorities or else the system's, and those that the hospital adds."""
    named = [certificate.public_bytes(Encoding.PEM) for certificate in root_certificates(approval)]
    certificates = named or [_system_bundle().read_bytes()]
    if config.network.extra_ca is not None:
        certificates += _read(config.network.extra_ca)
    return b"".join(certificates)


def _system_bundle() -> Path:
    named = ssl.get_default_verify_paths().cafile
    for path in (*([named] if named else []), *_SYSTEM_BUNDLES):
        if Path(path).is_file():
            return Path(path)
    message = "the PSO names no certificate authority, and this machine has no file of those that it trusts"
    raise InputError("certificates", message, "name such a file as network.extra_ca in node.toml")


def _read(path: Path) -> list[bytes]:
    """The certificates of a file and nothing else of it: `ca.crt` is no place for a private key."""
    try:
        found = _CERTIFICATE.findall(path.read_bytes())
        if not found:
            raise ValueError("it holds none")
        ssl.create_default_context(cadata=b"".join(found).decode("ascii"))
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        message = f"the certificates in {path} cannot be read: {error}"
        raise InputError("certificates", message, "give a file with certificates in PEM form") from error
    return found


def _bring_up_to_date(path: Path, content: bytes, mode: int) -> None:
    try:
        if path.is_file() and path.read_bytes() == content:
            return
        put_file(path, content, mode)
    except OSError as error:
        hint = f"let this user write to {path.parent}, which the relay's user may own if its group is shared"
        raise InputError("relay_folder", f"{path} cannot be written: {error}", hint) from error
