"""Rounds: one plan over all enabled sites and the four quarters of its year."""
