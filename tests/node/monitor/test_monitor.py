"""Health and metrics over real HTTP: what they say, what they never say, and to whom."""

from __future__ import annotations

import http.client
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from node.gateway import NotAnsweredError
from node.monitor.listener import Pages, monitored
from node.monitor.metrics import Metrics
from node.pauses import Pause, pause
from node.skew import Skew, keep_skew
from protocols.operator.errors import EndpointError
from protocols.refusals import Code
from tests.node.installed import free_port
from tests.node.world import Node, Pso, supported_site

NAMES = {
    "releases", "release_retries", "budget_spent_ratio", "last_success_timestamp_seconds", "clock_skew_seconds",
    "clock_skew_measured_timestamp_seconds", "rejected", "approval_expiry_seconds", "paused",
}  # fmt: skip


@pytest.fixture
def pso() -> Pso:
    return Pso()


@pytest.fixture
def node(tmp_path: Path, pso: Pso) -> Node:
    made = Node(tmp_path / "node", pso, supported_site(5))
    made.config.paths.person_key.write_bytes(bytes(32))
    made.config.paths.person_key.chmod(0o600)
    sections = {"monitor": made.config.monitor.model_copy(update={"port": free_port()})}
    made.config = made.config.model_copy(update=sections)
    return made


@pytest.fixture
def metrics(node: Node) -> Metrics:
    return Metrics(node.config, node.ledger, node.clock)


@pytest.fixture
def port(node: Node, metrics: Metrics) -> Iterator[int]:
    with monitored(Pages(node.config, node.ledger, node.clock, metrics)):
        yield node.config.monitor.port


def _get(port: int, path: str, host: str | None = None, method: str = "GET") -> tuple[int, str, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, headers={} if host is None else {"Host": host})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, str(answer.headers["Content-Type"]), content


def _values(port: int) -> dict[tuple[str, tuple[str, ...]], float]:
    families = text_string_to_metric_families(_get(port, "/metrics")[2].decode())
    return {
        (s.name, tuple(s.labels[name] for name in sorted(s.labels, reverse=True))): s.value
        for family in families
        for s in family.samples
    }


def test_a_node_in_order_is_healthy_ready_and_says_its_version(port: int) -> None:
    assert _get(port, "/healthz")[0] == 200
    status, media, content = _get(port, "/readyz")
    assert (status, media) == (200, "application/json"), content
    assert json.loads(content)["checks"] == {"ledger": True, "keys": True, "approval": True, "clock": True}
    assert set(json.loads(_get(port, "/version")[2])) == {"version", "catalogue"}


def test_what_is_not_in_order_is_named_with_what_to_do(port: int, node: Node) -> None:
    node.config.paths.person_key.chmod(0o644)
    node.config.paths.approval.unlink()
    node.clock.now -= 86_400 * 2
    status, media, content = _get(port, "/readyz")
    problem = json.loads(content)
    assert (status, media) == (503, "application/problem+json")
    assert {found["check"] for found in problem["problems"]} == {"keys", "approval", "clock"}
    assert all(found["mitigation"] for found in problem["problems"])
    assert _get(port, "/healthz")[0] == 200, "the process is well"


def test_a_ledger_that_cannot_be_written_is_not_ready(port: int, node: Node) -> None:
    shutil.move(node.config.paths.ledger, node.config.paths.ledger.with_name("elsewhere"))
    assert [p["check"] for p in json.loads(_get(port, "/readyz")[2])["problems"]] == ["ledger"]
    assert not node.config.paths.ledger.exists(), "looking makes nothing"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:9464", "127.0.0.1.evil.example", "127.0.0.1", ""])
def test_a_name_that_is_not_loopback_gets_nothing(host: str, port: int) -> None:
    for path in ("/healthz", "/metrics", "/readyz"):
        assert _get(port, path, host)[0] == 421
    assert _get(port, "/healthz", f"localhost:{port}")[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_it_takes_no_input(method: str, port: int) -> None:
    assert _get(port, "/metrics", method=method)[0] == 501


def test_other_paths_are_not_found(port: int) -> None:
    for path in ("/", "/metrics/..", "/debug"):
        assert _get(port, path)[0] == 404


def test_everything_that_passes_is_counted_once(port: int, node: Node, pso: Pso, metrics: Metrics) -> None:
    take = metrics.counted(node.answer)
    for raw in (pso.request(pso.plan(), 1), pso.request(pso.plan(), 1), pso.request(pso.plan(), 2), b"junk"):
        take(raw)
    with pytest.raises(NotAnsweredError):
        metrics.counted(_nobody)(b"")
    keep_skew(node.config, Skew(-1.5, 1_700_000_000))
    values = _values(port)
    prefix = "leadline_node_"
    outcomes = {labels[0]: n for (name, labels), n in values.items() if name == f"{prefix}releases_total"}
    assert outcomes == {"sent": 2, "sent_again": 1, "refused": 1, "unavailable": 1}
    assert values[f"{prefix}release_retries_total", ()] == 1
    assert values[f"{prefix}rejected_total", (Code.MALFORMED,)] == 1
    assert values[f"{prefix}last_success_timestamp_seconds", ()] == node.clock.now
    assert values[f"{prefix}approval_expiry_seconds", ()] == 29 * 86_400
    assert values[f"{prefix}clock_skew_seconds", ()] == -1.5
    assert values[f"{prefix}paused", ()] == 0
    ceiling = node.config.policy.budget_nano()["clinician"]
    assert values[f"{prefix}budget_spent_ratio", ("2025", "clinician")] == pytest.approx(30_000_000 / ceiling)
    assert values[f"{prefix}budget_spent_ratio", ("2025", "record")] == 0
    pause(node.config, Pause.OPERATOR)
    assert _values(port)[f"{prefix}paused", ()] == 1


def _nobody(_raw: bytes) -> bytes:
    raise NotAnsweredError("nobody is there")


def test_a_restarted_daemon_knows_what_was_handed_over(node: Node, pso: Pso) -> None:
    node.answer(pso.request(pso.plan(), 1))
    fresh = Metrics(node.config, node.ledger, node.clock)
    fresh.counted(node.answer)(pso.request(pso.plan(), 1))
    assert b'releases_total{outcome="sent_again"} 1.0' in fresh.text()


def test_names_and_values_do_not_depend_on_the_data(tmp_path: Path, pso: Pso) -> None:
    """Two sites that differ in their rows alone look the same."""
    texts = []
    for people in (0, 40):
        node = Node(tmp_path / str(people), pso, supported_site(people))
        metrics = Metrics(node.config, node.ledger, node.clock)
        metrics.counted(node.answer)(pso.request(pso.plan(), 1))
        keep_skew(node.config, Skew(0.5, 1))
        lines = metrics.text().decode().splitlines()
        texts.append([line for line in lines if "_created" not in line])  # when this process began to count
    assert texts[0] == texts[1]
    families = {line.split()[2] for line in texts[0] if line.startswith("# HELP")}
    assert {name.removeprefix("leadline_node_").removesuffix("_total") for name in families} <= NAMES


def test_port_0_is_off_and_a_taken_port_is_an_error(port: int, node: Node, metrics: Metrics) -> None:
    pages = Pages(node.config, node.ledger, node.clock, metrics)
    with pytest.raises(EndpointError, match=str(port)), monitored(pages):
        pass
    off = node.config.model_copy(update={"monitor": node.config.monitor.model_copy(update={"port": 0})})
    with monitored(Pages(off, node.ledger, node.clock, metrics)):
        pass
