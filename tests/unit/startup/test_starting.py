"""What `starting` changes while a function starts, and what it leaves behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

COMMON = Path(__file__).parents[3] / "layers" / "common"


def run(script: str, **environment: str) -> list[str]:
    """The words that a fresh interpreter prints."""
    prelude = f"import sys; sys.path.insert(0, {str(COMMON)!r}); from common.startup import starting\n"
    command = [sys.executable, "-c", prelude + script]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.split()


def test_nothing_is_collected_meanwhile_and_what_was_imported_never_again() -> None:
    script = "import gc\nwith starting(): print(gc.isenabled())\nprint(gc.isenabled(), gc.get_freeze_count() > 1000)"
    assert run(script) == ["False", "True", "True"]


def test_a_start_that_fails_leaves_the_collector_on() -> None:
    script = "import gc\ntry:\n  with starting(): raise ValueError\nexcept ValueError: print(gc.isenabled())"
    assert run(script) == ["True"]


def test_pydantic_and_the_logger_are_imported_without_what_they_do_not_use() -> None:
    script = (
        "with starting():\n  import pydantic\n  from aws_lambda_powertools.logging import Logger\n"
        "  class Model(pydantic.BaseModel): number: int\n"
        "print(Model(number=1).number, *({'zipfile', 'jmespath'} & set(sys.modules)))"
    )
    assert run(script, PYDANTIC_DISABLE_PLUGINS="__all__") == ["1"]


def test_what_was_put_off_is_there_once_it_is_used() -> None:
    script = (
        "with starting(): import importlib.metadata as metadata\n"
        "print(metadata.version('pydantic').count('.'), sys.modules['importlib.metadata'].__name__)"
    )
    assert run(script) == ["2", "importlib.metadata"]
