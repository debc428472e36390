"""A user's actions in the console, and the results that it shows. Every charge runs on a real charge point over OCPP."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.browser.console import TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.console import Console
    from tests.documentation.stack import Stack


@pytest.mark.parametrize(
    ("charger", "form", "accept", "response_type"),
    [
        ("CP-1", "JSON", "the same", "application/json"),
        ("CP-2", "text/json", "the same", "text/json"),
        ("CP-1", "XML", "the same", "application/xml"),
        ("CP-2", "text/xml", "the same", "text/xml"),
        ("CP-1", "Form", "the same", "application/json"),
        ("CP-2", "JSON", "application/xml", "application/xml"),
        ("CP-1", "XML", "*/*", "application/json"),
    ],
)
def test_a_token_is_connected_in_any_format(
    console: Console, charger: str, form: str, accept: str, response_type: str
) -> None:
    console.idle(charger)
    before = console.starts(charger)
    assert console.connect(charger, form=form, accept=accept).startswith("200 ")
    assert f"content-type: {response_type}; charset=utf-8" in console.raw("Response")
    row = console.attempt(console.sent_id())
    expect(row).to_contain_text("completed")
    console.shows(charger, "Charging")
    assert console.starts(charger) == before + 1


def test_the_request_is_shown_as_it_was_sent(console: Console) -> None:
    with console.page.expect_request("**/charger-connect") as sent:
        console.connect("CP-4", form="XML")
    head, _, body = console.raw("Request").partition("\n\n")
    assert body == sent.value.post_data
    assert head.splitlines()[0] == "POST /api/v1/ocpp/charger-connect HTTP/1.1"
    for line in head.splitlines()[1:]:
        name, _, value = line.partition(": ")
        assert sent.value.all_headers()[name.lower()] == value


@pytest.mark.parametrize(
    ("charger", "outcome", "state"),
    [
        ("CP-7", "200 Accepted", "completed"),
        ("CP-3", "200 Unavailable", "failed"),
        ("CP-4", "200 Rejected", "completed"),
        ("CP-10", "200 Rejected", "completed"),
        ("CP-404", "404 The charger is unknown", "failed"),
    ],
)
def test_each_charger_answers_as_its_behaviour_requires(
    console: Console, charger: str, outcome: str, state: str
) -> None:
    assert console.connect(charger).startswith(outcome)
    expect(console.attempt(console.sent_id())).to_contain_text(state)


def test_a_silent_charger_leaves_the_outcome_unknown_until_the_request_is_repeated(console: Console) -> None:
    console.idle("CP-2")
    before = console.starts("CP-2")
    console.behave("CP-2", "Silent")
    outcome = console.connect("CP-2", form="XML")
    assert outcome.startswith("504 ")
    assert "unknown" in outcome
    row = console.attempt(console.sent_id())
    expect(row).to_contain_text("unknown")
    console.behave("CP-2", "Accept")
    console.shows("CP-2", "Charging")
    assert console.press("Send it again, same id").startswith("200 Accepted")
    expect(row).to_contain_text("completed")
    assert console.starts("CP-2") == before + 1


def test_a_late_charger_charges_before_it_answers(console: Console) -> None:
    console.idle("CP-1")
    console.behave("CP-1", "Late")
    console.shows("CP-1", "answers the start 25 s later")
    assert console.connect("CP-1").startswith("504 ")
    console.idle("CP-1")


def test_an_offline_charger_is_shown_until_it_reconnects(console: Console) -> None:
    console.behave("CP-1", "Offline")
    console.shows("CP-1", "not connected")
    assert console.connect("CP-1").startswith("200 Unavailable")
    console.behave("CP-1", "Accept")
    console.idle("CP-1")
    assert console.connect("CP-1").startswith("200 Accepted")


def test_a_charger_that_rejects_starts_nothing(console: Console) -> None:
    console.idle("CP-2")
    console.behave("CP-2", "Reject")
    assert console.connect("CP-2").startswith("200 Rejected")
    console.shows("CP-2", "Available")


def test_the_same_id_starts_once(console: Console) -> None:
    console.idle("CP-1")
    before = console.starts("CP-1")
    first = console.connect("CP-1")
    again = console.press("Send it again, same id")
    assert first.startswith("200 Accepted")
    assert "nothing was started a second time" in again
    assert "idempotent-replayed: true" in console.raw("Response")
    assert console.starts("CP-1") == before + 1


def test_without_a_token_nothing_is_started(console: Console) -> None:
    before = console.starts("CP-4")
    assert console.connect("CP-4", token="").startswith("200 Available")
    assert "tokenId" not in console.raw("Request")
    assert console.starts("CP-4") == before


def test_an_address_that_is_not_allowed_is_rejected(console: Console) -> None:
    console.page.get_by_text("OCPP server and connector").click()
    console.page.get_by_label("serverIpAddress").fill("169.254.169.254")
    assert console.connect("CP-1").startswith("403 ")


@pytest.mark.parametrize("form", ["JSON", "XML"])
def test_every_field_that_is_wrong_is_named(console: Console, form: str) -> None:
    console.page.get_by_text("OCPP server and connector").click()
    console.page.get_by_label("serverIpAddress").fill("localhost")
    console.page.get_by_label("serverRestApiPort").fill("70000")
    outcome = console.connect("CP-1", form=form)
    assert outcome.startswith("400 ")
    assert "serverIpAddress must be an IP address" in outcome
    assert "serverRestApiPort must be a port" in outcome


def test_the_start_names_the_connector(console: Console) -> None:
    console.page.get_by_text("OCPP server and connector").click()
    console.page.get_by_label("connectorId").fill("1")
    assert "(connector-busy)" in console.connect("CP-6")


def test_attempts_of_other_clients_are_shown(console: Console, stack: Stack) -> None:
    id_ = str(uuid4())
    server = {"serverIpAddress": "127.0.0.1", "serverRestApiPort": stack.ports.rest}
    request = json.dumps({"id": id_, "chargerId": "CP-4", "tokenId": "FROM-ELSEWHERE", **server})
    stack.send("POST", "/api/v1/ocpp/charger-connect", request, {"Content-Type": "application/json"})
    expect(console.attempt(id_)).to_contain_text("****HERE")
    console.page.reload()
    expect(console.attempt(id_)).to_contain_text("****HERE")


def test_the_details_of_an_attempt_are_those_that_the_api_returns(console: Console) -> None:
    console.connect("CP-4")
    row = console.attempt(console.sent_id())
    row.get_by_role("button", name="Details of the attempt").click()
    unfolded = console.page.get_by_role("region", name="The attempt as the API returns it").inner_text()
    assert json.loads(unfolded) == console.read_attempt(console.sent_id())


def test_the_ocpp_messages_are_shown(console: Console) -> None:
    token = uuid4().hex[:12]
    console.connect("CP-4", token=token)
    messages = console.page.get_by_role("region", name="OCPP messages")
    masked = f"idTag: ****{token[-4:]}"
    expect(messages.get_by_role("listitem").filter(has_text=masked).first).to_be_attached()
    assert token not in messages.inner_text()


def test_the_event_of_a_change_is_shown(console: Console) -> None:
    console.connect("CP-4")
    events = console.page.get_by_role("region", name="Events")
    shown = events.get_by_role("listitem").filter(has_text=console.sent_id())
    expect(shown).to_contain_text("completed rejected")


def test_a_killed_ocpp_server_is_reported_and_restarts(console: Console) -> None:
    console.page.get_by_role("button", name="Kill the OCPP server").click()
    expect(console.page.get_by_text("ended, restart in")).to_be_visible()
    console.shows("CP-1", "not connected")
    assert console.connect("CP-1").startswith("502 The OCPP server could not be reached")
    expect(console.attempt(console.sent_id())).to_contain_text("server-unreachable")
    console.idle("CP-1")
    expect(console.page.get_by_text("runs, process")).to_be_visible(timeout=TIMEOUT)
    # The failures may have opened the circuit for a while. The same id allows another try.
    for _ in range(20):
        outcome = console.press("Send it again, same id")
        if outcome.startswith("200 Accepted"):
            return
        assert outcome.startswith(("502", "503"))
        console.page.wait_for_timeout(1000)
    raise AssertionError(outcome)


def test_a_request_without_a_response_may_have_arrived(console: Console) -> None:
    console.page.route("**/charger-connect", lambda route: route.abort())
    console.page.get_by_role("button", name="Connect", exact=True).click()
    expect(console.page.locator(".outcome")).to_contain_text("no response")
    assert "No response." in console.raw("Response")
    console.page.unroute("**/charger-connect")
    assert console.press("Send it again, same id")[:3] == "200"


def test_a_stack_that_does_not_respond_is_reported_until_it_responds_again(
    visit: Callable[..., Console],
) -> None:
    console = visit("/docs")
    alert = console.page.get_by_role("alert")
    console.page.route("**/console/events", lambda _: None)
    console.open("/")
    expect(console.page.get_by_role("heading", name="Attempts")).to_be_visible()
    expect(alert).to_be_empty()
    # After this response, a browser does not reconnect by itself.
    console.page.unroute("**/console/events")
    console.page.route("**/console/events", lambda route: route.fulfill(status=503), times=1)
    console.open("/")
    expect(alert).to_have_text("The stack does not respond. This page continues when it is running again.")
    console.shows("CP-4", "connected")
    expect(alert).to_be_empty()
    console.errors = [error for error in console.errors if "503" not in error]
