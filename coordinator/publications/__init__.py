"""Publications: immutable, numbered, signed sets of benchmarks."""
