"""Answering a request. The order of acts is the guarantee: reserve (durable), draw, seal and store, and only then send.

An answer that is sealed is sent again byte for byte at no cost. A crash after the reservation leaves it charged.
Every refusal is one of the closed list, is signed, and says nothing that depends on protected rows.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from node.clock import Clock, today
from node.config import NodeConfig
from node.identity import Identity
from node.ledger.register import register_rows
from node.ledger.store import Ledger, Reservation
from node.logs import describe_fault
from node.measures.cases import protected_unit
from node.policy import allowed_tallies, charges, check_budget, check_policy, effective_plan
from node.release.draw import draw_slice
from node.release.request import Ask, check_ask, read_request
from node.release.site import DataNotReady, LoadSite, SiteData
from node.standing import check_left, check_standing
from protocols.catalogue.model import Catalogue
from protocols.operator.errors import SignatureError
from protocols.refusals import Code, Refused
from protocols.statement import seal_statement
from protocols.v1 import leadline_pb2 as pb

_log = logging.getLogger("leadline.node")

MAX_ENTRIES = 2**53
Step = Callable[[str], None]


def no_step(_name: str) -> None:
    """Nothing happens at a step."""


class Answerer:
    """Turns the bytes of a request into the bytes of a signed release or refusal.

    `on_step` is called with "reserved", "drawn" and "sealed" as each is reached; fault tests kill the process there.
    `run_from` is the number of the ledger's newest entry when the node was started, which is now unless it is set:
    what was reserved after it and never sealed met a fault in this run of the node.
    """

    def __init__(
        self,
        config: NodeConfig,
        identity: Identity,
        catalogue: tuple[Catalogue, bytes],
        ledger: Ledger,
        load_site: LoadSite,
        clock: Clock,
        on_step: Step = no_step,
    ) -> None:
        self._config, self._identity, self._ledger = config, identity, ledger
        self._catalogue, self._catalogue_digest = catalogue
        self._load_site, self._clock, self._on_step = load_site, clock, on_step
        self.run_from = ledger.head().length

    def answer(self, raw: bytes) -> bytes:
        """The envelope of a Release or a Refusal; never raises on account of what was asked."""
        ask: Ask | None = None
        try:
            ask = read_request(raw, self._config.site.id, self._identity.pso_keys)
            with self._ledger.locked():
                return self._answer(ask)
        except Refused as refused:
            _log.info("refused: %s", refused)
            return self.refusal(refused, ask)
        except DataNotReady as error:
            _log.error("the exports cannot be read: %s", error)
            return self.refusal(Refused(Code.DATA_NOT_READY), ask)
        except SignatureError as error:
            _log.error("a key or the approval is not in order: %s", error)
            return self.refusal(Refused(Code.INTERNAL), ask)
        except Exception as error:
            # The text of an unforeseen error may quote protected rows, so its kind and place alone are logged.
            _log.error("internal fault while answering: %s", describe_fault(error))
            return self.refusal(Refused(Code.INTERNAL), ask)

    def _answer(self, ask: Ask) -> bytes:
        """Checks in order: not left, not paused, approved, plan and period, ledger not behind, plan id not reused,
        sealed before, plan not closed; then the exports are read, and the effective plan is held against policy and
        budget. The ledger notes an answer before its bytes are handed over.
        """
        own_key = self._identity.signing_key.public_key().public_bytes_raw()
        check_standing(self._config, self._ledger, own_key, self._clock.now_s())
        check_ask(ask, self._catalogue, self._catalogue_digest, self._today())
        self._check_ledger(ask)
        answer = self._ledger.sealed(ask.plan_digest, ask.quarter)
        if answer is None:
            answer = self._new_answer(ask)
        now_s = self._clock.now_s()
        self._ledger.note_sent(ask.plan_digest, ask.quarter, ask.asked_by, ask.request.request_id, now_s)
        return answer

    def _new_answer(self, ask: Ask) -> bytes:
        if self._ledger.is_closed(ask.plan_digest):
            raise Refused(Code.PLAN_CLOSED, f"plan {ask.plan.plan_id}"[:80])
        site = self._load_site()
        ask = replace(ask, plan=self._effective(ask, site))
        check_policy(ask.plan, self._config.policy)
        return self._release(ask, self._price(ask), site)

    def _effective(self, ask: Ask, site: SiteData) -> pb.Plan:
        allowed = allowed_tallies(self._config.policy, self._catalogue, ask.plan.mode)
        answerable = {t for t in allowed if site.can_answer(self._catalogue.tally(t))}
        return effective_plan(ask.plan, self._ledger.tallies_of(ask.plan_digest), answerable)

    def _check_ledger(self, ask: Ask) -> None:
        if forgotten := self._ledger.forgotten():
            raise Refused(Code.LEDGER_BEHIND, f"entry {forgotten} was seen before, here or by the coordinator")
        known = ask.request.known_length
        if known > MAX_ENTRIES:
            raise Refused(Code.LEDGER_BEHIND, "the entry that the coordinator names is out of range")
        if known and not self._ledger.knows(known, ask.request.known_head):
            raise Refused(Code.LEDGER_BEHIND, f"the coordinator has seen entry {known}")
        carried_out = self._ledger.plan_with_id(ask.plan.plan_id)
        if carried_out not in (None, ask.plan_digest):
            raise Refused(Code.PLAN_CONFLICT, f"plan {ask.plan.plan_id}"[:80])

    def _price(self, ask: Ask) -> Reservation:
        attempts = self._ledger.attempts(ask.plan_digest, ask.quarter)
        paid = self._ledger.attempts(ask.plan_digest) > 0
        wanted = charges(ask.plan, ask.quarter, self._catalogue, paid, attempts > 0)
        year = ask.plan.year
        check_budget(year, wanted, self._ledger.spent(year), self._config.policy.budget_nano())
        tallies = tuple(request.tally for request in ask.plan.tallies)
        return Reservation(ask.plan.plan_id, ask.plan_digest, year, ask.quarter, attempts + 1, tallies, wanted)

    def _release(self, ask: Ask, reservation: Reservation, site: SiteData) -> bytes:
        """Reserve, draw, seal. After a fault between them the slice waits for a restart: a fault that stays would
        otherwise charge at every retry.
        """
        if self._ledger.attempts(ask.plan_digest, ask.quarter, after=self.run_from):
            raise Refused(Code.INTERNAL)
        return self._reserve_draw_seal(ask, reservation, site)

    def _reserve_draw_seal(self, ask: Ask, reservation: Reservation, site: SiteData) -> bytes:
        exposures = self._exposures(ask, site)  # before anything is charged: declared facts can be impossible ones
        entry = self._ledger.reserve(reservation, self._clock.now_s())
        self._on_step("reserved")
        drawn = draw_slice(ask, self._catalogue, site, self._ledger, self._config.site.person_keys)
        self._on_step("drawn")
        head, now_s = self._ledger.head(), self._clock.now_s()
        release = pb.Release(
            release_id=f"{ask.plan_digest.hex()[:16]}-q{ask.quarter}-{reservation.attempt}",
            site_id=self._config.site.id,
            plan_digest=ask.plan_digest,
            quarter=ask.quarter,
            tables=drawn.tables,
            exposures=exposures,
            units=self._units(ask.plan),
            ledger_head=head.hash,
            ledger_length=head.length,
            sealed_at_s=now_s,
        )
        envelope = seal_statement(release, self._identity.signing_key)
        self._ledger.seal(entry, reservation, envelope, register_rows(drawn.admitted), now_s)
        self._on_step("sealed")
        return envelope

    def _exposures(self, ask: Ask, site: SiteData) -> list[pb.Exposure]:
        declared = sorted(site.exposures(ask.plan.year, ask.quarter).items())
        return [pb.Exposure(name=name, months=months) for name, months in declared]

    def _units(self, plan: pb.Plan) -> list[pb.ProtectedUnit]:
        person_keys = self._config.site.person_keys
        tallies = [self._catalogue.tally(request.tally) for request in plan.tallies]
        return [pb.ProtectedUnit(tally=tally.id, unit=protected_unit(tally, person_keys)) for tally in tallies]

    @property
    def pso_keys(self) -> Mapping[str, Ed25519PublicKey]:
        """The keys, by key id, whose statements are listened to."""
        return self._identity.pso_keys

    def acknowledgement(self, digest: bytes) -> bytes:
        """The signed envelope that says: received what has this SHA-256, and this is where the ledger stands.

        Refused with SITE_LEFT if the site has left for good.
        """
        check_left(self._ledger)
        head = self._ledger.head()
        received = pb.Acknowledgement(
            site_id=self._config.site.id,
            digest=digest,
            at_s=self._clock.now_s(),
            ledger_head=head.hash,
            ledger_length=head.length,
        )
        return seal_statement(received, self._identity.signing_key)

    def refusal(self, refused: Refused, ask: Ask | None = None) -> bytes:
        """The signed envelope of a refusal; it names the request where one could be read."""
        refusal = pb.Refusal(site_id=self._config.site.id, code=refused.code.value, detail=refused.detail)
        if ask is not None:
            refusal.request_id = ask.request.request_id
            refusal.plan_digest = ask.plan_digest
            refusal.quarter = ask.quarter
        return seal_statement(refusal, self._identity.signing_key)

    def _today(self) -> date:
        return today(self._clock)
