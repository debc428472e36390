"""`python -m local.invoke EVENT [ARGUMENT ...]` (make invoke): run `sam local invoke` for the function that handles an event.

Functions are built for this machine's processor, and run in a container that reaches the stack of `make run SAM_LOCAL=1`. The
last line of the output is the function's response. Further arguments are passed to `sam local invoke`.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local import bridge, sam_local, template

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parent.parent
ARCHITECTURES = {"x86_64": "x86_64", "AMD64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
"""Lambda's names of processor architectures, by the names that operating systems use."""


class CannotInvoke(Exception):
    """Something that `sam local invoke` needs is missing, or the function did not respond. The text says which."""


def main(arguments: Sequence[str]) -> int:
    """Print the function's response. Return 0, or 1 if there is none."""
    try:
        if not arguments or not arguments[0]:
            raise CannotInvoke("name an event: make invoke EVENT=events/json/accepted.json")
        response = invoke(Path(arguments[0]), arguments[1:])
    except (CannotInvoke, sam_local.NoFunction) as error:
        print(f"cannot invoke: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    sys.stderr.flush()
    print(json.dumps(response), flush=True)
    return 1 if _is_failure(response) else 0


def invoke(path: Path, arguments: Sequence[str]) -> Any:
    """Build and invoke the function, and return its response. Raises CannotInvoke and NoFunction."""
    event = _read_event(path)
    function = sam_local.function_of(event)
    stack = _find_stack()
    architecture = _architecture()
    _build(architecture)
    with tempfile.TemporaryDirectory(prefix="charger-connect-invoke-") as folder:
        event_file, environment_file = Path(folder, "event.json"), Path(folder, "env.json")
        event_file.write_text(json.dumps(sam_local.fit(event, stack)), encoding="utf-8")
        environment_file.write_text(json.dumps(sam_local.environment_of(function, stack)), encoding="utf-8")
        invoked = subprocess.run(
            [
                ROOT / ".venv-sam/bin/sam",
                "local",
                "invoke",
                function,
                f"--template-file={build_folder(architecture) / 'template.yaml'}",
                f"--parameter-overrides=Architecture={architecture}",
                f"--event={event_file}",
                f"--env-vars={environment_file}",
                *arguments,
            ],
            cwd=ROOT,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
    # SAM writes its own messages and the function's log to standard error.
    written = [line for line in invoked.stdout.decode("utf-8", "replace").split("\n") if line.strip()]
    if invoked.returncode or not written:
        raise CannotInvoke(f"{function} did not respond (sam ended with {invoked.returncode}); see above")
    try:
        return json.loads(written[-1])
    except ValueError:
        raise CannotInvoke(f"{function} did not respond: {written[-1]}") from None


def build_folder(architecture: str) -> Path:
    """Return the folder to which `make build ARCH=...` writes."""
    return ROOT / ".aws-sam" / ("build" if architecture == "arm64" else f"{architecture}/build")


def _read_event(path: Path) -> dict[str, Any]:
    try:
        event = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CannotInvoke(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise CannotInvoke(f"{path} is not JSON: {error}") from None
    if not isinstance(event, dict):
        raise CannotInvoke(f"{path} is not an event: a JSON object is needed")
    return event


def _find_stack() -> sam_local.Stack:
    # Report both faults at once.
    faults = []
    stack = None
    try:
        bridge.find_address()
    except bridge.NoBridge as error:
        faults.append(str(error))
    try:
        stack = sam_local.running()
    except sam_local.NoStack as error:
        faults.append(str(error))
    if faults or stack is None:
        raise CannotInvoke("\n".join(faults))
    return stack


def _architecture() -> str:
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        raise CannotInvoke(f"Lambda does not support this machine's processor ({machine})")
    return ARCHITECTURES[machine]


def _build(architecture: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    built = subprocess.run(
        ["make", "build", f"ARCH={architecture}"], cwd=ROOT, env=environment, stdout=sys.stderr.fileno()
    )
    if built.returncode:
        raise CannotInvoke("the functions could not be built; see above")


def _environment() -> dict[str, str]:
    # SAM passes credentials on to the function, which calls the local table only.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MAKE"))}
    region = template.PSEUDO["AWS::Region"]
    return inherited | {
        "SAM_CLI_TELEMETRY": "0",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }


def _is_failure(response: Any) -> bool:
    # What Lambda returns for a handler that raised or ran out of time.
    return isinstance(response, dict) and "errorType" in response and "statusCode" not in response


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
