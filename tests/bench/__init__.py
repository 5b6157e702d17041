"""Long measurements, run by hand or by `make bench`."""
