"""Tests of the register of sites."""
