"""Read the folders from which packages are imported: pytest's `pythonpath` in pyproject.toml.

python -m scripts.import_roots     prints them as a PYTHONPATH
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def import_roots() -> list[Path]:
    """Return the folders, absolute, in the order in which they are searched."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return [(ROOT / name).resolve() for name in document["tool"]["pytest"]["ini_options"]["pythonpath"]]


if __name__ == "__main__":
    print(os.pathsep.join(map(str, import_roots())))
