"""Lets callers in by the network they come from, for clients that can neither sign nor carry a token."""
