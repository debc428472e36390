"""The digest of a start's token, by which a server's record is compared with an attempt: the token itself is not stored."""

from __future__ import annotations

import hmac
import json

_PURPOSE = b"charger-connect: digest of a token"  # the secret signs other texts too: this keeps them apart
_LENGTH = 16  # bytes


def token_digest(secret: bytes, charger_id: str, token: str) -> bytes:
    """Return a keyed digest of a charger and a token, whose case does not matter: 16 bytes.

    It protects the tokens in a copied table. Tokens are short: with the secret as well, they can be found by trying.
    """
    key = hmac.digest(secret, _PURPOSE, "sha256")
    return hmac.digest(key, json.dumps([charger_id, token.casefold()]).encode(), "sha256")[:_LENGTH]
