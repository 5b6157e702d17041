"""The patient safety organisation's side, in order of flow: rounds, broker, intake, store, benchmarks, publications."""
