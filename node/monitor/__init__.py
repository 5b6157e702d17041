"""Health and metrics on loopback, for the hospital's own monitoring. Public facts only: budgets, releases, states."""
