"""The checks of the data: sources readable, mapping complete, quality per measure, and the noise itself.

What reads tables and draws noise is large; it is imported by the checks that need it, and not by a node at rest.
"""

from __future__ import annotations

from node.preflight.finding import Verdict, failed, ok, skipped, warning
from node.preflight.subject import Subject

SHOWN = 6


def check_sources(subject: Subject) -> Verdict:
    """Every export that the mapping names can be read."""
    reading = subject.reading
    if reading.without_key:
        return skipped("the person key cannot be used")
    if reading.refusal:
        return failed(reading.refusal, "mend the export or its mapping; until then every plan is refused, uncharged")
    return ok(f"all exports can be read; the quality report is in {subject.config.paths.quality}")


def check_mapping(subject: Subject) -> Verdict:
    """Every measure of the catalogue can be answered from the tables that the mapping fills."""
    reading = subject.reading
    if reading.site is None:
        return skipped("the exports cannot be read")
    missing = reading.unanswerable()
    if not missing:
        return ok("every measure of the catalogue can be answered")
    tables = sorted({table for needed in missing.values() for table in needed})
    words = f"not answered for want of tables: {', '.join(missing)} (missing: {', '.join(tables)})"
    return warning(words, "map exports to these tables if you have them; leadline-node map proposes how")


def check_quality(subject: Subject) -> Verdict:
    """For every measure that is answered: most rows usable, most of what it stands on known."""
    reading = subject.reading
    if reading.site is None:
        return skipped("the exports cannot be read")
    weak = reading.weak()
    if not weak:
        return ok("what the measures that are answered stand on is largely known")
    shown = [f"{reason} ({', '.join(measures)})" for reason, measures in list(weak.items())[:SHOWN]]
    more = f"; and {len(weak) - SHOWN} more" if len(weak) > SHOWN else ""
    return warning("; ".join(shown) + more, "leadline-node quality says which rows, and which rule caught them")


def check_noise(_subject: Subject) -> Verdict:
    """The sampler draws the noise that it should."""
    from privacy.mechanisms import sampler_is_sound  # noqa: PLC0415 - brings OpenDP

    if sampler_is_sound():
        return ok("the sampler passed its self-test")
    return failed("the noise sampler failed its self-test", "release nothing; reinstall opendp at the pinned version")
