"""The options of `python -m local`: from the command line, else from the environment, else the default."""

from __future__ import annotations

import argparse
import os

from local import dialects


def read_options(description: str | None) -> argparse.Namespace:
    """Return the options. Exits with code 2, and a message, on a value that cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m local", description=description)
    for option, variable, default, purpose in (
        ("--port", "PORT", "8000", "port of the gateway"),
        ("--table-port", "TABLE_PORT", "8001", "port of the table"),
        ("--rest-port", "REST_PORT", "9080", "port of the OCPP server's REST API"),
        ("--ocpp-port", "OCPP_PORT", "9081", "port of the OCPP server's WebSocket"),
    ):
        help_text = f"{purpose} (or {variable})"
        parser.add_argument(option, type=_port, default=_environ(variable, default), help=help_text)
    parser.add_argument(
        "--chargers",
        type=_all_or_empty,
        default=_environ("CHARGERS"),
        help="all: start CP-6 to CP-10 too (or CHARGERS)",
    )
    parser.add_argument(
        "--dialect",
        type=dialects.read,
        default=_environ("DIALECT", dialects.NATIVE),
        help=f"run a simulator as the OCPP server: {', '.join(dialects.SIMULATED)} (or DIALECT)",
    )
    parser.add_argument(
        "--link-servers",
        default=_environ("LINK_SERVERS"),
        help="LinkServers in JSON, to call your own OCPP server instead of the local one (or LINK_SERVERS)",
    )
    parser.add_argument(
        "--link-timeout",
        type=float,
        default=_environ("LINK_TIMEOUT", "20"),
        help="timeout of a request to the OCPP server, in seconds (or LINK_TIMEOUT)",
    )
    parser.add_argument(
        "--charge-seconds",
        type=_seconds,
        default=_environ("CHARGE_SECONDS", "5"),
        help="duration of a charge, in seconds (or CHARGE_SECONDS)",
    )
    parser.add_argument(
        "--sweep-seconds",
        type=_seconds,
        default=_environ("SWEEP_SECONDS", "0"),
        help="seconds between two sweeps of unfinished attempts, if not as scheduled in the template (or SWEEP_SECONDS)",
    )
    parser.add_argument(
        "--sam-local",
        type=_switch,
        default=_environ("SAM_LOCAL"),
        help="1: table and OCPP server also listen on the address of Docker's bridge, for make invoke (or SAM_LOCAL)",
    )
    parser.add_argument(
        "--callback-base-url",
        default=_environ("CALLBACK_BASE_URL"),
        help="base URL at which your own CitrineOS reaches the gateway, if it runs elsewhere (or CALLBACK_BASE_URL)",
    )
    return parser.parse_args()


def _environ(name: str, default: str = "") -> str:
    return os.environ.get(name) or default


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65_536):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (1 to 65535)")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds (0 to 86399)")
    return seconds


def _all_or_empty(text: str) -> str:
    if text not in ("", "all"):
        raise argparse.ArgumentTypeError(f"{text!r} is not all")
    return text


def _switch(text: str) -> bool:
    if text not in ("", "0", "1"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither 1 nor 0")
    return text == "1"
