"""From sites' noisy tallies to benchmark rows: the gate, pooled values, spread, percentiles, intervals."""
