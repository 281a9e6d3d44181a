"""The resident's receipt slip: a reference anybody may see and a code only the household holds.

Both are derived from the household's id under the index key, so a receipt that got lost on its way is the same when asked for again,
and nothing but a hash of the code is stored.
"""

from __future__ import annotations

from uuid import UUID

from relief.domain.sealing import Keys

#: No 0/O, 1/I/L, U: letters that survive a bad photocopy and a phone call.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def reference(county: str, household: UUID, keys: Keys) -> str:
    """'513322-K7P2M4QXNB': the county, then ten letters (49 bits)."""
    return f"{county}-{letters(keys.index('slip reference', str(household)), 10)}"


def code(household: UUID, keys: Keys) -> str:
    """Six digits, the secret printed on the slip."""
    return f"{int.from_bytes(keys.index('slip code', str(household))[:8], 'big') % 1_000_000:06d}"


def code_hash(slip: str, secret: str, keys: Keys) -> bytes:
    """What the database keeps of the code: useless without the key and on another slip."""
    return keys.index("slip", slip + secret)


def letters(digest: bytes, count: int) -> str:
    """Readable letters from a digest."""
    number = int.from_bytes(digest, "big")
    out = []
    for _ in range(count):
        number, rest = divmod(number, len(ALPHABET))
        out.append(ALPHABET[rest])
    return "".join(out)
