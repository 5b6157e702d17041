"""The commands of `leadline-node`, one module per kind of task."""
