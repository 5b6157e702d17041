"""From a signed request to a signed answer: check, reserve, draw, seal, and only then send."""
