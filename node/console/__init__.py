"""The console: a node's pages for people, served on loopback. The daemon neither needs it nor knows it."""
