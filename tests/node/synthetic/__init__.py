"""Tests of node.synthetic."""
