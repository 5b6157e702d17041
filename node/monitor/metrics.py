"""Metrics for Prometheus. Names and values are public facts; none depends on protected rows, not even its timing.

What a daemon counts starts at 0 with it, as Prometheus expects; the rest is read when it is asked for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from node.clock import Clock
from node.config import NodeConfig
from node.gateway import NotAnsweredError
from node.ledger.budget import describe_budget
from node.ledger.store import Ledger
from node.membership import load_membership
from node.pauses import paused_by
from node.skew import kept_skew
from protocols.operator.errors import OperatorError
from protocols.refusals import Code
from protocols.statement import KINDS, parse_canonical, parse_envelope
from protocols.v1 import leadline_pb2 as pb

PREFIX = "leadline_node"
Answer = Callable[[bytes], bytes]


class Metrics(Collector):
    """Counts what passes the gateway, and reads budget, approval, clock and pause."""

    def __init__(self, config: NodeConfig, ledger: Ledger, clock: Clock) -> None:
        self._config, self._ledger, self._clock = config, ledger, clock
        self._registry = CollectorRegistry()
        self._answers = self._counter("releases", "Requests by what became of them", "outcome")
        self._retries = self._counter("release_retries", "Sealed releases that were handed over again")
        self._rejected = self._counter("rejected", "Refusals by their code", "reason")
        self._handed_over = {c["release"] for c in ledger.contents("sealed")}
        self._registry.register(self)

    def counted(self, answer: Answer) -> Answer:
        """`answer`, and every call of it counted."""

        def answer_and_count(raw: bytes) -> bytes:
            try:
                reply = answer(raw)
            except NotAnsweredError:
                self._answers.labels("unavailable").inc()
                raise
            self._count(reply)
            return reply

        return answer_and_count

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """What is read when it is asked for."""
        budget = GaugeMetricFamily(f"{PREFIX}_budget_spent_ratio", "Part spent", labels=["year", "scope"])
        for row in describe_budget(self._ledger, self._config.policy.budget_nano(), self._clock):
            budget.add_metric([str(row["year"]), row["scope"]], row["spent_nano"] / row["ceiling_nano"])
        yield budget
        yield _gauge("paused", "1 while the site has paused", float(paused_by(self._config) is not None))
        yield from self._moments()

    def _moments(self) -> Iterator[Metric]:
        sealed = [c["at"] for c in self._ledger.contents("sealed")]
        if sealed:
            yield _gauge("last_success_timestamp_seconds", "When a release was last sealed", float(max(sealed)))
        try:
            membership = load_membership(self._config)
        except OperatorError:
            membership = None  # /readyz says why
        if membership is not None:
            left_s = membership.approval.valid_until_s - self._clock.now_s()
            yield _gauge("approval_expiry_seconds", "Until the approval ends, unless it is renewed", float(left_s))
        skew = kept_skew(self._config)
        if skew is not None:
            yield _gauge("clock_skew_seconds", "This clock minus the SuperLink's, at the last preflight", skew.skew_s)
            yield _gauge("clock_skew_measured_timestamp_seconds", "When that preflight ran", float(skew.at_s))

    def _count(self, reply: bytes) -> None:
        envelope = parse_envelope(reply)
        if envelope.kind == KINDS[pb.Release]:
            digest = hashlib.sha256(reply).hexdigest()
            again = digest in self._handed_over
            self._answers.labels("sent_again" if again else "sent").inc()
            self._retries.inc(int(again))
            self._handed_over.add(digest)
        elif envelope.kind == KINDS[pb.Refusal]:
            self._answers.labels("refused").inc()
            self._rejected.labels(_code(envelope.body)).inc()

    def _counter(self, name: str, words: str, *labels: str) -> Counter:
        return Counter(f"{PREFIX}_{name}", words, labels, registry=self._registry)


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{PREFIX}_{name}", words, value=value)


def _code(body: bytes) -> str:
    """The refusal's code, which our own worker took from the closed list."""
    return Code(parse_canonical(body, pb.Refusal).code).value
