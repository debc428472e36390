"""Write the generated documentation: `python -m apidoc` (make docs)."""

from __future__ import annotations

from apidoc.generate import FILES, ROOT

for path, render in FILES.items():
    (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
    (ROOT / path).write_text(render(), encoding="utf-8")
    print(path)
