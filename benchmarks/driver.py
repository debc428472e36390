"""Call a function's handler in a loop, without Lambda's runtime, and report the CPU time of each batch.

The program is run by its path, with the handler's name as argument and the artefact on PYTHONPATH. It imports only modules that
the measured program loads anyway. It reads one JSON command a line from standard input, `{"events": [...]}`, and writes one JSON
report a line. The reports go to the original standard output; what the handler prints is discarded.
"""

from __future__ import annotations

import json
import os
import sys
import time
from importlib import import_module


class Context:
    """The context object that Lambda passes to a handler."""

    function_name = "ConnectFunction"
    function_version = "1"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:eu-west-1:000000000000:function:ConnectFunction:live"
    log_group_name = "/aws/lambda/ConnectFunction"
    log_stream_name = "2026/11/01/[1]0"
    aws_request_id = "00000000-0000-4000-8000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        return 29_000


def main() -> None:
    reports = os.fdopen(os.dup(1), "w")
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)

    module, _, name = sys.argv[1].rpartition(".")
    handler = getattr(import_module(module), name)
    context = Context()
    for line in sys.stdin:
        events = json.loads(line)["events"]
        responses = []
        began = time.process_time()
        for event in events:
            try:
                response = handler(event, context)
            except Exception as error:  # noqa: BLE001 - as Lambda does
                response = {"statusCode": 500, "error": repr(error)}
            responses.append(response)
        cpu = time.process_time() - began
        statuses = [response["statusCode"] for response in responses]
        reports.write(json.dumps({"cpu": cpu, "statuses": statuses, "last": responses[-1]}) + "\n")
        reports.flush()


main()
