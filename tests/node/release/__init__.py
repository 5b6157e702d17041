"""Tests of node.release."""
