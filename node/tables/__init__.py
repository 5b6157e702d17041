"""From a site's exports to canonical tables: mapping, parsing, repair, quarantine, and the quality report."""
