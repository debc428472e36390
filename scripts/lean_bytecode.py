"""Bytecode of pydantic_core.core_schema without what nothing reads: the members of its 70 TypedDicts.

Python compiles each member's annotation anew when the class is made, which would be an eighth of a cold start. The source stays
as it was locked, and so do tracebacks; only its bytecode is lean.

    python3.13 lean_bytecode.py DIRECTORY PREFIX     as of scripts/artefact, after it
"""

from __future__ import annotations

import ast
import marshal
import sys
from importlib.util import cache_from_source
from pathlib import Path

MODULE = "pydantic_core/core_schema.py"
_HEADER = 16  # bytes of magic, flags and hash of the source: https://peps.python.org/pep-0552/


class _WithoutMembers(ast.NodeTransformer):
    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        if any(isinstance(base, ast.Name) and base.id == "TypedDict" for base in node.bases):
            node.body = [each for each in node.body if not isinstance(each, ast.AnnAssign)] or [ast.Pass()]
        return node


def write(directory: Path, prefix: str) -> None:
    """Write the module's bytecode anew. Raises FileNotFoundError where it was not compiled."""
    source = directory / MODULE
    compiled = Path(cache_from_source(str(source)))
    header = compiled.read_bytes()[:_HEADER]
    tree = ast.fix_missing_locations(_WithoutMembers().visit(ast.parse(source.read_bytes())))
    code = compile(tree, f"{prefix}/{MODULE}", "exec", dont_inherit=True)
    compiled.write_bytes(header + marshal.dumps(code))


if __name__ == "__main__":
    write(Path(sys.argv[1]), sys.argv[2])
