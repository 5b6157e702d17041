"""Tests of the benchmark statistics."""
