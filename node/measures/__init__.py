"""From canonical tables to integer tallies: views with a fixed vocabulary, admission under the cap, counting."""
