"""What is measured: the service as `make build` leaves it, and its peers, each installed apart from its own lock file.

Every program is an artefact of one shape, so that one emulator runs them all: `ConnectFunction/charger_connect/app.py` with a
`handler`, and layers beside it.
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
    """`artefact` has bytecode; `deployed` is what its users would deploy: a peer as `sam build` leaves it, without."""

    name: str
    artefact: Path
    deployed: Path


def prepare(names: tuple[str, ...] = (SERVICE, *PEERS)) -> list[Program]:
    """Build and install what `names` says, unless that was done; what was built last is kept in `benchmarks/.cache`."""
    return [_service() if name == SERVICE else _peer(name) for name in names]


def layers(artefact: Path, logical_id: str = FUNCTION) -> list[Path]:
    """The directories that Lambda would put on the import path, the function's own first."""
    return [artefact / logical_id, *sorted(artefact.glob("*Layer/python"))]


def _service() -> Program:
    """A copy, which a build in the middle of a measurement leaves alone."""
    artefact = CACHE / SERVICE
    shutil.rmtree(artefact, ignore_errors=True)
    shutil.copytree(emulator.build(), artefact)
    return Program(SERVICE, artefact, artefact)


def _peer(name: str) -> Program:
    lock, source = (
        ROOT / "requirements" / f"bench-{name}.txt",
        ROOT / "benchmarks" / "peers" / name / "app.py",
    )
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
    how = ["--require-hashes", "--only-binary", ":all:", "--link-mode", "copy", "--python", sys.executable]
    target = program.deployed / "DependenciesLayer" / "python"
    subprocess.run([*uv, *how, "--target", str(target), "-r", str(lock)], check=True)
    shutil.copytree(program.deployed, program.artefact)
    compiled = ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    subprocess.run([sys.executable, *compiled, str(program.artefact)], check=True, env={**os.environ})
    stamp.write_text(digest)
    return program
