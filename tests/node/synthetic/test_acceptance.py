"""The acceptance check of the recipe, and that it can fail."""

from __future__ import annotations

from dataclasses import replace

from node.synthetic.acceptance import acceptance
from node.synthetic.network import synthesize


def test_24_sites_look_like_the_published_figures() -> None:
    checks = acceptance(synthesize(24, 1, 2023, 2))
    assert len(checks) == 8
    assert [check for check in checks if not check.passed] == []


def test_networks_that_do_not_look_like_it_fail() -> None:
    sites = synthesize(4, 1, 2023, 1)
    nobody = [
        replace(
            site,
            distress=site.distress.assign(recovery_days=1.0),
            tables=site.tables
            | {
                "safety_event": site.tables["safety_event"].assign(harm="death"),
                "support_encounter": site.tables["support_encounter"].assign(tier="1"),
                "rca_action": site.tables["rca_action"].assign(strength="strong"),
            },
        )
        for site in sites
    ]
    failed = {check.name for check in acceptance(nobody) if not check.passed}
    assert len(failed) == 7
