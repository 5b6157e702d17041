"""A site that has just been made, and one with the data of an invented hospital; a browser's side of the console."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.testclient import TestClient

from node.config import Console, NodeConfig, Paths, Site
from node.console.app import create_console
from node.console.credentials import TokenFile
from node.ledger.store import Ledger
from protocols.keys import create_private_key, public_pem
from tests.node.world import NOW, SITE, SettableClock

BASE = "http://127.0.0.1:8765"
FROM_HERE = {"Origin": BASE, "Sec-Fetch-Site": "same-origin"}


def make_site(folder: Path, exports: Path) -> NodeConfig:
    """The settings, keys and empty ledger of a new site."""
    keys = folder / "keys"
    keys.mkdir(parents=True, mode=0o700)
    key = create_private_key(keys / "site.key")
    (keys / "pso.pub").write_text(public_pem(Ed25519PrivateKey.generate().public_key()))
    person = keys / "person.key"
    person.write_bytes(bytes(range(32)))
    person.chmod(0o600)
    names = {"ledger": "ledger.sqlite", "signing_key": "keys/site.key", "person_key": "keys/person.key"}
    names |= {"pso_key": "keys/pso.pub", "approval": "keys/approval", "profile": "profile.toml", "relay": "relay"}
    names |= {"journal": "journal.sqlite", "publications": "publications", "quality": "quality", "socket": "run/s"}
    places = {name: folder / path for name, path in names.items()}
    paths = Paths(exports=exports, mapping=exports / "mapping.toml", **places)
    Ledger(paths.ledger, key, SITE, NOW).close()
    return NodeConfig(site=Site(id=SITE), paths=paths, console=Console(password_file=keys / "console.password"))


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
def config(tmp_path: Path) -> NodeConfig:
    """A new site without exports."""
    exports = tmp_path / "exports"
    exports.mkdir()
    return make_site(tmp_path / "site", exports)


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
