"""The sentences a reader sees: what is promised, to whom, and what is not."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_CEILING, Decimal

from privacy.accountant import DELTA, NANO, display_epsilon

_DELTA_WORDS = {"0.000001": "one in a million"}


def _terms(rho_nano: int) -> str:
    delta = _DELTA_WORDS.get(str(DELTA), str(DELTA))
    rho = (Decimal(rho_nano) / NANO).quantize(Decimal("0.0001"), rounding=ROUND_CEILING)
    return f"epsilon {display_epsilon(rho_nano)} at delta {delta} (rho {rho}, zero-concentrated DP)"


def sentences(clinician_rho_nano: int, record_rho_nano: int, linked_records: Iterable[int] = (1, 2, 5)) -> list[str]:
    """The guarantee of one site for one ledger year.

    `clinician_rho_nano` and `record_rho_nano` are what was charged to the two scopes; `linked_records` are the
    numbers of shared records (events, activations) for which the joint statement
    rho_clinician + c^2 rho_record is spelled out (group privacy).
    """
    said = [
        "Every number that left a hospital was a count with discrete Gaussian noise; nothing else was sent but "
        "public facts about the hospital, rounded to ten.",
    ]
    if clinician_rho_nano:
        said.append(
            "A clinician's own rows: what one hospital sent in one ledger year would have been nearly as likely "
            f"without them: {_terms(clinician_rho_nano)}."
        )
    if record_rho_nano:
        said.append(
            "A shared record (an event with its analysis and actions, or an activation), as a row of its own: "
            f"{_terms(record_rho_nano)} for each record and ledger year. What the people in it contributed is "
            "covered by their own budgets."
        )
    if clinician_rho_nano and record_rho_nano:
        said.append(_joint(clinician_rho_nano, record_rho_nano, linked_records))
    said.append(
        "Not promised: protection of a hospital's totals as such, of what many clinicians have in common (an event "
        "with all the people in it: their budgets add up), or one joint budget for a clinician who works at two "
        "hospitals: there the two budgets add up."
    )
    return said


def _joint(clinician_rho_nano: int, record_rho_nano: int, linked_records: Iterable[int]) -> str:
    cases = "; ".join(
        f"{count}: epsilon {display_epsilon(clinician_rho_nano + count**2 * record_rho_nano)}"
        for count in linked_records
    )
    return (
        "Both together, for a clinician linked to so many shared records in the year (an event and the activation "
        f"that belongs to it count as two): {cases}."
    )
