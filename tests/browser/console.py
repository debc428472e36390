"""The console as its user sees it: elements of the page by role and name."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from local.chargers.behaviours import unusual, usual

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Locator, Page

    from tests.documentation.stack import Stack

API = "/api/v1/ocpp/"
TIMEOUT = 30_000
"""Milliseconds for what is slow by design: a silent charger, a restarting server."""


class Console:
    """A page of the stack; `errors` are those that it raised or logged."""

    def __init__(self, page: Page, stack: Stack) -> None:
        self.page = page
        self.errors: list[str] = []
        self._stack = stack
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._on_console_message)

    def open(self, path: str) -> None:
        self.page.goto(f"http://127.0.0.1:{self._stack.ports.gateway}{path}")

    def restore(self) -> None:
        """Restore the initial behaviour of every charge point."""
        for behaviour in usual() + unusual():
            command = {
                "chargerId": behaviour.identity,
                "online": behaviour.online,
                "reaction": behaviour.reaction,
            }
            body = json.dumps(command)
            response = self._stack.send(
                "POST", "/console/charge-point", body, {"Content-Type": "application/json"}
            )
            assert response.status == 204

    def card(self, charger: str) -> Locator:
        name = self.page.get_by_role("button", name=charger, exact=True)
        return self.page.get_by_role("region", name="Chargers").get_by_role("listitem").filter(has=name)

    def shows(self, charger: str, text: str) -> None:
        """Wait until the card of a charger contains this text."""
        expect(self.card(charger)).to_contain_text(text, timeout=TIMEOUT)

    def idle(self, charger: str) -> None:
        """Wait until a charger is available for a start."""
        self.shows(charger, "Available")

    def starts(self, charger: str) -> int:
        """Return the number of starts that a charger received."""
        found = re.search(r"(\d+) starts? received", self.card(charger).inner_text())
        assert found
        return int(found[1])

    def behave(self, charger: str, behaviour: str) -> None:
        """Select a behaviour on a charger's card."""
        choice = self.card(charger).get_by_role("radio", name=behaviour, exact=True)
        choice.check()
        expect(choice).to_be_checked()

    def connect(
        self, charger: str, *, form: str = "JSON", accept: str | None = None, token: str | None = None
    ) -> str:
        """Fill in the form and send it. Return the outcome that the page shows."""
        self.page.get_by_role("combobox", name="Charger", exact=True).select_option(charger)
        self.page.get_by_role("radio", name=form, exact=True).check()
        if accept is not None:
            self.page.get_by_role("combobox", name="Accept", exact=True).select_option(label=accept)
        if token is not None:
            self.page.get_by_label("Token", exact=True).fill(token)
        return self.press("Connect")

    def press(self, button: str) -> str:
        """Press a button that sends a request. Return the outcome that the page shows."""
        self.page.get_by_role("button", name=button, exact=True).click()
        return self.outcome()

    def outcome(self) -> str:
        """Wait for the response to the last request. Return the outcome that the page shows."""
        outcome = self.page.locator(".outcome")
        expect(outcome).to_have_text(re.compile(r"^\d{3} "), timeout=TIMEOUT)
        return outcome.inner_text()

    def raw(self, title: str) -> str:
        """Return the text of the shown request or response."""
        return self.page.get_by_role("region", name=title, exact=True).inner_text()

    def sent_id(self) -> str:
        """Return the id of the shown request."""
        found = re.search(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", self.raw("Request"))
        assert found
        return found[0]

    def attempt(self, id_: str) -> Locator:
        """Return an attempt's row."""
        return self.page.locator(f'[data-attempt="{id_}"]')

    def read_attempt(self, id_: str) -> Any:
        """Return the attempt as the API returns it."""
        return json.loads(self._stack.send("GET", f"{API}charger-connect/{id_}").text)

    def _on_console_message(self, message: ConsoleMessage) -> None:
        status_of_the_api = "Failed to load resource" in message.text and API in message.location["url"]
        if message.type in ("error", "warning") and not status_of_the_api:
            self.errors.append(message.text)
