"""Enrolled sites: how they join, are approved for a time, and leave."""
