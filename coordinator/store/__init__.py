"""What the coordinator remembers: sites, plans, rounds, requests, releases, publications, and who did what."""
