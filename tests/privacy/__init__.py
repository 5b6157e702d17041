"""Tests of the privacy arithmetic: what is promised, and that a broken promise is noticed."""
