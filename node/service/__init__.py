"""The process that is always there: the relay's door, health and metrics. It hands every envelope to a worker process.

Nothing here imports tables, noise or what stands on them, so that a node at rest takes little memory.
"""
