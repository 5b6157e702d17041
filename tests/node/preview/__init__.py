"""Tests of node.preview."""
