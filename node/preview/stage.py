"""What an answer needs, made to be thrown away: keys, a PSO, an approval and a ledger in a temporary folder."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node.config import NodeConfig, Paths
from node.enrolment import load_transport_key
from node.identity import Identity
from node.ledger.store import Ledger
from node.release.answer import Answerer
from node.release.site import LoadSite
from protocols.catalogue import current_catalogue
from protocols.keys import create_private_key, create_transport_key, public_pem
from protocols.operator.settings import anchored
from protocols.statement import key_id, seal_statement
from protocols.v1 import leadline_pb2 as pb

_DAY_S = 86_400
QUARTER = 4


@dataclass(frozen=True)
class StoppedClock:
    """A clock that stands still, so that the plan's year has ended."""

    at_s: int

    def now_s(self) -> int:
        """Unix time in whole seconds."""
        return self.at_s


@contextmanager
def stage(config: NodeConfig, load_site: LoadSite, clock: StoppedClock) -> Iterator[Callable[[pb.Plan], bytes]]:
    """A function that answers a plan's last quarter as the site would; all that it leaves behind is removed."""
    with tempfile.TemporaryDirectory(prefix="leadline-preview-") as name:
        own = config.model_copy(update={"paths": _paths(Path(name))})
        pso = Ed25519PrivateKey.generate()
        key = create_private_key(own.paths.signing_key)
        create_transport_key(own.paths.relay / "transport")
        own.paths.pso_key.write_text(public_pem(pso.public_key()))
        own.paths.approval.write_bytes(seal_statement(_approval(own, key, pso, clock.at_s), pso))
        ledger = Ledger(own.paths.ledger, key, own.site.id, clock.at_s)
        identity = Identity(key, {key_id(pso.public_key()): pso.public_key()})
        answerer = Answerer(own, identity, current_catalogue(), ledger, load_site, clock)
        yield lambda plan: answerer.answer(_request(plan, own.site.id, pso))
        ledger.close()


def _paths(folder: Path) -> Paths:
    """Every path of a site, below `folder`; there are no exports."""
    paths = anchored(Paths(exports=Path("exports"), mapping=Path("mapping.toml")), folder)
    for needed in (paths.signing_key.parent, paths.relay):
        needed.mkdir()
    return paths


def _approval(config: NodeConfig, key: Ed25519PrivateKey, pso: Ed25519PrivateKey, at_s: int) -> pb.Approval:
    return pb.Approval(
        site_id=config.site.id,
        signing_key=key.public_key().public_bytes_raw(),
        transport_key=load_transport_key(config),
        serial=1,
        valid_from_s=at_s,
        valid_until_s=at_s + _DAY_S,
        pso_title="Preview",
        pso_key=pso.public_key().public_bytes_raw(),
        superlink="preview.invalid:1",
    )


def _request(plan: pb.Plan, site_id: str, pso: Ed25519PrivateKey) -> bytes:
    envelope = seal_statement(plan, pso)
    return seal_statement(pb.Request(request_id="preview", site_id=site_id, plan=envelope, quarter=QUARTER), pso)
