"""`python -m apidoc` (make docs): writes the generated documentation."""

from __future__ import annotations

from apidoc.generate import FILES, ROOT

for path, write in FILES.items():
    (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
    (ROOT / path).write_text(write(), encoding="utf-8")
    print(path)
