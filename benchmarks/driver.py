"""A function's process without the runtime around it: calls the handler in a loop and accounts for what that cost.

Run by path with the handler's name, and with the artefact on PYTHONPATH; nothing is imported that the program does not need anyway. One JSON command a line
on standard input, `{"events": [...]}`; one JSON answer a line on what was standard output when it started.
"""

from __future__ import annotations

import json
import os
import sys
import time
from importlib import import_module


class Context:
    """What Lambda tells a handler."""

    function_name = "ConnectFunction"
    function_version = "1"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:eu-west-1:000000000000:function:ConnectFunction:live"
    log_group_name = "/aws/lambda/ConnectFunction"
    log_stream_name = "2026/11/01/[1]0"
    aws_request_id = "00000000-0000-4000-8000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        return 29_000


def peak() -> int:
    """The most memory that this process ever held, in bytes. (getrusage would count the parent that forked it.)"""
    with open("/proc/self/status", encoding="ascii") as file:  # noqa: PTH123 - no import of its own
        kilobytes = next(line.split()[1] for line in file if line.startswith("VmHWM:"))
    return int(kilobytes) * 1024


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)

    module, _, name = sys.argv[1].rpartition(".")
    handler = getattr(import_module(module), name)
    context = Context()
    for line in sys.stdin:
        events = json.loads(line)["events"]
        walls, results = [], []
        began = time.process_time()
        for event in events:
            start = time.perf_counter()
            try:
                result = handler(event, context)
            except Exception as error:  # noqa: BLE001 - as Lambda would
                result = {"statusCode": 500, "error": repr(error)}
            walls.append(time.perf_counter() - start)
            results.append(result)
        cpu = time.process_time() - began
        statuses = [result["statusCode"] for result in results]
        report = {"cpu": cpu, "walls": walls, "statuses": statuses, "last": results[-1], "peak": peak()}
        answers.write(json.dumps(report) + "\n")
        answers.flush()
        del line, events, walls, results, report  # or two batches would be held while the next is read


main()
