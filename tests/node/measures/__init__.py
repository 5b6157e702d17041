"""Tests of views, cases and counting."""
