"""One example of every kind of statement, a key from fixed bytes, and an encoder that may break the rules."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf.message import Message

from protocols.statement import key_id, seal_statement
from protocols.v1 import leadline_pb2 as pb

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key()
KEYS = {key_id(PUBLIC): PUBLIC}
DIGEST = bytes(range(100, 132))

PLAN = pb.Plan(
    plan_id="2024-a",
    catalogue_digest=DIGEST,
    year=2024,
    mode=pb.MODE_SITE,
    tallies=[
        pb.TallyRequest(
            tally="supported",
            cap=1,
            tables=[
                pb.Table(grain=pb.GRAIN_YEAR, by_cell=True, rho_nano=20_000_000),
                pb.Table(grain=pb.GRAIN_QUARTER, stratum="role_group", rho_nano=300),
            ],
        )
    ],
    minimum_honest_sites=3,
    issued_at_s=1_735_700_000,
)
REQUEST = pb.Request(
    request_id="r-1",
    site_id="site-01",
    plan=seal_statement(PLAN, KEY),
    quarter=4,
    known_head=DIGEST,
    known_length=7,
)
RELEASE = pb.Release(
    release_id="abc-q4-1",
    site_id="site-01",
    plan_digest=DIGEST,
    quarter=4,
    tables=[pb.NoisyTable(tally="supported", table=0, values=[-3, 0, 70_000], sigma_1024=5120)],
    exposures=[pb.Exposure(name="headcount", months=[1200, 1210, 0])],
    units=[pb.ProtectedUnit(tally="supported", unit="clinician")],
    ledger_head=DIGEST,
    ledger_length=9,
    sealed_at_s=1_735_700_060,
)
REFUSAL = pb.Refusal(request_id="r-1", site_id="site-01", quarter=4, code="paused", detail="é")
TRANSPORT_KEY = """\
-----BEGIN PUBLIC KEY-----
MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEa5a0RShEqric8w8VmGAFXg2zlh8xgilT
iPEmWjgK1Z75amsq3qbG4jr7i/91zjMpg4K0Na51C7vLov4FTpNY13PWoWPEEjFE
FYNRp7BfQZP9tByCBPidRrG8xNx0gsr8
-----END PUBLIC KEY-----
"""
PROFILE = {
    "type": "acute_general", "bed_band": "200-299", "teaching": "minor", "ownership": "nonprofit",
    "setting": "urban_metro", "programme_model": "local_peer", "programme_age": "1-3y",
}  # fmt: skip
ENROLMENT = pb.Enrolment(
    site_id="site-01",
    signing_key=PUBLIC.public_bytes_raw(),
    transport_key=TRANSPORT_KEY,
    profile=[pb.Attribute(name=name, value=PROFILE[name]) for name in sorted(PROFILE)],
    made_at_s=1_735_700_000,
    ledger_head=DIGEST,
    ledger_length=7,
)
APPROVAL = pb.Approval(
    site_id="site-01",
    signing_key=ENROLMENT.signing_key,
    transport_key=TRANSPORT_KEY,
    serial=3,
    valid_from_s=1_735_700_000,
    valid_until_s=1_738_292_000,
    pso_title="PSO of é",
    pso_key=PUBLIC.public_bytes_raw(),
    superlink="pso.example.org:9092",
    known_head=DIGEST,
    known_length=7,
)
PUBLISHED = pb.Published(number=4, document=b"gzip", signature=bytes(64))
ACKNOWLEDGEMENT = pb.Acknowledgement(
    site_id="site-01", digest=DIGEST, at_s=1_735_700_100, ledger_head=DIGEST, ledger_length=9
)
RECONCILIATION = pb.Reconciliation(
    site_id="site-01",
    after_length=3,
    known_head=DIGEST,
    known_length=9,
    releases=[seal_statement(RELEASE, KEY)],
    made_at_s=1_735_700_200,
)
EXAMPLES: dict[str, Message] = {
    "plan": PLAN,
    "request": REQUEST,
    "release": RELEASE,
    "refusal": REFUSAL,
    "enrolment": ENROLMENT,
    "approval": APPROVAL,
    "publication": PUBLISHED,
    "acknowledgement": ACKNOWLEDGEMENT,
    "reconciliation": RECONCILIATION,
}


def varint(value: int, padding: int = 0) -> bytes:
    """A varint; `padding` adds bytes that change nothing, as a careless encoder may."""
    groups = []
    while value > 0x7F:
        groups.append(value & 0x7F)
        value >>= 7
    groups.append(value)
    groups += [0] * padding
    return bytes([group | 0x80 for group in groups[:-1]] + groups[-1:])


def number(field: int, value: int, padding: int = 0) -> bytes:
    return varint(field << 3) + varint(value, padding)


def text(field: int, value: bytes | str, padding: int = 0) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(raw), padding) + raw


def envelope(kind: bytes | str, body: bytes, *, signed_kind: str | None = None, key: Ed25519PrivateKey = KEY) -> bytes:
    """An envelope written by hand after the documented layout, without our code."""
    name = signed_kind if signed_kind is not None else (kind if isinstance(kind, str) else kind.decode())
    signature = key.sign(b"leadline/v1/" + name.encode() + b"\x00" + body)
    return text(1, kind) + text(2, body) + text(3, key_id(key.public_key())) + text(4, signature)
