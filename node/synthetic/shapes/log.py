"""A peer support team's log: one row per contact and person, with what is known of the referral on every row."""

from __future__ import annotations

import numpy as np
import pandas as pd

from node.synthetic.style import Style
from node.synthetic.text import as_text

CONTACT = "contact_made"


def contact_log(tables: dict[str, pd.DataFrame], style: Style, rng: np.random.Generator) -> pd.DataFrame:
    """Activations and their encounters side by side as text, under canonical names, in order of activation.

    `contact_made` is Yes or No; a referral that led to no contact has one row whose encounter columns are empty.
    """
    activations = as_text("support_activation", tables["support_activation"], style, rng)
    encounters = as_text("support_encounter", tables["support_encounter"], style, rng)
    asked = tables["support_activation"]["activation_datetime"]
    order = activations.assign(year=asked.dt.year.astype("str"), position=asked.rank(method="first"))
    log = order.merge(encounters.assign(contact_made="Yes"), on="activation_key", how="left").sort_values("position")
    return log.fillna({CONTACT: "No"}).fillna("").drop(columns="position").reset_index(drop=True)
