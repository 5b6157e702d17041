"""Working on the distinct texts of a column, since an export repeats most of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def distinct_texts(text: pd.Series[str]) -> tuple[NDArray[np.intp], list[str]]:
    """For every row the position of its text in the list of distinct texts, or -1 where it is missing."""
    codes, distinct = pd.factorize(text)
    return codes, np.asarray(distinct, dtype=object).tolist()


def by_distinct(
    text: pd.Series[str], function: Callable[[str], object], dtype: Literal["str", "float64", "bool", "object"] = "str"
) -> pd.Series[Any]:
    """The results of `function` for every row, computed once for each distinct text; missing gives None."""
    codes, distinct = distinct_texts(text)
    # A missing row has the code -1, which picks the last result.
    results = pd.array([*map(function, distinct), None], dtype="object")
    return pd.Series(results.take(codes), index=text.index).astype(dtype)
