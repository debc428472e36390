"""The mutants that no test can kill, or none should, each with its reason.

A mutant is named by its function and a part of the changed line, old or new: mutmut's numbers change with the code.
"""

from __future__ import annotations

from fnmatch import fnmatch

# (function, part of a changed line or "" for all of the function, reason)
SURVIVORS: tuple[tuple[str, str, str], ...] = ()


def reason(mutant: str, changed: list[str]) -> str | None:
    """Return why this mutant may survive; None if no reason is listed."""
    function = mutant.rpartition("__mutmut_")[0].replace("x_", "", 1).replace("ǁ", ".")
    for name, part, why in SURVIVORS:
        if fnmatch(function, name) and any(part in line for line in changed):
            return why
    return None
