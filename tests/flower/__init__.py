"""Tests of the pipe: Flower app, supervisor and the processes around them."""
