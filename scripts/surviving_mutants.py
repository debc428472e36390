"""The mutants that no test can notice, or none should, each with its reason.

A mutant is named by its function and a part of the changed line, old or new: mutmut's numbers change with the code.
"""

from __future__ import annotations

from fnmatch import fnmatch

_AT_IMPORT = "runs only while its module is imported, before mutmut sets a mutant"
_NO_CHARACTER = "quote() never encodes letters, so X is no addition to `safe`"
_NARROWS = "never absent here: `or` only narrows the type"
_PASSES = "a thousandth, or the very end, of a time that passes"
_RACE = "only if another thread drops the circuit between two reads"
_TEXT = "a text for people"
_ENDLESS = "an endless loop: the search does not advance"
_ENTRY_POINT = "the entry point: the tests of the built artefact call it"

# (function, part of a changed line, reason)
SURVIVORS: tuple[tuple[str, str, str], ...] = (
    ("charger_connect.*", 'request.chargerId or "XXXX"', _NARROWS),
    ("charger_connect.*", "is not None or request.serverRestApiPort", "a valid request has both or neither"),
    ("charger_connect.app.handler", "", _ENTRY_POINT),
    ("charger_connect.flow._milliseconds", "* 1001", _PASSES),
    ("charger_connect.flow.call_server", "raise AddressNotAllowed(", "its reason is not used"),
    ("charger_connect.flow.call_server", 'attempt.server or "XXXX"', "no server either"),
    ("charger_connect.flow.execute", "detail = None", "read only after it was set"),
    ("charger_connect.flow.execute", 'detail = "XXXX"', "read only after it was set"),
    ("charger_connect.flow.execute", 'problem or "XXXX"', _NARROWS),
    ("charger_connect.observe.link_failed", 'attempt.dialect or "XXXX"', _NARROWS),
    ("charger_connect.observe.settled", "* 1001", _PASSES),
    (
        "charger_connect.request._error",
        '"XXconnectionXX"',
        "pydantic's type of an error, which nothing reads",
    ),
    ("charger_link.*", 'safe="XXXX"', _NO_CHARACTER),
    ("charger_link.*", "safe='XXXX'", _NO_CHARACTER),
    ("charger_link.circuit.Circuits.check", "return True", _RACE),
    ("charger_link.dialects.*", 'request_unreadable("XX', _TEXT),
    ("charger_link.dialects.*.start", 'command.token or "XXXX"', _NARROWS),
    (
        "charger_link.masking.without_text",
        'info or "XXXX"',
        "no word of the closed list either",
    ),
    ("charger_link.dialects.native.read_retry_after", '"XXXX"', "no number either"),
    ("charger_link.dialects.native.status", 'answer.info or "XXXX"', "no info begins with it"),
    (
        "charger_link.dialects.ocpp_core.start",
        "connector or 1",
        "needs_connector: a start has a connector there",
    ),
    (
        "charger_link.dialects.ocpp_core.status",
        "default=",
        "without a connector that has a status, no number is in the list",
    ),
    ("charger_link.dialects.ocpp_cs._message", 'error.get("message"', "no message that is known contains it"),
    ("charger_link.dialects.ocpp_cs._missing_member", 'else "XXXX"', "no member's message begins with it"),
    ("charger_link.dialects.registry._NamesWhere.__init__", "self._condition", _AT_IMPORT),
    (
        "charger_link.dialects.steve.is_missing_path",
        "< body.keys()",
        "the body has `status` as well, so it always has more members",
    ),
    ("charger_link.dialects.steve.is_sign_in", '"XXXX"', "no path of a sign-in page"),
    (
        "charger_link.exchange.Exchange.answers_health_check",
        "remaining() <= _HEALTH_CHECK_MINIMUM",
        "the end of a time that passes",
    ),
    ("charger_link.link.Link.check_server", "Command(", "a health check names no attempt and no charger"),
    ("charger_link.link.Link.check_server", "repeat=", "a health check is sent once in any case"),
    ("charger_link.masking._find_end", "position - len(form)", _ENDLESS),
    ("charger_link.masking._forms", "json.dumps(plain)[", _ENDLESS),
    (
        "charger_link.masking._forms",
        "(plain.isascii()) or True",
        "a form more for characters that no server writes so",
    ),
    (
        "charger_link.masking._is_cut",
        "<= len(form)",
        "a text that ends with a whole form is found again at the next character, which nothing is left of",
    ),
    ("charger_link.masking.mask", "(characters) or True", _ENDLESS),
    ("charger_link.secrets._headers", "ValueError(None)", "the caller replaces the message"),
    ("common.journal.callbacks.is_signed", '"XXXX"', "no signature either"),
    (
        "common.journal.claim.decide_without_claim",
        "decide(old, fingerprint,",
        "every attempt has an owner, which differs from each of these",
    ),
    ("common.journal.history._batch", '.get("Keys", ', "both end the loop"),
    (
        "common.journal.history.newest_servers",
        'start: Item | None = ""',
        "the query takes both as no start key",
    ),
)


def reason(mutant: str, changed: list[str]) -> str | None:
    """Return why this mutant may survive; None if no reason is listed."""
    function = mutant.rpartition("__mutmut_")[0].replace("xǁ", "").replace("ǁ", ".").replace(".x_", ".")
    for name, part, why in SURVIVORS:
        if fnmatch(function, name) and any(part in line for line in changed):
            return why
    return None
