"""The hospital's side, in order of flow: sources, tables, measures, release, ledger, gateway."""
