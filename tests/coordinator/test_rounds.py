"""A round from its opening to its end, over the real broker, intake and store."""

from __future__ import annotations

from coordinator.rounds.conduct import advance_rounds
from coordinator.rounds.states import RoundState
from coordinator.store.schema import Purpose
from protocols.statement import key_id, open_statement
from protocols.v1 import leadline_pb2 as pb
from tests.coordinator.conftest import YEAR, World


def states(world: World) -> set[RoundState]:
    with world.store.reading() as reader:
        return {round_.state for round_ in reader.rounds()}


def test_a_year_is_asked_in_one_batch_and_completes(world: World) -> None:
    opened = world.open()
    assert opened == [f"{YEAR}-benchmark-1", f"{YEAR}-trend-1"]
    deliveries = world.take()
    assert len(deliveries) == 5
    keys = {key_id(world.pso): world.pso}
    requests = [
        open_statement(raw, pb.Request, keys).message for raw in pb.Batch.FromString(deliveries[0].payload).envelopes
    ]
    assert [request.quarter for request in requests] == [1, 2, 3, 4] * 2
    for delivery in deliveries:
        world.deliver(delivery.delivery_id, world.site_of(delivery).exchange(delivery.payload, world.pso))
    assert {round_.state for round_ in advance_rounds(world.store, world.clock)} == {RoundState.COMPLETE}
    with world.store.reading() as reader:
        assert len(reader.releases_of_plan(f"{YEAR}-{Purpose.BENCHMARK}")) == 20
    assert world.take() == []
