"""The answers and the OCPP payloads that all dialects build alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeGuard

from charger_link.answer import Answer, Outcome
from charger_link.limits import LARGEST_CONNECTOR, LONGEST_INFO
from charger_link.words import InfoWord
from common.remote_start import remote_start_id

if TYPE_CHECKING:
    from charger_link.command import Command


def is_connector(number: object) -> TypeGuard[int]:
    """Return whether an answer can hold it as its connector; 0 is the whole station."""
    return type(number) is int and 0 <= number <= LARGEST_CONNECTOR


def info(word: InfoWord, text: str = "") -> str:
    """Return a word of the closed list and free text after it, uncut: the token must be masked before the text is cut."""
    return f"{word} {text}".strip()


def cut(text: str) -> str:
    """Return the info of an answer: at most 50 characters, each of which UTF-8 can encode."""
    return text[:LONGEST_INFO].encode(errors="replace").decode()


def rejected(word: InfoWord, connector: int | None, text: str = "") -> Answer:
    """Return the charger's own rejection."""
    return Answer(Outcome.REJECTED, "Rejected", connector or 0, info=info(word, text))


def rejected_early(word: InfoWord, connector: int | None, text: str = "") -> Answer:
    """Return a rejection from before the request was sent to the charger."""
    return rejected(word, connector, text)._replace(early=True)


def cancelled(connector: int | None) -> Answer:
    """Return the answer for a start that was stopped before it was sent, and is never sent."""
    return Answer(Outcome.CANCELLED, "Rejected", connector or 0, info=InfoWord.NOTHING_STARTED)


def offline(word: InfoWord, connector: int | None = None) -> Answer:
    """Return the answer for a charger that is not connected; nothing was sent to it."""
    return Answer(Outcome.OFFLINE, "Unavailable", connector or 0, info=info(word))


def start_16(command: Command) -> dict[str, Any]:
    """Return the payload of OCPP 1.6's RemoteStartTransaction."""
    payload: dict[str, Any] = {"idTag": command.token}
    return payload if command.connector is None else payload | {"connectorId": command.connector}


def start_201(command: Command) -> dict[str, Any]:
    """Return the payload of OCPP 2.0.1's RequestStartTransaction."""
    payload = {
        "idToken": {"idToken": command.token, "type": "Central"},
        "remoteStartId": remote_start_id(command.id),
    }
    return payload if command.connector is None else payload | {"evseId": command.connector}
