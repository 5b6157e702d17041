"""The commands of `leadline-coordinator`, one module per kind."""
