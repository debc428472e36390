"""The keys of the index `unfinished`, as every write needs them."""

from __future__ import annotations

from hashlib import sha256

KEYS = ("shard", "dueAt")
# A partition of an index takes 1,000 writes a second, and an index that cannot follow throttles the claims.
SHARDS = tuple(map(str, range(8)))
NOT_DUE = 253_402_300_799  # the end of the year 9999: no look follows, and the entry stays listed and counted


def shard_of(id_: str) -> str:
    """Return the partition of the index for an attempt's id."""
    return SHARDS[sha256(id_.encode()).digest()[0] % len(SHARDS)]
