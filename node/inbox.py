"""One envelope in, one envelope out: what the PSO sends, by relay or as a file, is told apart, checked and answered.

    request      a release or a refusal            (node.release.answer)
    approval     kept as the renewed membership    (node.membership), acknowledged
    publication  kept for the site's own pages     (node.shelf), acknowledged

Everything is noted in the journal. Nothing that came in is believed before its signature has been checked.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from node.clock import Clock
from node.config import NodeConfig
from node.journal import NOTHING, Asked, Journal, KeptPlan
from node.logs import describe_fault
from node.membership import install_approval
from node.release.answer import MAX_ENTRIES, Answerer
from node.release.request import read_request
from node.shelf import keep_publication
from protocols.operator.errors import OperatorError
from protocols.outcomes import outcome_of
from protocols.refusals import Code, Refused
from protocols.statement import KINDS, open_statement, parse_envelope
from protocols.v1 import leadline_pb2 as pb

_log = logging.getLogger("leadline.node")


class Inbox:
    """The way in for every statement. Safe to use from several threads and processes at a time."""

    def __init__(self, config: NodeConfig, answerer: Answerer, journal: Journal, clock: Clock) -> None:
        self._config, self._answerer, self._journal, self._clock = config, answerer, journal, clock
        self._doors: dict[str, Callable[[bytes], bytes]] = {
            KINDS[pb.Request]: self._request,
            KINDS[pb.Approval]: self._approval,
            KINDS[pb.Published]: self._publication,
        }

    def take(self, raw: bytes) -> bytes:
        """The envelope of the answer; never raises on account of what was sent."""
        try:
            door = self._doors.get(parse_envelope(raw).kind)
            if door is None:
                raise Refused(Code.WRONG_KIND, f"expected one of: {', '.join(self._doors)}")
            return door(raw)
        except Refused as refused:
            with self._journalling():
                self._journal.count_unverified(refused.code.value, self._clock.now_s())
            return self._answerer.refusal(refused)
        except OperatorError as error:
            _log.error("what came in could not be kept: %s; %s", error, error.hint)
        except Exception as error:
            _log.error("internal fault while taking in a statement: %s", describe_fault(error))
        return self._answerer.refusal(Refused(Code.INTERNAL))

    def _request(self, raw: bytes) -> bytes:
        ask = read_request(raw, self._config.site.id, self._answerer.pso_keys)
        answer = self._answerer.answer(raw)
        request, plan = ask.request, ask.plan
        code, detail = outcome_of(answer)
        now_s, kind = self._clock.now_s(), KINDS[pb.Request]
        asked = Asked(now_s, kind, request.request_id, plan.plan_id, plan.year, request.quarter, code, detail)
        with self._journalling():
            is_sane = request.known_length <= MAX_ENTRIES
            known = (request.known_length, request.known_head) if is_sane else NOTHING
            kept = KeptPlan(plan.plan_id, plan.year, len(plan.tallies), plan.issued_at_s, request.plan)
            self._journal.note(asked, known, kept)
        return answer

    def _approval(self, raw: bytes) -> bytes:
        opened = open_statement(raw, pb.Approval, self._answerer.pso_keys)
        approval = opened.message
        return self._received(
            Asked(0, KINDS[pb.Approval], f"serial {approval.serial}", "", 0, 0, "", ""),
            opened.digest,
            lambda: install_approval(self._config, raw, None, self._clock.now_s()),
            (approval.known_length, approval.known_head),
        )

    def _publication(self, raw: bytes) -> bytes:
        opened = open_statement(raw, pb.Published, self._answerer.pso_keys)
        signer = (opened.key_id, self._answerer.pso_keys[opened.key_id])
        return self._received(
            Asked(0, KINDS[pb.Published], f"number {opened.message.number}", "", 0, 0, "", ""),
            opened.digest,
            lambda: keep_publication(self._config.paths.publications, opened.message, signer),
        )

    def _received(
        self, asked: Asked, digest: bytes, act: Callable[[], object], known: tuple[int, bytes] = NOTHING
    ) -> bytes:
        """Act on a statement that is verified, and say so; or say why not."""
        try:
            act()
            answer = self._answerer.acknowledgement(digest)
        except Refused as refused:
            answer = self._answerer.refusal(refused)
        code, detail = outcome_of(answer)
        with self._journalling():
            self._journal.note(replace(asked, at_s=self._clock.now_s(), outcome=code, detail=detail), known)
        return answer

    @contextmanager
    def _journalling(self) -> Iterator[None]:
        """The journal is for people: what cannot be written there must not keep an answer back."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            _log.error("the journal cannot be written: %s", error)
