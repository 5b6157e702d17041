"""From sites' noisy tallies to benchmark rows: pooled values, spread, percentiles, intervals, and the gate before them."""
