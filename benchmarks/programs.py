"""Build the service with `make build`, and install each peer program from its own lock file.

All artefacts have the same layout, so that the same emulator runs them: `ConnectFunction/charger_connect/app.py` with a
`handler`, and directories of layers beside `ConnectFunction`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.end_to_end import emulator

ROOT = Path(__file__).parents[1]
CACHE = ROOT / "benchmarks" / ".cache"
FUNCTION = "ConnectFunction"
SERVICE = "service"
PEERS = ("bare", "powertools", "fastapi")


@dataclass(frozen=True, slots=True)
class Program:
    """`artefact` contains bytecode. `deployed` is what a team deploys: a peer has no bytecode there, as `sam build` leaves it."""

    name: str
    artefact: Path
    deployed: Path


def prepare(names: tuple[str, ...] = (SERVICE, *PEERS)) -> list[Program]:
    """Build or install the named programs in `benchmarks/.cache`. A peer that did not change is not installed again."""
    return [_service() if name == SERVICE else _peer(name) for name in names]


def layers(artefact: Path, logical_id: str = FUNCTION) -> list[Path]:
    """Return the directories that Lambda puts on the import path, the function's own first."""
    return [artefact / logical_id, *sorted(artefact.glob("*Layer/python"))]


def _service() -> Program:
    """Copy the artefact, so that a build during the measurement does not change it."""
    artefact = CACHE / SERVICE
    shutil.rmtree(artefact, ignore_errors=True)
    shutil.copytree(emulator.build(), artefact)
    return Program(SERVICE, artefact, artefact)


def _peer(name: str) -> Program:
    lock = ROOT / "requirements" / f"bench-{name}.txt"
    source = ROOT / "benchmarks" / "peers" / name / "app.py"
    digest = hashlib.sha256(lock.read_bytes() + source.read_bytes()).hexdigest()
    program = Program(name, CACHE / name / "compiled", CACHE / name / "deployed")
    stamp = CACHE / name / "stamp"
    if stamp.exists() and stamp.read_text() == digest:
        return program
    shutil.rmtree(CACHE / name, ignore_errors=True)
    package = program.deployed / FUNCTION / "charger_connect"
    package.mkdir(parents=True)
    shutil.copy(source, package)
    environment = Path(sys.executable).parents[1]
    uv = [str(ROOT / "scripts" / "uv"), str(environment), "pip", "install", "--quiet", "--no-config"]
    options = [
        "--require-hashes",
        "--only-binary",
        ":all:",
        "--link-mode",
        "copy",
        "--python",
        sys.executable,
    ]
    target = program.deployed / "DependenciesLayer" / "python"
    subprocess.run([*uv, *options, "--target", str(target), "-r", str(lock)], check=True)
    shutil.copytree(program.deployed, program.artefact)
    compiled = ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    subprocess.run([sys.executable, *compiled, str(program.artefact)], check=True, env={**os.environ})
    stamp.write_text(digest)
    return program
