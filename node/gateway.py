"""The daemon's only door: gRPC on a unix socket, for the relay. Signed envelopes in, signed envelopes out."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from node.logs import describe_fault
from protocols.v1 import leadline_pb2 as pb
from protocols.v1 import leadline_pb2_grpc as services

_log = logging.getLogger("leadline.node")

MAX_MESSAGE_BYTES = 8 * 1024 * 1024
MAX_BATCH = 64
THREADS = 4  # one exchanges; the others answer health checks, and tell a relay that comes twice to come again
SERVICE = pb.DESCRIPTOR.services_by_name["Gateway"].full_name


class NotAnsweredError(Exception):
    """Nobody can answer now; the relay hears "unavailable", and asking again later costs nothing."""


class Gateway(services.GatewayServicer):
    """Answers each envelope of a batch, in order."""

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self._answer = answer

    def Exchange(self, request: pb.Batch, context: grpc.ServicerContext) -> pb.Batch:  # noqa: N802, RET503 - gRPC's; abort raises
        """One answer for every envelope, or none at all (RESOURCE_EXHAUSTED, UNAVAILABLE, INTERNAL)."""
        if len(request.envelopes) > MAX_BATCH:
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, f"at most {MAX_BATCH} envelopes in one batch")
        try:
            return pb.Batch(envelopes=[self._answer(envelope) for envelope in request.envelopes])
        except NotAnsweredError as error:
            _log.warning("not answered: %s", error)
            status, words = grpc.StatusCode.UNAVAILABLE, "the node cannot answer now; ask again"
        except Exception as error:
            # Left to gRPC, its text would be logged and sent.
            _log.error("internal fault in the gateway: %s", describe_fault(error))
            status, words = grpc.StatusCode.INTERNAL, "the node met a fault of its own"
        context.abort(status, words)


def start_gateway(socket: Path, answer: Callable[[bytes], bytes]) -> grpc.Server:
    """Serve on `socket` (mode 0660: the relay's user needs the file's group) with health and reflection."""
    socket.parent.mkdir(parents=True, exist_ok=True)
    socket.parent.chmod(0o750)
    socket.unlink(missing_ok=True)
    limits = [
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ]
    server = grpc.server(ThreadPoolExecutor(max_workers=THREADS), options=limits)
    services.add_GatewayServicer_to_server(Gateway(answer), server)
    status = health.HealthServicer()
    status.set(SERVICE, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(status, server)
    reflection.enable_server_reflection((SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    server.add_insecure_port(f"unix:{socket}")
    server.start()
    socket.chmod(0o660)
    return server


def probe(socket: Path, timeout_s: float = 2.0) -> bool:
    """Whether a daemon answers its health check on `socket`."""
    with grpc.insecure_channel(f"unix:{socket}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            reply = stub.Check(health_pb2.HealthCheckRequest(service=SERVICE), timeout=timeout_s)
        except grpc.RpcError:
            return False
        return bool(reply.status == health_pb2.HealthCheckResponse.SERVING)
