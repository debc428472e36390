"""Two ways for the gateway to call a function: the handler in this process, or a Lambda runtime over HTTP."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from importlib import import_module
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

from local.gateway import ACCOUNT, INTEGRATION_SECONDS, FunctionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from local.gateway import Invoker
    from local.template import Function

    Handler = Callable[[dict[str, Any], Any], Any]

_INVOCATIONS = "/2015-03-31/functions/function/invocations"


@dataclass(frozen=True, slots=True)
class LambdaContext:
    """The context object that Lambda's runtime passes to a handler."""

    function_name: str
    memory_limit_in_mb: int
    aws_request_id: str
    deadline: float
    function_version: str = "1"
    log_group_name: str = "/aws/lambda/local"
    log_stream_name: str = "local"
    client_context: None = None
    identity: None = None

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:{self.function_name}:live"

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.deadline - time.monotonic()) * 1000))


def load_handlers(functions: Mapping[str, Function]) -> dict[str, Handler]:
    """Import the handlers that the template names. Set the environment first: the modules read it when imported."""
    handlers = {}
    for name, function in functions.items():
        module, _, attribute = function.handler.rpartition(".")
        handlers[name] = getattr(import_module(module), attribute)
    return handlers


def in_process(handlers: Mapping[str, Handler], *, timeout: float = 29.0, memory: int = 512) -> Invoker:
    """Call handlers on the gateway's threads, through JSON as Lambda does.

    Their context shows `timeout` in seconds. It is not enforced: a thread cannot be killed.
    """

    def invoke(name: str, event: dict[str, Any]) -> Any:
        context = LambdaContext(name, memory, str(uuid4()), time.monotonic() + timeout)
        response = handlers[name](json.loads(json.dumps(event)), context)
        return json.loads(json.dumps(response))

    return invoke


def over_http(emulators: Mapping[str, Iterable[str]]) -> Invoker:
    """Call runtime interface emulators by URL, several for each function: a request to a busy emulator crashes it.

    An invocation waits for a free one. Raises FunctionError if the function raised, timed out or cannot be reached.
    """
    pools: dict[str, SimpleQueue[str]] = {}
    for name, urls in emulators.items():
        pools[name] = SimpleQueue()
        for url in urls:
            pools[name].put(url)

    def invoke(name: str, event: dict[str, Any]) -> Any:
        url = pools[name].get(timeout=INTEGRATION_SECONDS)
        try:
            return _post(url, event)
        finally:
            pools[name].put(url)

    return invoke


def _post(url: str, event: dict[str, Any]) -> Any:
    connection = HTTPConnection(urlsplit(url).netloc, timeout=INTEGRATION_SECONDS + 5)
    headers = {"X-Amzn-Trace-Id": event["headers"]["x-amzn-trace-id"]}
    try:
        connection.request("POST", _INVOCATIONS, json.dumps(event), headers)
        response = json.loads(connection.getresponse().read())
    except (OSError, HTTPException, ValueError) as error:
        raise FunctionError(f"no response from {url}") from error
    finally:
        connection.close()
    # The emulator responds with 200 also if the handler raised or was killed.
    if isinstance(response, dict) and "errorType" in response and "statusCode" not in response:
        raise FunctionError(json.dumps(response))
    return response
