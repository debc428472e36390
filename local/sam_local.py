"""The running stack as `make invoke` finds it, and how an event of `events/` is adapted to it.

`make run SAM_LOCAL=1` describes itself in a file, `.local/sam-local.json` or SAM_LOCAL_STATE, and removes the file at its end.
"""

from __future__ import annotations

import json
import os
import re
import socket
from base64 import b64decode, b64encode
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local import template

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parent.parent
ENVIRONMENT = ROOT / "events/env.json"
EVENTS_REST_PORT = 9080
"""The OCPP server's port in the files of `events/`: the default of `make run`."""

_CONNECT_SECONDS = 2.0
# For JSON, XML and forms: the name, the separator, the value.
_ADDRESS = re.compile(
    r"""(serverIpAddress["']?\s*[:=>]\s*["']?)127(?:\.\d{1,3}){3}(?![\w.])""", re.IGNORECASE
)
_PORT = re.compile(rf"""(serverRestApiPort["']?\s*[:=>]\s*["']?){EVENTS_REST_PORT}(?![\w.])""", re.IGNORECASE)


class NoStack(Exception):
    """No stack with SAM_LOCAL=1 is running. The text says what to do."""


class NoFunction(Exception):
    """The local stack can run no function for this event."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack: the process id of `make run`, the address at which containers reach it, its ports, and the values of
    the functions' variables."""

    process: int
    address: str
    table_port: int
    rest_port: int
    environment: Mapping[str, str]


def path() -> Path:
    """Return the path of the running stack's file."""
    return Path(os.environ.get("SAM_LOCAL_STATE") or ROOT / ".local/sam-local.json")


@contextmanager
def published(stack: Stack) -> Iterator[None]:
    """Write the file, and remove it at the end. Raises OSError."""
    file = path()
    file.parent.mkdir(parents=True, exist_ok=True)
    # Renamed into place, so that no reader finds an incomplete file.
    new = file.with_suffix(f".{stack.process}")
    new.write_text(json.dumps(asdict(stack), indent=2) + "\n", encoding="utf-8")
    new.replace(file)
    try:
        yield
    finally:
        with suppress(OSError, ValueError, KeyError):
            # Another stack may have replaced it.
            if json.loads(file.read_text(encoding="utf-8"))["process"] == stack.process:
                file.unlink()


def running() -> Stack:
    """Return the running stack. Raises NoStack."""
    try:
        stack = Stack(**json.loads(path().read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        raise NoStack("no stack is running; start one in another terminal: make run SAM_LOCAL=1") from None
    try:
        # A stack that was killed leaves its file behind.
        socket.create_connection((stack.address, stack.table_port), _CONNECT_SECONDS).close()
    except OSError:
        raise NoStack(
            f"the stack's table does not listen at {stack.address}:{stack.table_port}; "
            "start the stack again: make run SAM_LOCAL=1"
        ) from None
    return stack


def function_of(event: Mapping[str, Any]) -> str:
    """Return the logical id of the function that handles this event. Raises NoFunction."""
    if event.get("type") == "REQUEST" and "routeArn" in event:
        return "AuthorizerFunction"
    if "LifecycleEventHookExecutionId" in event:
        raise NoFunction("PreflightFunction calls CodeDeploy and Lambda, which the local stack does not have")
    routes = {route.key: route.function for route in template.read(parameters={"ServeDocs": "true"}).routes}
    key = event.get("routeKey")
    if not isinstance(key, str) or key not in routes:
        raise NoFunction(
            f"no route of template.yaml has the routeKey {key!r}; its routes are {', '.join(routes)}"
        )
    return routes[key]


def environment_of(function: str, stack: Stack) -> dict[str, dict[str, str]]:
    """Return the content for `sam local invoke --env-vars`: `events/env.json` with the values of the running stack."""
    declared = (
        template.read(parameters={"Access": "network", "ServeDocs": "true"}).functions[function].environment
    )
    given: dict[str, str] = json.loads(ENVIRONMENT.read_text(encoding="utf-8")).get(function, {})
    return {
        function: given | {name: stack.environment[name] for name in declared if name in stack.environment}
    }


def fit(event: Mapping[str, Any], stack: Stack) -> dict[str, Any]:
    """Return a copy of the event for the running stack.

    In a body that names an OCPP server on the loopback interface, the address is replaced with the bridge's, and port 9080,
    the one in `events/`, with the stack's. Everything else is unchanged.
    """
    fitted = dict(event)
    body = event.get("body")
    if not isinstance(body, str):
        return fitted
    encoded = bool(event.get("isBase64Encoded"))
    # latin-1 preserves every byte, and the replaced text is ASCII.
    text = b64decode(body).decode("latin-1") if encoded else body
    changed, count = _ADDRESS.subn(rf"\g<1>{stack.address}", text)
    if not count:
        return fitted
    changed = _PORT.sub(rf"\g<1>{stack.rest_port}", changed)
    raw = changed.encode("latin-1") if encoded else changed.encode()
    fitted["body"] = b64encode(raw).decode() if encoded else changed
    if "content-length" in event.get("headers", {}):
        fitted["headers"] = {**event["headers"], "content-length": str(len(raw))}
    return fitted
