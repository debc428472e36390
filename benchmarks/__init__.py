"""What the service costs, against what a team would have written instead, doing the same job on the same machine."""
