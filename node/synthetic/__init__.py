"""Seeded synthetic sites: truth first, then exports with errors. The data are seeded; noise never is."""
