"""Versions of the tables, as alembic runs them."""
