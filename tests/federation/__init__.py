"""Both sides of the wire in one process: the only tests that see node and coordinator."""
