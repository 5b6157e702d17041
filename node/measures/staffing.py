"""The view over shifts: how many nurses there were for how many patients."""

from __future__ import annotations

from node.measures.joins import Frame, Tables, row_key, unit_type, yes_no


def shifts_view(tables: Tables, _events: Frame) -> Frame:
    """Shifts of units; `over_line` if there were more patients than the nurses could safely care for."""
    rows = tables["shift_staffing"].copy()
    # A product and no quotient: a shift without any nurse is over the line as soon as there is a patient.
    rows["over_line"] = yes_no(rows["patients"] > rows["safe_ratio"] * rows["rn_count"])
    rows["unit_type"] = unit_type(rows, tables)
    rows["recorded_date"] = rows["shift_date"]
    rows["row_key"] = row_key(rows, "unit_key", "shift_date", "shift")
    rows["shift_key"] = rows["row_key"]
    return rows
