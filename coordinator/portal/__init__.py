"""The pages that people read: rendered on the server from publications alone, without scripts."""
