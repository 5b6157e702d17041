"""Three real SuperNodes under a real SuperLink, with TLS and authentication, and the pump under its supervisor."""

from __future__ import annotations

import os

import pytest

from protocols.v1.leadline_pb2 import Batch
from tests.flower.pipe import Pipe
from tests.flower.servers import wait_for

pytestmark = pytest.mark.federation

NOT_TEXT_NOR_PROTOBUF = bytes(range(256)) + b"\xff" * 7


def test_carries_the_same_bytes_to_each_site_and_back(pipe: Pipe) -> None:
    payloads = {site: NOT_TEXT_NOR_PROTOBUF + os.urandom(1 << 20) for site in pipe.sites}
    asked = {site: pipe.ask(site, payload) for site, payload in payloads.items()}
    for site, payload in payloads.items():
        assert pipe.answer(asked[site]) == site.name.encode() + b"\0" + payload


def test_carries_many_envelopes_in_one_message(pipe: Pipe) -> None:
    site = pipe.sites[0]
    envelopes = [os.urandom(500) for _ in range(400)]
    calls_before = site.gateway.calls
    answer = pipe.answer(pipe.ask(site, Batch(envelopes=envelopes).SerializeToString()))
    assert list(Batch.FromString(answer.removeprefix(site.name.encode() + b"\0")).envelopes) == envelopes
    assert site.gateway.calls == calls_before + 1


def test_a_daemon_that_failed_is_asked_again(pipe: Pipe) -> None:
    site = pipe.sites[1]
    calls_before = site.gateway.calls
    site.gateway.is_failing = True
    asked = pipe.ask(site, b"while the daemon fails")
    wait_for(lambda: site.gateway.calls == calls_before + 1)
    site.gateway.is_failing = False
    pipe.broker.resend()
    assert pipe.answer(asked) == b"site-02\0while the daemon fails"
    assert site.gateway.calls == calls_before + 2


def test_skips_a_site_that_is_down_and_answers_after_its_return(pipe: Pipe) -> None:
    away, *others = pipe.sites
    away.node.stop()
    wait_for(lambda: away.transport_key not in pipe.broker.online)
    asked = pipe.ask(away, b"for the site that is away")
    for site in others:
        assert pipe.answer(pipe.ask(site, b"here")) == site.name.encode() + b"\0here"
    assert asked not in pipe.broker.answers
    away.node.start()
    assert pipe.answer(asked) == b"site-01\0for the site that is away"


def test_supervisor_starts_another_pump_after_one_ended(pipe: Pipe) -> None:
    runs_before = len(pipe.runs())
    pipe.broker.stop()
    wait_for(lambda: all(status.startswith("finished") for status in pipe.runs()))
    pipe.broker.start()
    assert pipe.answer(pipe.ask(pipe.sites[0], b"with another pump")) == b"site-01\0with another pump"
    assert len(pipe.runs()) > runs_before


def test_carries_on_after_the_superlink_was_killed(pipe: Pipe) -> None:
    pipe.link.process.kill()
    asked = [pipe.ask(site, b"after the crash") for site in pipe.sites]
    pipe.link.start()
    for site, delivery in zip(pipe.sites, asked, strict=True):
        assert pipe.answer(delivery) == site.name.encode() + b"\0after the crash"
    assert all(site.node.is_running() for site in pipe.sites)
