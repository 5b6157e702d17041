from __future__ import annotations

import re
from datetime import date

import pytest

from protocols.look.charts.inline import Glyph, glyph_chart
from protocols.look.charts.noise import chance
from protocols.look.charts.ranges import Line, Ranges, ranges_chart
from protocols.look.charts.render import draw, svg_element
from protocols.look.charts.series import Point, Series, trend_chart, years_chart
from protocols.look.charts.theme import axis_upper, nice_upper

LINES = (Line("Pooled", 30, 24, 37, "30 (24 to 37)", True), Line("Median site", 28, 20, 36, "28 (20 to 36)", False))
POINTS = tuple(
    Point(date(2024, 3 * quarter + 1, 1), f"2024 Q{quarter + 1}", value, value and value - 3, value and value + 3, "")
    for quarter, value in enumerate((10.0, 12.0, None, 14.0))
)


def size(svg: str) -> tuple[float, float]:
    found = re.search(r'width="([\d.]+)" height="([\d.]+)"', svg)
    assert found is not None
    return float(found[1]), float(found[2])


@pytest.mark.parametrize("width_px", [340, 580])
def test_a_drawing_is_as_wide_as_asked_whatever_the_fonts(width_px: int) -> None:
    assert size(draw(ranges_chart, Ranges(LINES, 40, "%"), width_px))[0] == width_px
    assert size(draw(years_chart, Series(POINTS, 20, "%"), width_px))[0] == width_px


def test_labels_values_and_axis_are_drawn() -> None:
    svg = draw(ranges_chart, Ranges(LINES, 40, "%", band=(20, 36)), 580)
    for text in ("Pooled", "Median site", "30 (24 to 37)", "0", "10", "40"):
        assert f">{text}</text>" in svg


def test_a_tick_is_labelled_with_the_value_at_which_it_stands() -> None:
    svg = draw(glyph_chart, Glyph(18.6, 16.5, 20.8, (17.7, 18.4, 19.1), 25.0), 190)
    assert re.findall(r">([\d.,]+)</text>", svg) == ["0", "12.5", "25"]
    svg = draw(glyph_chart, Glyph(1461, 1457, 1467, None, 3000.0), 190)
    assert re.findall(r">([\d.,]+)</text>", svg) == ["0", "1,500", "3,000"]


def test_narrow_drawings_give_labels_lines_of_their_own() -> None:
    narrow, wide = (size(draw(ranges_chart, Ranges(LINES, 40, "%"), px)) for px in (340, 580))
    assert narrow[1] > wide[1]


def test_a_line_is_broken_where_nothing_is_published() -> None:
    svg = draw(trend_chart, Series(POINTS, 20, "%"), 580)
    line = re.search(r'<g class="mark-line[^>]*>.*?<path [^>]*?d="([^"]+)"', svg)
    assert line is not None
    assert line[1].count("M") == 2


def test_drawings_take_their_colours_from_the_page() -> None:
    svg = draw(ranges_chart, Ranges(LINES, 40, "%", band=(20, 36)), 580)
    colours = set(re.findall(r'(?:fill|stroke)="([^"]+)"', svg))
    assert {"var(--accent)", "var(--peers)", "var(--band)"} <= colours
    assert all(colour.startswith("var(") or colour in {"none", "transparent"} for colour in colours)


def test_the_same_rows_are_drawn_once() -> None:
    draw.cache_clear()
    for _ in range(3):
        draw(ranges_chart, Ranges(LINES, 40, "%"), 580)
    assert draw.cache_info().misses == 1


def test_a_description_cannot_break_out_of_its_attribute() -> None:
    element = svg_element(draw(ranges_chart, Ranges(LINES, 40, "%"), 340), '"><script>', "chart")
    assert "<script>" not in element
    assert element.startswith('<svg class="chart" role="img" aria-label="&#34;&gt;&lt;script&gt;" width="340"')


@pytest.mark.parametrize(("largest", "end"), [(0.0, 1.0), (0.93, 1.0), (1.1, 1.2), (37.0, 40.0), (101.6, 120.0)])
def test_axes_end_at_a_round_number(largest: float, end: float) -> None:
    assert nice_upper(largest) == pytest.approx(end)


def test_percentages_run_to_a_hundred_unless_half_would_stay_empty() -> None:
    assert axis_upper("%", 64.0) == 100.0
    assert axis_upper("%", 37.0) == pytest.approx(40.0)
    assert axis_upper("hours", 64.0) == pytest.approx(80.0)


def test_the_chances_of_noise_add_up_and_spread_as_stated() -> None:
    chances = {k: chance(k, 5.0) for k in range(-60, 61)}
    assert sum(chances.values()) == pytest.approx(1)
    assert sum(k**2 * p for k, p in chances.items()) == pytest.approx(25, rel=1e-6)
