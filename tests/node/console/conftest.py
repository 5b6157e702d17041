"""A site that has just been made, and one with the data of an invented hospital; a browser's side of the console."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from node.config import Console, NodeConfig
from node.console.app import create_console
from node.console.credentials import TokenFile
from node.shelf import keep_publication
from protocols.publication.document import sign_document
from protocols.statement import key_id
from protocols.v1 import leadline_pb2 as pb
from tests.coordinator.portal.examples import full_publication
from tests.node.world import Node, Pso, SettableClock, supported_site

BASE = "http://127.0.0.1:8765"
FROM_HERE = {"Origin": BASE, "Sec-Fetch-Site": "same-origin"}


def make_site(folder: Path, exports: Path, approve: bool = False) -> Node:
    """A site with keys and an empty ledger; what it would answer from is a small site by hand, not the exports."""
    node = Node(folder, Pso(), supported_site(200), approve=approve)
    secret = node.config.paths.person_key
    secret.write_bytes(bytes(range(32)))
    secret.chmod(0o600)
    paths = node.config.paths.model_copy(update={"exports": exports, "mapping": exports / "mapping.toml"})
    console = Console(password_file=folder / "keys" / "console.password")
    node.config = node.config.model_copy(update={"paths": paths, "console": console})
    return node


def live_a_little(node: Node) -> None:
    """Two quarters are asked for and answered, one is asked for again, one is refused, and a stranger knocks."""
    plan = node.pso.plan(("supported", "activations"))
    dear = node.pso.plan(("supported",), plan_id="dear", rho_nano=9_000_000_000)
    node.inbox.take(node.pso.request(dear, 3))
    for quarter in (1, 2, 2):
        node.inbox.take(node.pso.request(plan, quarter))
    node.inbox.take(Pso().request(plan, 3))


def receive_benchmarks(node: Node) -> None:
    """The newest publication comes in, signed by the PSO of this site."""
    document = full_publication().document()
    message = pb.Published(number=1, document=gzip.compress(document), signature=sign_document(document, node.pso.key))
    signer = node.pso.key.public_key()
    keep_publication(node.config.paths.publications, message, (key_id(signer), signer))


@dataclass
class Browser:
    """Keeps the cookie and sends forms as a browser does; follows no redirect by itself."""

    config: NodeConfig
    clock: SettableClock = field(default_factory=SettableClock)

    def __post_init__(self) -> None:
        app = create_console(self.config, self.clock)
        self.client = TestClient(
            app,
            base_url=BASE,
            follow_redirects=False,
            raise_server_exceptions=False,
        )

    def get(self, path: str, **headers: str) -> httpx.Response:
        answer: httpx.Response = self.client.get(path, headers=headers)
        return answer

    def form_token(self, path: str) -> str:
        found = re.search(r'name="form_token" value="([0-9a-f]{64})"', self.get(path).text)
        assert found is not None
        return found.group(1)

    def send(self, path: str, fields: dict[str, str], page: str = "/") -> httpx.Response:
        """Fill in the form of `page` and send it to `path`."""
        fields = {"form_token": self.form_token(page), **fields}
        answer: httpx.Response = self.client.post(path, data=fields, headers=FROM_HERE)
        return answer

    def sign_in(self) -> httpx.Response:
        """With a fresh one-time token."""
        token = TokenFile.of(self.config).issue(self.clock.now_s())
        return self.send("/login", {"token": token}, "/login")


@pytest.fixture
def node(tmp_path: Path) -> Node:
    """A new site without exports."""
    exports = tmp_path / "exports"
    exports.mkdir()
    return make_site(tmp_path / "site", exports)


@pytest.fixture
def config(node: Node) -> NodeConfig:
    """Its settings."""
    return node.config


@pytest.fixture
def browser(config: NodeConfig) -> Iterator[Browser]:
    """A browser that has not signed in."""
    browser = Browser(config)
    yield browser
    browser.client.close()


@pytest.fixture
def signed_in(browser: Browser) -> Browser:
    """A browser that has."""
    assert browser.sign_in().status_code == 303
    return browser
