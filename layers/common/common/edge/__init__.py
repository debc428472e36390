"""What every function has at its entry point: one guard against unexpected exceptions."""

from common.edge.guard import Context, Crashed, causes, check, guarded, run_guarded

__all__ = ["Context", "Crashed", "causes", "check", "guarded", "run_guarded"]
