"""A synthetic network on disk: every site's exports and attributes, and the truth beside them, apart."""

from __future__ import annotations

from pathlib import Path

from node.synthetic.exports import write_exports
from node.synthetic.network import synthesize
from node.synthetic.truth import truth_table


def write_network(out: Path, sites: int, seed: int, first_year: int, years: int) -> None:
    """Write `out`/sites/<id>/exports/, `out`/sites/<id>/profile.toml and `out`/truth.csv."""
    network = synthesize(sites, seed, first_year, years)
    for site in network:
        folder = out / "sites" / site.site_id
        (folder / "exports").mkdir(parents=True, exist_ok=True)
        write_exports(site, folder / "exports")
        lines = [f'{name} = "{value}"\n' for name, value in site.profile.items()]
        (folder / "profile.toml").write_text("".join(lines), encoding="utf-8")
    truth_table(network, range(first_year, first_year + years)).to_csv(out / "truth.csv", index=False)
