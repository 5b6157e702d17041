"""What crosses the wire: the catalogue, the messages, their signatures, and the closed list of refusals."""
