"""A publication as it crosses the wire: its rows, the rules that they passed, its canonical bytes and its signature."""
