"""Each tool has a list of the import roots in pyproject.toml; all of them are pytest's."""

from __future__ import annotations

import tomllib

from scripts.import_roots import ROOT, import_roots


def test_ruff_mypy_and_pytest_search_the_same_folders() -> None:
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    roots = [str(root.relative_to(ROOT)) for root in import_roots()]
    assert tools["ruff"]["src"] == roots
    assert [*tools["mypy"]["mypy_path"].split(":"), "."] == roots


def test_each_layer_has_one_import_root_with_one_package_of_its_name() -> None:
    for layer in ("common", "charger_link"):
        packages = [
            path.name for path in (ROOT / "layers" / layer).iterdir() if (path / "__init__.py").exists()
        ]
        assert packages == [layer]
