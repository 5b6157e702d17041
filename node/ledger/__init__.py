"""The node's append-only, hash-chained, signed record of every charge and release."""
