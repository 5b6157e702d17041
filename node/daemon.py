"""What answers: keys, ledger, exports and catalogue, put together from the configuration. Lives in the worker."""

from __future__ import annotations

import logging

from node.clock import Clock, today
from node.config import NodeConfig
from node.exports import ExportReader
from node.identity import load_identity, open_ledger
from node.inbox import Inbox
from node.journal import Journal
from node.measures.cases import check_vocabulary
from node.release.answer import Answerer, Step, no_step
from node.release.site import DataNotReady, SiteData
from privacy.mechanisms import sampler_is_sound
from protocols.catalogue import current_catalogue
from protocols.operator.errors import ExitCode, OperatorError

_log = logging.getLogger("leadline.node")


class SamplerError(OperatorError):
    """The noise is not what it should be; nothing may be released."""

    exit_code = ExitCode.INTERNAL


def require_sound_sampler() -> None:
    """SamplerError unless the noise passes its self-test."""
    if not sampler_is_sound():
        hint = "do not release anything; reinstall opendp at the pinned version and start again"
        raise SamplerError("sampler", "the noise sampler failed its self-test", hint)


def build_inbox(
    config: NodeConfig,
    clock: Clock,
    reader: ExportReader | None = None,
    run_from: int | None = None,
    on_step: Step = no_step,
) -> Inbox:
    """What every envelope goes through, from the relay or from a file. OperatorError if keys or ledger are broken.

    `run_from` is the ledger's length when the node was started, by default now; `on_step` hears of the steps of an
    answer (see `Answerer`).
    """
    identity, reader = load_identity(config), reader or ExportReader(config.paths)
    ledger = open_ledger(config, identity.signing_key, clock)

    def load_site() -> SiteData:
        site = reader.read(today(clock))
        check_vocabulary(current_catalogue()[0], site.views)
        return site

    answerer = Answerer(config, identity, current_catalogue(), ledger, load_site, clock, on_step)
    if run_from is not None:
        answerer.run_from = run_from
    return Inbox(config, answerer, Journal(config.paths.journal), clock)


def say_whether_ready(reader: ExportReader, clock: Clock) -> None:
    """Tell the operator at the start, and not only the first plan, that the exports cannot be read."""
    try:
        reader.read(today(clock))
    except DataNotReady as error:
        _log.error("the exports cannot be read, so plans will be refused until they are mended: %s", error)
