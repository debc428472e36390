"""No driver's token is in the console's event stream: the tokens in OCPP messages are masked."""

from __future__ import annotations

from contextlib import ExitStack, closing
from http.client import HTTPConnection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from local.chargers.snapshot import mask_tokens
from local.console import Console
from local.csms import Options, serving
from local.gateway import serve
from local.processes import Process
from local.running import in_thread
from tests.integration.csms.client import Rest
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT = 30


def read_until(stream: Iterator[bytes], *wanted: str) -> str:
    """Return the stream's text up to the event that completes these texts."""
    text = ""
    for line in stream:
        text += line.decode()
        if line == b"\n" and all(one in text for one in wanted):
            return text
    raise AssertionError(text)


@pytest.mark.parametrize("charger", ["CP-1", "CP-2"])  # OCPP 1.6 and 2.0.1
@pytest.mark.parametrize(("token", "shown"), [("04A2B3C4D5E6F7", "****E6F7"), ("SHORT-ONE", "****")])
def test_a_charge_appears_in_the_event_stream_without_its_token(charger: str, token: str, shown: str) -> None:
    with ExitStack() as stack:
        csms = stack.enter_context(in_thread(serving(Options())))
        console = Console()
        arguments = [f"--server={csms.ocpp_url}", f"--only={charger}", "--charge-seconds=0.1"]
        process = Process(
            "the charge points", "local.chargers", arguments, console.add_notice, console.set_charge_points
        )
        stack.callback(process.stop)
        pages = console.pages(process, process, {})
        gateway = stack.enter_context(closing(serve((), lambda *_: None, pages=pages)))
        stack.callback(console.close)
        connection = HTTPConnection(urlsplit(gateway.url).netloc, timeout=TIMEOUT)
        stack.callback(connection.close)
        connection.request("GET", "/console/events")
        stream = stack.enter_context(connection.getresponse())

        rest = Rest(csms.rest_url)
        eventually(lambda: rest.status(charger).outcome == (200, "Available"))
        assert rest.connect(charger, token, str(uuid4())).outcome[0] == 200
        last = "StopTransaction" if charger == "CP-1" else '"Ended"'
        text = read_until(stream, last)

    assert token not in text
    assert f'"{shown}"' in text
    assert ("RemoteStartTransaction" if charger == "CP-1" else "RequestStartTransaction") in text


def test_every_field_that_holds_a_token_is_masked() -> None:
    token = "04A2B3C4D5E6F7"
    payload = {
        "idTag": token,
        "IDTAG": token,
        "idTagInfo": {"status": "Accepted", "parentIdTag": token},
        "idToken": {
            "idToken": token,
            "type": "Central",
            "additionalInfo": [{"additionalIdToken": token, "type": "x"}],
        },
        "groupIdToken": {"idToken": token, "type": "Central"},
        "localAuthorizationList": [{"idTag": "1"}],
        "connectorId": 1,
    }
    masked = "****E6F7"
    assert mask_tokens(payload) == {
        "idTag": masked,
        "IDTAG": masked,
        "idTagInfo": {"status": "Accepted", "parentIdTag": masked},
        "idToken": {
            "idToken": masked,
            "type": "Central",
            "additionalInfo": [{"additionalIdToken": masked, "type": "x"}],
        },
        "groupIdToken": {"idToken": masked, "type": "Central"},
        "localAuthorizationList": [{"idTag": "****"}],
        "connectorId": 1,
    }
    assert payload["idTag"] == token
    assert mask_tokens("InternalError") == "InternalError"
