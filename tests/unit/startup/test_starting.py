"""The effects of `starting` during the start of a function and after it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

COMMON = Path(__file__).parents[3] / "layers" / "common"


def run(script: str, **environment: str) -> list[str]:
    """Return the words that a new interpreter prints."""
    prelude = f"import sys; sys.path.insert(0, {str(COMMON)!r}); from common.startup import starting\n"
    command = [sys.executable, "-c", prelude + script]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.split()


def test_imports_are_not_collected_during_the_start_nor_later() -> None:
    script = "import gc\nwith starting(): print(gc.isenabled())\nprint(gc.isenabled(), gc.get_freeze_count() > 1000)"
    assert run(script) == ["False", "True", "True"]


def test_a_start_that_fails_leaves_garbage_collection_on() -> None:
    script = "import gc\ntry:\n  with starting(): raise ValueError\nexcept ValueError: print(gc.isenabled())"
    assert run(script) == ["True"]


def test_pydantic_and_the_logger_are_imported_without_unused_modules() -> None:
    script = (
        "with starting():\n  import pydantic\n  from aws_lambda_powertools.logging import Logger\n"
        "  class Model(pydantic.BaseModel): number: int\n"
        "print(Model(number=1).number, *({'zipfile', 'jmespath'} & set(sys.modules)))"
    )
    assert run(script, PYDANTIC_DISABLE_PLUGINS="__all__") == ["1"]


def test_a_lazy_module_is_imported_when_it_is_used() -> None:
    script = (
        "with starting(): import importlib.metadata as metadata\n"
        "print(metadata.version('pydantic').count('.'), sys.modules['importlib.metadata'].__name__)"
    )
    assert run(script) == ["2", "importlib.metadata"]
