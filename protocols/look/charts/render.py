"""From a chart to the SVG element that a page holds. Drawing takes some 40 ms, so every drawing is kept.

Drawings are kept by what they show (frozen rows and a width), so a new publication redraws only what it changes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Any

import altair as alt
import vl_convert
from markupsafe import Markup, escape

from protocols.look.charts.theme import styled

_KEPT = 1024
_INNER_ROLES = re.compile(r' (?:role|aria-roledescription|aria-label)="[^"]*"')
_ROOT = re.compile(r"<svg [^>]*?width=\"(?P<width>[\d.]+)\" height=\"(?P<height>[\d.]+)\"[^>]*>")


@lru_cache(maxsize=_KEPT)
def draw(chart: Callable[..., alt.LayerChart], subject: Hashable, width_px: int) -> str:
    """The SVG text of `chart(subject, width_px)`, as Vega writes it. `subject` must be hashable by its content."""
    specification: dict[str, Any] = styled(chart(subject, width_px)).to_dict()
    svg: str = vl_convert.vegalite_to_svg(specification, allowed_base_urls=[])
    return svg


def svg_element(svg: str, description: str, css_class: str) -> Markup:
    """The drawing as one image for assistive technology, scaling down with the page.

    The root is written anew because the policy of the pages forbids inline styles and a page holds many drawings.
    """
    found = _ROOT.search(svg)
    if found is None:
        raise ValueError("the drawing does not start with an svg element that states its size")
    width, height = found["width"], found["height"]
    root = (
        f'<svg class="{escape(css_class)}" role="img" aria-label="{escape(description)}" '
        f'width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
    )
    inside = _INNER_ROLES.sub("", svg[found.end() :])  # nameless images within an image that is described as a whole
    return Markup(root + inside)  # noqa: S704 - our own drawing; the description is escaped above
