"""Tests of node.tables."""
