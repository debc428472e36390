"""The console as its user sees it: what is on the page, by role and name."""

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
PATIENCE = 30_000
"""Milliseconds for what takes a while by design: a silent charger, a server that comes back."""


class Console:
    """A page of the stack; `errors` are those that it met."""

    def __init__(self, page: Page, stack: Stack) -> None:
        self.page = page
        self.errors: list[str] = []
        self._stack = stack
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._hear)

    def open(self, path: str) -> None:
        self.page.goto(f"http://127.0.0.1:{self._stack.ports.gateway}{path}")

    def restore(self) -> None:
        """Every charge point behaves as it did at the start."""
        for behaviour in usual() + unusual():
            order = {
                "chargerId": behaviour.identity,
                "online": behaviour.online,
                "reaction": behaviour.reaction,
            }
            body = json.dumps(order)
            answer = self._stack.send(
                "POST", "/console/charge-point", body, {"Content-Type": "application/json"}
            )
            assert answer.status == 204

    def card(self, charger: str) -> Locator:
        name = self.page.get_by_role("button", name=charger, exact=True)
        return self.page.get_by_role("region", name="Chargers").get_by_role("listitem").filter(has=name)

    def shows(self, charger: str, text: str) -> None:
        """Waits until the card of a charger has this text."""
        expect(self.card(charger)).to_contain_text(text, timeout=PATIENCE)

    def idle(self, charger: str) -> None:
        """Waits until a charger can take a start."""
        self.shows(charger, "Available")

    def starts(self, charger: str) -> int:
        """How many starts a charger received."""
        found = re.search(r"(\d+) starts? received", self.card(charger).inner_text())
        assert found
        return int(found[1])

    def behave(self, charger: str, behaviour: str) -> None:
        """Turns the switch on a charger's card."""
        choice = self.card(charger).get_by_role("radio", name=behaviour, exact=True)
        choice.check()
        expect(choice).to_be_checked()

    def connect(
        self, charger: str, *, form: str = "JSON", accept: str | None = None, token: str | None = None
    ) -> str:
        """Fills the form in and sends it; what the page says came of it."""
        self.page.get_by_role("combobox", name="Charger", exact=True).select_option(charger)
        self.page.get_by_role("radio", name=form, exact=True).check()
        if accept is not None:
            self.page.get_by_role("combobox", name="Accept", exact=True).select_option(label=accept)
        if token is not None:
            self.page.get_by_label("Token", exact=True).fill(token)
        return self.press("Connect")

    def press(self, button: str) -> str:
        """Presses a button that sends; what the page says came of it."""
        self.page.get_by_role("button", name=button, exact=True).click()
        return self.outcome()

    def outcome(self) -> str:
        """What came of the request that was sent last, once it is answered."""
        said = self.page.locator(".outcome")
        expect(said).to_have_text(re.compile(r"^\d{3} "), timeout=PATIENCE)
        return said.inner_text()

    def raw(self, title: str) -> str:
        """The request or the response, as it stands there."""
        return self.page.get_by_role("region", name=title, exact=True).inner_text()

    def sent_id(self) -> str:
        """The id of the request that stands there."""
        found = re.search(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", self.raw("Request"))
        assert found
        return found[0]

    def attempt(self, id_: str) -> Locator:
        """An attempt's row."""
        return self.page.locator(f'[data-attempt="{id_}"]')

    def asked(self, id_: str) -> Any:
        """The attempt as the API has it."""
        return json.loads(self._stack.send("GET", f"{API}charger-connect/{id_}").text)

    def _hear(self, message: ConsoleMessage) -> None:
        status_of_the_api = "Failed to load resource" in message.text and API in message.location["url"]
        if message.type in ("error", "warning") and not status_of_the_api:
            self.errors.append(message.text)
