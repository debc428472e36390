"""A short run of the fuzzer, with a fixed seed and the recorded requests as its corpus. `make fuzz` runs longer."""

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

    from tests.hostile.conftest import Count

RUNS = 20_000
MEMORY = 1024
"""Memory limit of the fuzzer's process in megabytes, including its coverage tables."""
INPUT_TIMEOUT = 60
"""Seconds after which one input counts as a hang."""


def test_the_request_parser_handles_every_input_of_the_fuzzer(tmp_path: Path, count_inputs: Count) -> None:
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
        f"-timeout={INPUT_TIMEOUT}",
        "-max_len=4096",
        f"-artifact_prefix={tmp_path}/",
        "-print_final_stats=1",
    ]
    command = [sys.executable, "-m", "tests.hostile.fuzz_reader", *options, str(corpus)]
    completed = subprocess.run(command, cwd=template.PATH.parent, capture_output=True, text=True)
    assert completed.returncode == 0, completed.stdout[-4_000:] + completed.stderr[-4_000:]
    done = re.search(r"Done (\d+) runs", completed.stderr)
    assert done
    assert int(done[1]) >= runs
    features = re.findall(r"cov: (\d+) ft: (\d+)", completed.stderr)
    assert int(features[-1][1]) > int(features[0][1]), (
        "the fuzzer found no new coverage: is the parser instrumented?"
    )
    count_inputs(
        f"fuzzer of the request parser (cov {features[-1][0]}, features {features[-1][1]})",
        {0: int(done[1])},
        0,
    )
