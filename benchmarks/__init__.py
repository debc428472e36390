"""Benchmarks of the service and of three peer programs that do the same job, measured in one run on one machine."""
