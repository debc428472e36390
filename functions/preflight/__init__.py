"""The check before a deployment shifts traffic: whether the new versions can reach what they need."""
