"""The console of the local stack: what is to be seen of it live, and its switches."""

from __future__ import annotations

from local.console.console import Console

__all__ = ["Console"]
