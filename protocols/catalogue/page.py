"""docs/measures.md, written from the catalogue by `make docs`."""

from __future__ import annotations

from collections.abc import Iterator

from protocols.catalogue.model import Catalogue, Measure, Tally
from protocols.catalogue.words import DIRECTIONS, cell_words, entry_words, formula_words, publish_words, unit_words

_INTRODUCTION = """\
# Measures

<!-- Written by `make docs`; edit protocols/catalogue, not this page. -->

This page lists everything that catalogue version {version} can ask a site for ({n_tallies} tallies) and everything
that is computed from it ({n_measures} measures). A tally is a vector of whole-number counts over a public list of
cells; it leaves a site with noise only. A measure is arithmetic on noisy tallies and costs no further privacy.
Every published figure comes with a 95 % interval that includes the privacy noise.

The {n_core} measures that are not marked “asked for on request” are those of an ordinary yearly plan; each of the
others takes its part of the year's budget only where a plan asks for it. “Published” says how far a figure may be
taken apart: a measure that is “pooled only” is refused by every node when single sites are asked for it.
"""

_TALLIES = """\
## Tallies

“Protects” says what one more or one less of makes no difference that an observer could be sure of, within the
site's budget; the cap bounds how often it counts in one calendar year.
"""


def render(catalogue: Catalogue, digest: bytes) -> str:
    """The page as Markdown, ending in a new line."""
    return "\n".join(_lines(catalogue, digest)) + "\n"


def _lines(catalogue: Catalogue, digest: bytes) -> Iterator[str]:
    yield _INTRODUCTION.format(
        version=catalogue.version,
        n_tallies=len(catalogue.tallies),
        n_measures=len(catalogue.measures),
        n_core=sum(measure.core for measure in catalogue.measures),
    )
    yield f"SHA-256 of the catalogue's canonical bytes: `{digest.hex()}`."
    for group in dict.fromkeys(measure.group for measure in catalogue.measures):
        yield f"\n## {group}"
        for measure in catalogue.measures:
            if measure.group == group:
                yield from _measure(catalogue, measure)
    yield f"\n{_TALLIES}"
    yield "| tally | what is counted | protects | a row enters | cells | also by |"
    yield "|---|---|---|---|---|---|"
    yield from (_tally(tally) for tally in catalogue.tallies)


def _measure(catalogue: Catalogue, measure: Measure) -> Iterator[str]:
    tallies = [catalogue.tally(tally_id) for tally_id in measure.tallies]
    yield f"\n### {measure.id} {measure.title}\n"
    yield f"- **Counted:** {measure.numerator_text}"
    yield f"- **Out of:** {measure.denominator_text}"
    yield f"- **Unit:** {measure.unit}; {DIRECTIONS[measure.direction]}"
    yield f"- **Computed:** {formula_words(catalogue, measure)}"
    yield f"- **Published:** {publish_words(measure.publish)}{'' if measure.core else '; asked for on request'}"
    for tally in tallies:
        yield f"- **Tally:** `{tally.id}`; protects {unit_words(tally)}"
    if not tallies:
        yield "- **Tally:** none; a public fact that sites declare, without noise"
    yield f"- **Literature:** {measure.literature}"


def _tally(tally: Tally) -> str:
    cells = "; ".join(cell_words(tally, cell) for cell in tally.cell_names)
    strata = ", ".join(f"`{column}`" for column in tally.strata) or "none"
    columns = (f"`{tally.id}`", tally.title, unit_words(tally), entry_words(tally), cells, strata)
    return f"| {' | '.join(columns)} |"
