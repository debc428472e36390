"""The console of the local stack: its live state, and commands to change it."""

from __future__ import annotations

from local.console.console import Console

__all__ = ["Console"]
