"""The daemon: everything that a node needs, put together from its configuration, and run until it is told to stop."""

from __future__ import annotations

import logging
import signal
import threading
from pathlib import Path

from node.clock import Clock, SystemClock, today
from node.config import NodeConfig
from node.exports import ExportReader
from node.gateway import probe, start_gateway
from node.identity import Identity, load_identity, open_ledger
from node.ledger.store import Ledger
from node.measures.cases import check_vocabulary
from node.release.answer import Answerer
from node.release.site import DataNotReady, SiteData
from privacy.mechanisms import sampler_is_sound
from protocols.catalogue import current_catalogue
from protocols.operator.errors import EndpointError, ExitCode, OperatorError

_log = logging.getLogger("leadline.node")
_STOP_S = 10.0


class SamplerError(OperatorError):
    """The noise is not what it should be; nothing may be released."""

    exit_code = ExitCode.INTERNAL


def build_answerer(
    config: NodeConfig, identity: Identity, ledger: Ledger, reader: ExportReader, clock: Clock
) -> Answerer:
    """Wire keys, ledger, exports and catalogue together."""

    def load_site() -> SiteData:
        site = reader.read(today(clock))
        check_vocabulary(current_catalogue()[0], site.views)
        return site

    return Answerer(config, identity, current_catalogue(), ledger, load_site, clock)


def run(config: NodeConfig, clock: Clock | None = None) -> None:
    """Serve until SIGTERM or SIGINT. OperatorError if the noise sampler fails its self-test or a daemon runs."""
    if not sampler_is_sound():
        hint = "do not release anything; reinstall opendp at the pinned version and start again"
        raise SamplerError("sampler", "the noise sampler failed its self-test", hint)
    if probe(config.paths.socket):
        hint = "stop the other daemon first, or give this one a socket of its own"
        raise EndpointError("running", f"a daemon already serves {config.paths.socket}", hint)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    clock = clock or SystemClock()
    identity, reader = load_identity(config), ExportReader(config.paths)
    ledger = open_ledger(config, identity.signing_key, clock)
    answerer = build_answerer(config, identity, ledger, reader, clock)
    _say_whether_ready(reader, clock)
    server = start_gateway(config.paths.socket, answerer.answer)
    _log.info("serving site %s on %s", config.site.id, config.paths.socket)
    stopped.wait()
    server.stop(_STOP_S).wait()
    ledger.close()
    Path(config.paths.socket).unlink(missing_ok=True)
    _log.info("stopped")


def _say_whether_ready(reader: ExportReader, clock: Clock) -> None:
    """Tell the operator at the start, and not only the first plan, that the exports cannot be read."""
    try:
        reader.read(today(clock))
    except DataNotReady as error:
        _log.error("the exports cannot be read, so plans will be refused until they are mended: %s", error)
