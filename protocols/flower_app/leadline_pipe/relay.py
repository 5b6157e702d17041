"""The hospital's end of the pipe: hands a message's bytes to the node daemon and returns the daemon's bytes.

It runs in a stock SuperNode, holds no data and no data keys, and cannot tell what it carries.
"""

from __future__ import annotations

from typing import cast

import grpc
from flwr.app import ConfigRecord, Context, Error, Message, RecordDict
from flwr.clientapp import ClientApp

EXCHANGE = "/leadline.v1.Gateway/Exchange"
ANSWER_S = 120.0  # a daemon that draws the noise of a whole year answers within seconds
MAX_MESSAGE_BYTES = 8 * 1024 * 1024
DAEMON_UNAVAILABLE = 1001  # an error code of this app; Flower's own are below 100

app = ClientApp()


@app.query()
def exchange(message: Message, context: Context) -> Message:
    """Answer with what the daemon at `daemon` of the node's configuration (a gRPC address) says.

    A daemon that is down or refuses the call gives an error reply; the coordinator asks again, and the daemon's
    ledger returns the same sealed bytes, so that nothing is lost or charged twice.
    """
    daemon = str(context.node_config["daemon"])
    payload = cast("bytes", message.content.config_records["envelope"]["bytes"])
    try:
        answer = _call(daemon, payload)
    except grpc.RpcError as error:
        reason = f"the node daemon at {daemon} did not answer: {error.code().name}"
        return Message(Error(DAEMON_UNAVAILABLE, reason), reply_to=message)
    return Message(RecordDict({"envelope": ConfigRecord({"bytes": answer})}), reply_to=message)


def _call(daemon: str, payload: bytes) -> bytes:
    """Send bytes and receive bytes: without serialisers gRPC passes them as they are."""
    options = [
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ]
    with grpc.insecure_channel(daemon, options=options) as channel:
        exchange_bytes = channel.unary_unary(EXCHANGE, request_serializer=None, response_deserializer=None)
        return cast("bytes", exchange_bytes(payload, timeout=ANSWER_S))
