"""The fuzzer, small: a fixed seed and number of runs, from what real clients send. `make fuzz` runs it large."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from local import template
from tests.contract.cases import requests

if TYPE_CHECKING:
    from pathlib import Path

    from tests.hostile.conftest import Counted

RUNS = 20_000
MEMORY = 1024
"""Megabytes that the fuzzer's process may take, its own coverage tables included."""
SECONDS_FOR_ONE = 60
"""After which one input counts as a hang."""


def test_the_reader_stands_whatever_is_found(tmp_path: Path, counted: Counted) -> None:
    pytest.importorskip("atheris", reason="atheris has no wheel for this platform or Python")
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for case in requests():
        media = case.content_type.partition(";")[0]
        kind = 0 if "json" in media else 2 if "xml" in media else 4
        kind += "utf-16" in case.content_type and kind != 4
        (corpus / case.file).write_bytes(bytes([kind]) + case.body)
    runs = int(os.environ.get("RUNS", RUNS))
    options = [f"-runs={runs}", f"-seed={os.environ.get('SEED', 1)}", f"-rss_limit_mb={MEMORY}"]
    options += [
        f"-timeout={SECONDS_FOR_ONE}",
        "-max_len=4096",
        f"-artifact_prefix={tmp_path}/",
        "-print_final_stats=1",
    ]
    command = [sys.executable, "-m", "tests.hostile.fuzz_reader", *options, str(corpus)]
    ended = subprocess.run(command, cwd=template.PATH.parent, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout[-4_000:] + ended.stderr[-4_000:]
    done = re.search(r"Done (\d+) runs", ended.stderr)
    assert done
    assert int(done[1]) >= runs
    features = re.findall(r"cov: (\d+) ft: (\d+)", ended.stderr)
    assert int(features[-1][1]) > int(features[0][1]), "nothing was learnt: is the reader instrumented?"
    counted(f"fuzzer on the reader (cov {features[-1][0]}, features {features[-1][1]})", {0: int(done[1])}, 0)
