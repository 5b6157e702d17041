"""The PSO's word that a site takes part with its keys until a day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from coordinator.clock import Clock
from coordinator.config import Config
from coordinator.store.records import IssuedApproval
from coordinator.store.schema import Site
from protocols.enrolment import open_approval
from protocols.keys import parse_public_pem
from protocols.operator.errors import InputError
from protocols.refusals import Refused
from protocols.statement import key_id, seal_statement
from protocols.v1 import leadline_pb2 as pb

CLOCKS_DIFFER = timedelta(minutes=5)  # so that an approval holds at a hospital whose clock is behind ours


class Issuer:
    """Signs approvals with what the configuration says of us."""

    def __init__(self, config: Config, clock: Clock, key: Ed25519PrivateKey) -> None:
        self._config, self._clock, self._key = config, clock, key

    def issue(self, site: Site) -> IssuedApproval:
        """The next approval of a site; InputError if the configuration does not say where hospitals reach us."""
        now = self._clock.now().replace(microsecond=0)
        life = timedelta(days=self._config.sites.approval_days)
        message = self._message(site, now - CLOCKS_DIFFER, now + life)
        envelope = seal_statement(message, self._key)
        self._require_sound(envelope)
        return IssuedApproval(envelope, message.serial, now + life, now + life * 2 / 3)

    def _message(self, site: Site, since: datetime, until: datetime) -> pb.Approval:
        if not self._config.sites.superlink:
            hint = 'set it in coordinator.toml, such as superlink = "pso.example.org:443"'
            raise InputError("superlink", "sites.superlink does not say where hospitals reach the SuperLink", hint)
        return pb.Approval(
            site_id=site.site_id,
            signing_key=parse_public_pem(site.public_key).public_bytes_raw(),
            transport_key=site.transport_key,
            serial=site.approval_serial + 1,
            valid_from_s=int(since.timestamp()),
            valid_until_s=int(until.timestamp()),
            pso_title=self._config.title,
            pso_key=self._key.public_key().public_bytes_raw(),
            superlink=self._config.sites.superlink,
            root_certificates=_read_certificates(self._config.sites.root_certificates),
            known_head=site.ledger_head,
            known_length=site.ledger_length,
        )

    def _require_sound(self, envelope: bytes) -> None:
        """What a hospital would refuse is not handed out."""
        public = self._key.public_key()
        try:
            open_approval(envelope, {key_id(public): public})
        except Refused as refused:
            hint = "mend title, sites.superlink or sites.root_certificates in coordinator.toml"
            raise InputError("approval", f"hospitals would refuse the approval: {refused.detail}", hint) from refused


def read_approval(site: Site) -> pb.Approval:
    """The message inside a site's newest approval."""
    return pb.Approval.FromString(pb.Envelope.FromString(site.approval).body)


def is_valid(site: Site, now: datetime) -> bool:
    """Whether the site's approval has not ended."""
    return now.astimezone(UTC) < site.approval_until


def _read_certificates(path: Path | None) -> bytes:
    try:
        return path.read_bytes() if path else b""
    except OSError as error:
        message = f"sites.root_certificates: {path} cannot be read ({error.strerror})"
        raise InputError("root_certificates", message, "mend the path in coordinator.toml") from error
