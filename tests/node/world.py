"""A small enrolled site and a PSO for tests of the node: real keys, real plans, canonical tables by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from node.config import NodeConfig, Paths, Policy, Site
from node.enrolment import make_request
from node.identity import Identity
from node.inbox import Inbox
from node.journal import Journal
from node.ledger.store import Ledger
from node.membership import install_approval
from node.release.answer import Answerer, no_step
from node.release.site import SiteData
from node.tables.schema import TABLES
from protocols.catalogue import current_catalogue
from protocols.enrolment import open_enrolment
from protocols.keys import create_transport_key, load_private_key, public_pem, write_private
from protocols.statement import Verified, fingerprint, key_id, open_statement, parse_envelope, seal_statement
from protocols.v1 import leadline_pb2 as pb

DAY_S = 86_400
NOW = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp())
SITE = "site-a"
DEFAULT_PATHS = {name: setting.default for name, setting in Paths.model_fields.items() if not setting.is_required()}
PROFILE = {
    "type": "acute_general", "bed_band": "200-299", "teaching": "minor", "ownership": "nonprofit",
    "setting": "urban_metro", "programme_model": "local_peer", "programme_age": "1-3y",
}  # fmt: skip


def empty_tables() -> dict[str, pd.DataFrame]:
    """Every canonical table, with no rows and the dtypes of an import."""
    dtypes = {"date": "datetime64[ns]", "datetime": "datetime64[ns]", "month": "datetime64[ns]", "flag": "boolean"}
    dtypes |= {"time": "timedelta64[ns]", "count": "Int64", "number": "float64"}
    tables = {}
    for table in TABLES.values():
        columns = {c.name: pd.Series(dtype=dtypes.get(c.kind, "object")) for c in table.columns}
        columns |= {f"{c.name}_time_known": pd.Series(dtype=bool) for c in table.columns if c.kind == "datetime"}
        tables[table.name] = pd.DataFrame(columns)
    return tables


def with_rows(tables: dict[str, pd.DataFrame], name: str, rows: Sequence[Mapping[str, object]]) -> None:
    """Add rows to one table; columns that a row does not name are missing."""
    frame = tables[name]
    added = pd.DataFrame(list(rows)).reindex(columns=list(frame.columns))
    known = [c for c in frame.columns if c.endswith("_time_known")]
    added[known] = added[known].astype("boolean").fillna(True).astype(bool)
    tables[name] = added.astype(frame.dtypes.to_dict())


def supported_site(people: int, year: int = 2025) -> SiteData:
    """A site where each of `people` clinicians had one tier-2 encounter, spread over the months of a year."""
    tables = empty_tables()
    days = [pd.Timestamp(year, 1 + index % 12, 1 + index % 28, 9, 30) for index in range(people)]
    activations = [
        {"activation_key": f"a{i}", "activation_datetime": day, "referral_source": "self", "event_reason": "other",
         "role_group": "nurse_midwife"}
        for i, day in enumerate(days)
    ]  # fmt: skip
    encounters = [
        {"encounter_key": f"e{i}", "activation_key": f"a{i}", "person_key": f"p{i}", "encounter_date": day,
         "mode": "one_to_one_phone", "tier": "2"}
        for i, day in enumerate(days)
    ]  # fmt: skip
    with_rows(tables, "support_activation", activations)
    with_rows(tables, "support_encounter", encounters)
    months = pd.date_range(f"{year}-01-01", periods=12, freq="MS")
    staffing = [{"period": m, "role_group": "nurse_midwife", "headcount": 2004.0, "fte": 1716.0} for m in months]
    with_rows(tables, "staffing_period", staffing)
    with_rows(tables, "activity_period", [{"period": m, "patient_days": 5003.0} for m in months])
    return SiteData.of(tables)


@dataclass
class SettableClock:
    """A clock that tests set."""

    now: int = NOW

    def now_s(self) -> int:
        """Unix time in whole seconds."""
        return self.now


@dataclass
class Pso:
    """A PSO that signs plans and requests."""

    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    def plan(self, tallies: Sequence[str] = ("supported",), **changes: object) -> pb.Plan:
        """A yearly plan of month, quarter and year tables; `rho_nano` is per table."""
        catalogue, digest = current_catalogue()
        rho_nano = int(str(changes.pop("rho_nano", 10_000_000)))
        grains = changes.pop("grains", (pb.GRAIN_MONTH, pb.GRAIN_QUARTER, pb.GRAIN_YEAR))
        requests = [
            pb.TallyRequest(
                tally=tally,
                cap=catalogue.tally(tally).cap,
                tables=[pb.Table(grain=grain, by_cell=True, rho_nano=rho_nano) for grain in grains],  # type: ignore[attr-defined]
            )
            for tally in tallies
        ]
        plan = pb.Plan(
            plan_id="plan-1", catalogue_digest=digest, year=2025, mode=pb.MODE_SITE, tallies=requests,
            minimum_honest_sites=5, issued_at_s=NOW,
        )  # fmt: skip
        for name, value in changes.items():
            setattr(plan, name, value)
        return plan

    def approval(self, enrolment: pb.Enrolment, **changes: object) -> bytes:
        """The signed envelope of an approval, from a day before the enrolment for thirty days."""
        approval = pb.Approval(
            site_id=enrolment.site_id,
            signing_key=enrolment.signing_key,
            transport_key=enrolment.transport_key,
            serial=1,
            valid_from_s=enrolment.made_at_s - DAY_S,
            valid_until_s=enrolment.made_at_s + 29 * DAY_S,
            pso_title="A PSO",
            pso_key=self.key.public_key().public_bytes_raw(),
            superlink="pso.example.org:9092",
        )
        for name, value in changes.items():
            setattr(approval, name, value)
        return seal_statement(approval, self.key)

    @property
    def fingerprint(self) -> str:
        """What the PSO reads by telephone."""
        return fingerprint(self.key.public_key())

    def request(self, plan: pb.Plan, quarter: int, site_id: str = SITE, **changes: object) -> bytes:
        """The signed envelope of a request."""
        request = pb.Request(
            request_id=f"r-{quarter}", site_id=site_id, plan=seal_statement(plan, self.key), quarter=quarter
        )
        for name, value in changes.items():
            setattr(request, name, value)
        return seal_statement(request, self.key)


def write_profile(path: Path) -> None:
    """A profile in which everything is filled in."""
    path.write_text("".join(f'{name} = "{value}"\n' for name, value in PROFILE.items()))


@dataclass
class Node:
    """An enrolled node in `folder`, over tables by hand. What is in the folder already is used as it is.

    `approve = False` leaves it without an approval.
    """

    folder: Path
    pso: Pso
    site: SiteData
    policy: Policy = field(default_factory=Policy)
    clock: SettableClock = field(default_factory=SettableClock)
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    on_step: Callable[[str], None] = no_step
    person_keys: bool = True
    approve: bool = True

    def __post_init__(self) -> None:
        own = {name: self.folder / path for name, path in DEFAULT_PATHS.items()}
        paths = Paths(exports=self.folder, mapping=self.folder / "m", **own)
        self.config = NodeConfig(site=Site(id=SITE, person_keys=self.person_keys), paths=paths, policy=self.policy)
        for folder in (paths.signing_key.parent, paths.relay):
            folder.mkdir(parents=True, exist_ok=True)
        if not paths.signing_key.exists():
            form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            write_private(paths.signing_key, self.key.private_bytes(*form))
            paths.signing_key.with_suffix(".pub").write_text(public_pem(self.key.public_key()))
        if not (paths.relay / "transport").exists():
            create_transport_key(paths.relay / "transport")
        write_profile(paths.profile)
        self.start()
        if self.approve and not paths.approval.exists():
            install_approval(self.config, self.pso.approval(self.enrolment()), self.pso.fingerprint, self.clock.now)

    def start(self) -> None:
        """As after a start of the daemon: keys and ledger are read from disk."""
        self.key = load_private_key(self.config.paths.signing_key)
        self.journal = Journal(self.config.paths.journal)
        self.ledger = Ledger(self.config.paths.ledger, self.key, SITE, self.clock.now, self.journal)
        identity = Identity(self.key, {key_id(self.pso.key.public_key()): self.pso.key.public_key()})
        self.answerer = Answerer(
            self.config, identity, current_catalogue(), self.ledger, lambda: self.site, self.clock, self.on_step
        )
        self.inbox = Inbox(self.config, self.answerer, self.journal, self.clock)

    def enrolment(self) -> pb.Enrolment:
        """What the site asks to be enrolled with."""
        made = make_request(self.config, self.folder / "enrolment", self.clock)
        return open_enrolment(made.file.read_bytes()).message

    def answer(self, raw: bytes) -> bytes:
        """One envelope in, one envelope out."""
        return self.inbox.take(raw)

    def release(self, raw: bytes) -> Verified[pb.Release]:
        """The verified release that the node answers with."""
        return open_statement(self.answer(raw), pb.Release, self._keys())

    def refusal(self, raw: bytes) -> pb.Refusal:
        """The verified refusal that the node answers with."""
        return open_statement(self.answer(raw), pb.Refusal, self._keys()).message

    def acknowledgement(self, raw: bytes) -> pb.Acknowledgement:
        """The verified acknowledgement that the node answers with."""
        return open_statement(self.answer(raw), pb.Acknowledgement, self._keys()).message

    def kind(self, raw: bytes) -> str:
        """Kind of the answer."""
        return parse_envelope(self.answer(raw)).kind

    def _keys(self) -> dict[str, Ed25519PublicKey]:
        return {key_id(self.key.public_key()): self.key.public_key()}
