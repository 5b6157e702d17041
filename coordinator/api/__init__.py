"""The read-only HTTP interface over publications, and the application that serves it together with the pages."""
