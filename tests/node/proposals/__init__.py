"""Tests of node.proposals."""
