"""The daemon's only door: gRPC on a unix socket, for the relay. Signed envelopes in, signed envelopes out."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from protocols.v1 import leadline_pb2 as pb
from protocols.v1 import leadline_pb2_grpc as services

MAX_MESSAGE_BYTES = 8 * 1024 * 1024
MAX_BATCH = 64
SERVICE = pb.DESCRIPTOR.services_by_name["Gateway"].full_name


class Gateway(services.GatewayServicer):
    """Answers each envelope of a batch, in order."""

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self._answer = answer

    def Exchange(self, request: pb.Batch, context: grpc.ServicerContext) -> pb.Batch:  # noqa: N802 - gRPC's name
        """One answer for every envelope."""
        if len(request.envelopes) > MAX_BATCH:
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, f"at most {MAX_BATCH} envelopes in one batch")
        return pb.Batch(envelopes=[self._answer(envelope) for envelope in request.envelopes])


def start_gateway(socket: Path, answer: Callable[[bytes], bytes]) -> grpc.Server:
    """Serve on `socket` (mode 0660: the relay's user needs the file's group) with health and reflection."""
    socket.parent.mkdir(parents=True, exist_ok=True)
    socket.parent.chmod(0o750)
    socket.unlink(missing_ok=True)
    limits = [
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ]
    server = grpc.server(ThreadPoolExecutor(max_workers=2), options=limits)
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
