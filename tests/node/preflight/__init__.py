"""Tests of node.preflight."""
