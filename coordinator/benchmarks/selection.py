"""Which measures a network runs: every one costs the sites noise in all the others, so only the core by default."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from protocols.catalogue.model import Catalogue, Measure, RoleRatio

CORE = "core"


def selected(catalogue: Catalogue, names: Sequence[str]) -> tuple[Measure, ...]:
    """The measures that `names` (ids, or "core" for all core ones) choose, in the catalogue's order.

    ValueError for a name that the catalogue does not have, or a measure that yearly rounds may not publish.
    """
    known = {measure.id: measure for measure in catalogue.measures}
    for name in names:
        if name != CORE:
            _check(name, known)
    return tuple(m for m in catalogue.measures if m.id in names or (m.core and CORE in names))


def answered(catalogue: Catalogue, tallies: AbstractSet[str]) -> tuple[Measure, ...]:
    """The measures that a yearly plan with these tallies answers; those that nobody chose cost nothing more."""
    return tuple(m for m in catalogue.measures if _from_yearly_rounds(m) and tallies >= set(m.tallies))


def _from_yearly_rounds(measure: Measure) -> bool:
    """Yearly plans ask for totals, so a ratio of roles is not among them."""
    is_total = not isinstance(measure.formula, RoleRatio)
    return is_total and "site" in measure.publish.modes and measure.publish.years == 1


def _check(name: str, known: dict[str, Measure]) -> None:
    if name not in known:
        raise ValueError(f"there is no measure {name!r}; known are {CORE}, {', '.join(known)}")
    publish = known[name].publish
    if "site" not in publish.modes:
        raise ValueError(f"measure {name} may be published from pooled rounds only, never from sites' own counts")
    if publish.years > 1:
        raise ValueError(f"measure {name} may be published over {publish.years} years pooled only, not year by year")
