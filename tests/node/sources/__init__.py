"""Tests of node.sources."""
