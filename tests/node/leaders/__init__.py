"""Tests of the leaders' own figures."""
