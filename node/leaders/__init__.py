"""A leader's own line: the hospital's exact figures over what was published. Nothing of it ever leaves the node."""
