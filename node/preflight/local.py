"""The checks of what lies on this machine: files and their modes, keys, the relay's folder, disk, ports."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_private_key

from node.enrolment import load_transport_key
from node.monitor.readiness import NotReadyError, check_keys, check_writable
from node.preflight.finding import Verdict, failed, ok, skipped, warning
from node.preflight.subject import Subject
from node.relay_settings import CA_NAME, SETTINGS_NAME, outdated
from node.service.only import daemon_lock, is_held
from protocols.keys import KeyFileError, canonical_transport_key, load_private_key, load_public_key
from protocols.profile import parse_profile

HOST = "127.0.0.1"
MAX_SOCKET_BYTES = 107  # sun_path of unix(7)
LOW_BYTES, WARN_BYTES = 200 * 2**20, 2 * 2**30


def check_files(subject: Subject) -> Verdict:
    """Everything that the configuration names is there, and nothing secret is open to other users."""
    paths = subject.config.paths
    for path, what, remedy in (
        (paths.exports, "exports folder", "make it, or mend its path in node.toml"),
        (paths.mapping, "mapping file", "leadline-node map makes it from your exports"),
        (paths.ledger, "ledger", "mend its path in node.toml, or restore it from your backup"),
    ):
        if not path.exists():
            return failed(f"there is no {what} {path}", remedy)
    owner = paths.ledger.stat().st_uid
    if owner != os.geteuid():
        name = _user_name(owner)
        remedy = f"run every command of this site as its user: sudo -u {name} leadline-node preflight"
        return failed(f"the site belongs to the user {name}, and this is {_user_name(os.geteuid())}", remedy)
    if len(str(paths.socket).encode()) > MAX_SOCKET_BYTES:
        remedy = "set paths.socket in node.toml to a shorter path, such as /run/leadline/node.sock"
        return failed(f"the path of the socket is longer than {MAX_SOCKET_BYTES} bytes", remedy)
    open_to_others = list(_open_to_others(subject))
    if open_to_others:
        return failed(f"open to other users: {', '.join(open_to_others)}", f"chmod o-rwx {' '.join(open_to_others)}")
    if paths.exports.stat().st_mode & stat.S_IROTH:
        return warning(f"every user of this machine can read {paths.exports}", f"chmod o-rwx {paths.exports}")
    return ok("all there, none open to other users")


def _user_name(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _open_to_others(subject: Subject) -> Iterator[str]:
    """Secrets and records that a user outside owner and group can read or change, and folders they could swap."""
    paths = subject.config.paths
    secret = (paths.signing_key, paths.person_key, paths.ledger, paths.journal, paths.quality, paths.relay)
    for path in dict.fromkeys((*secret, paths.signing_key.parent, paths.ledger.parent)):
        if path.exists() and path.stat().st_mode & stat.S_IRWXO:
            yield str(path)


def check_profile(subject: Subject) -> Verdict:
    """The public attributes are filled in."""
    parse_profile(subject.config.paths.profile)
    return ok("complete")


def check_site_keys(subject: Subject) -> Verdict:
    """Signing and person key are there, private, of their kinds, and not one and the same; the public half fits."""
    try:
        check_keys(subject.config)
    except NotReadyError as error:
        return failed(str(error), error.remedy)
    paths = subject.config.paths
    key, public = load_private_key(paths.signing_key), paths.signing_key.with_suffix(".pub")
    if paths.person_key.read_bytes() in {key.private_bytes_raw(), paths.signing_key.read_bytes()}:
        return failed("the person key is the signing key", "restore keys/person.key from your backup")
    if public.is_file() and load_public_key(public) != key.public_key():
        return failed(f"{public} is not the public half of {paths.signing_key}", "restore both from one backup")
    return ok("signing key and person key are there, separate and private")


def check_transport_key(subject: Subject) -> Verdict:
    """The relay's key is there, of its kind, apart from the site's keys, and its public half fits."""
    paths = subject.config.paths
    private = paths.relay / "transport"
    if paths.relay.resolve() == paths.signing_key.parent.resolve():
        return failed("the relay's folder is the folder of the site's keys", "give paths.relay a folder of its own")
    if private.is_file() and private.stat().st_mode & stat.S_IRWXO:
        return failed(f"{private} can be read by other users", f"chmod o-rwx {private}")
    try:
        public = load_ssh_private_key(private.read_bytes(), password=None).public_key()
    except PermissionError:
        return skipped(f"{private} belongs to the relay's user, as it may")
    except (OSError, ValueError) as error:
        return failed(f"{private} cannot be read ({type(error).__name__})", "leadline-node rekey --transport")
    text = public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    if canonical_transport_key(text) != load_transport_key(subject.config):
        return failed(f"{private}.pub is not the public half of {private}", "restore both from one backup")
    return ok("there, private, and apart from the site's keys")


def check_ledger_file(subject: Subject) -> Verdict:
    """The ledger holds together, is this site's, and can be written."""
    length = subject.ledger.head().length
    try:
        check_writable(subject.config.paths.ledger)
    except NotReadyError as error:
        return failed(str(error), error.remedy)
    if subject.ledger.has_left():
        return failed("this site has left the network", "to take part again, enrol as a new site in a new folder")
    return ok(f"{length} entries, every link and signature in order; writable")


def check_disk(subject: Subject) -> Verdict:
    """There is room for the ledger, the journal and publications."""
    folder = subject.config.paths.ledger.parent
    free = shutil.disk_usage(folder).free
    words = f"{free / 2**30:.1f} GiB free in {folder}"
    remedy = "make room: a full disk stops every answer before anything is charged"
    if free < LOW_BYTES:
        return failed(words, remedy)
    return warning(words, remedy) if free < WARN_BYTES else ok(words)


def check_monitor_port(subject: Subject) -> Verdict:
    """The port for health and metrics is free, or our own daemon has it."""
    port = subject.config.monitor.port
    if not port:
        return ok("switched off")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if is_held(daemon_lock(subject.config.paths.socket)):
                return ok(f"port {port} is held, by the running daemon")
            remedy = "set monitor.port in node.toml to a free one, or to 0 for no monitoring"
            return failed(f"port {port} cannot be used: {error.strerror}", remedy)
    return ok(f"port {port} is free")


def check_relay_files(subject: Subject) -> Verdict:
    """What the relay is told is there, follows from node.toml and the approval, and holds no private key."""
    folder = subject.config.paths.relay
    missing = [name for name in (CA_NAME, SETTINGS_NAME) if not (folder / name).is_file()]
    if missing:
        remedy = "import the approval, which writes them: leadline-node import-approval FILE"
        return failed(f"{' and '.join(missing)} missing in {folder}", remedy)
    strays = [path.name for path in folder.iterdir() if _is_site_key(path)]
    if strays:
        return failed(f"{folder} holds keys of the site: {', '.join(strays)}", "move them away; the relay needs none")
    membership = subject.membership
    old = outdated(subject.config, membership.approval) if membership is not None else ()
    if old:
        words = f"{' and '.join(old)} in {folder} say something else than node.toml and the approval"
        return failed(words, "start the daemon again, which writes them anew (leadline-node start), then the relay")
    return ok("settings and certificates are there, as node.toml and the approval have them")


def _is_site_key(path: Path) -> bool:
    try:
        load_private_key(path)
    except (KeyFileError, OSError):
        return False
    return True
