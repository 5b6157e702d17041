"""A synthetic site's exports: files in the shape of its systems, with errors, and the mapping that reads them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from node.synthetic.damage import damaged
from node.synthetic.files import Source, mapping_text
from node.synthetic.network import SyntheticSite
from node.synthetic.shapes import incident_system, redcap, spreadsheet, views
from node.synthetic.style import Style, draw_style

MAPPING_FILE = "mapping.toml"


def write_exports(site: SyntheticSite, folder: Path) -> None:
    """Write the site's exports and `mapping.toml` into `folder`, which is made if need be.

    The same site gives the same bytes. Tables that the site's shape does not have in a form of its own are plain views.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(site.seed)
    style = draw_style(site.shape, _harm_scale(site), rng)
    tables = damaged(site.tables, style, rng)
    sources = _write_shape(site.shape, tables, style, folder, rng)
    covered = {source.table for source in sources}
    rest = {name: table for name, table in tables.items() if name not in covered}
    sources += views.write(rest, style, folder, rng)
    (folder / MAPPING_FILE).write_text(mapping_text(sources), encoding="utf-8")


def _harm_scale(site: SyntheticSite) -> str:
    scales = site.tables["safety_event"]["harm_source_scale"]
    return str(scales.iloc[0]) if len(scales) else "nrls"


def _write_shape(
    shape: str, tables: dict[str, pd.DataFrame], style: Style, folder: Path, rng: np.random.Generator
) -> list[Source]:
    writers = {
        "incident_system": incident_system.write,
        "redcap": redcap.write,
        "spreadsheet": spreadsheet.write,
    }
    return writers[shape](tables, style, folder, rng) if shape in writers else []
