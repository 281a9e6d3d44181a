"""Whether two registrations are one household: what brings them together, how alike they are, and why.

Blocks find candidates without comparing everybody with everybody and without opening a name: keyed hashes of what two records of one
household still share when somebody misheard, mistyped or swapped something. Only candidates are opened and scored; every point of a
score has a reason an officer can read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final
from uuid import UUID

import msgspec

from relief.domain import pinyin
from relief.later import Later

if TYPE_CHECKING:
    from rapidfuzz.distance import OSA
else:
    OSA = Later("rapidfuzz.distance.OSA")

#: Reason → points. The reasons of the best match of two people come first, then what the households share.
POINTS: Final = {
    "name_same": 40, "name_variant": 38, "name_swapped": 36, "name_sound": 34, "name_near": 20, "birth_same": 35, "birth_near": 22, "birth_year": 8,
    "id_near": 15, "id_far": -20, "sex_differs": -5, "village_same": 5, "phone_same": 20, "account_same": 25, "member_also": 10, "size_same": 2, "known_same": 60,
}  # fmt: skip
#: A second pair of people counts as alike from here.
_ALSO: Final = 60
_MOST: Final = 100
#: An odd sequence number is a man's (GB 11643); the letters of a temporary number are neither.
_ODD: Final = "13579"


class Face(msgspec.Struct, frozen=True):
    """One opened person, with everything that is compared made once: see `face`."""

    id_number: str
    id_hash: bytes
    letters: str
    plain: str
    sounds: tuple[str, ...]
    birth: str  # YYYYMMDD
    rest: str  # the number without birth date and check digit: where it was issued, and the sequence
    male: bool


def face(name: str, id_number: str, id_hash: bytes) -> Face:
    """A person to be compared; the sequence number is odd for men (GB 11643)."""
    return Face(
        id_number, id_hash, pinyin.letters(name), pinyin.plain(name), pinyin.syllables(name), id_number[6:14], id_number[:6] + id_number[14:17],
        id_number[16] in _ODD,
    )  # fmt: skip


class Home(msgspec.Struct, frozen=True):
    """One opened household; phone and account by their hashes."""

    village: str
    people: Sequence[Face]
    phone: bytes | None
    account: bytes | None


class Likeness(msgspec.Struct, frozen=True):
    """How alike two households are: 0–100, the reasons with their points, and the identity hashes of those who match, two by two."""

    score: int
    reasons: tuple[tuple[str, int], ...]
    people: tuple[bytes, ...]

    def with_known(self, verdict: str | None) -> Likeness:
        """The same, knowing that the best pair was once decided to be one person."""
        if verdict != "same":
            return self
        points = POINTS["known_same"]
        return Likeness(min(self.score + points, _MOST), (*self.reasons, ("known_same", points)), self.people)


class Limits(msgspec.Struct, frozen=True):
    """What a county settles: from which score two households are suspected, how many may share an account (a family card) or a phone, and
    what a suspicion without an exact key stops: later stages, every payment, or nothing."""

    score: int = 60
    account_households: int = 1
    phone_households: int = 5
    fuzzy_blocks: str = "stages"


def blocks(
    incident: UUID, village: str, people: Iterable[tuple[str, str, bytes]], shared: Iterable[bytes | None], key: Callable[[str], int]
) -> list[int]:
    """The blocks of one household: `people` are (name, id number, id hash), householder first, `shared` the hashes of phone and account.

    Even blocks come from exact keys (one pair a household is enough; within the incident, and for people also across incidents), odd ones
    are compared within the block; `key` hashes to 64 bits.
    """
    found = {exact(h, incident) for h in shared if h is not None}
    for place, (name, number, id_hash) in enumerate(people):
        sounds = sorted(pinyin.syllables(name))
        initials = "".join(s[0] for s in sounds)
        clues = [
            f"year {village} {number[6:10]} {initials}",  # a slip in day or month, a character that sounds nearly alike
            f"birth {village} {number[6:14]} {number[16] in _ODD}",  # another name; the sequence number is odd for men
        ]
        if place == 0:  # a householder alone must be found by other slips too; a whole family is found by its others
            clues.append(f"day {village} {number[10:14]} {initials}")  # a slip in the year
            clues.append(f"born {number[6:14]} {' '.join(sounds)}")  # another village
        found.update((exact(id_hash), exact(id_hash, incident)))
        found.update(key(clue) | 1 for clue in clues)
    return sorted(found)


def exact(key_hash: bytes, incident: UUID = UUID(int=0)) -> int:  # noqa: B008 - frozen
    """The block of an exact key: the head of its hash, made even; `incident` keeps the incidents apart. `store.blocks` says the same in SQL."""
    mixed = int.from_bytes(key_hash[:8], "big") ^ int.from_bytes(incident.bytes[:8], "big")
    return int.from_bytes(mixed.to_bytes(8, "big"), "big", signed=True) & ~1


def compare(a: Home, b: Home) -> Likeness:
    """Score two households by their best match of two people, the others who match, and what the households share.

    Where nobody matches the people are the householders, who stand first in their household.
    """
    matches = _matches(a, b)
    first, reasons, (one, two) = matches[0] if matches else (0, (), (a.people[0], b.people[0]))
    people = [one.id_hash, two.id_hash]
    said = list(reasons)
    also = [m for m in matches[1:] if m[0] >= _ALSO][:2]
    for _, _, (p, q) in also:
        said.append(("member_also", POINTS["member_also"]))
        people += [p.id_hash, q.id_hash]
    for code, agrees in (
        ("village_same", a.village == b.village),
        ("phone_same", a.phone is not None and a.phone == b.phone),
        ("account_same", a.account is not None and a.account == b.account),
        ("size_same", len(a.people) == len(b.people) > 1),
    ):
        if agrees:
            said.append((code, POINTS[code]))
    score = first + sum(points for _, points in said[len(reasons) :])
    return Likeness(max(0, min(score, _MOST)), tuple(said), tuple(people))


_Match = tuple[int, tuple[tuple[str, int], ...], tuple[Face, Face]]


def _matches(a: Home, b: Home) -> list[_Match]:
    """Pairs of people who look alike, best first, each person once."""
    found: list[_Match] = []
    for p in a.people:
        for q in b.people:
            if reasons := resemblance(p, q):
                found.append((sum(n for _, n in reasons), reasons, (p, q)))
    found.sort(key=lambda m: -m[0])
    taken: set[int] = set()
    out = []
    for match in found:
        pair = {id(match[2][0]), id(match[2][1])}
        if not pair & taken:
            taken |= pair
            out.append(match)
    return out


def resemblance(p: Face, q: Face) -> tuple[tuple[str, int], ...]:
    """What speaks for two people being one; nothing where not even the name is near."""
    name, birth = _name(p, q), _birth(p.birth, q.birth)
    if name is None and not (birth == "birth_same" and p.rest == q.rest):
        return ()
    codes = [c for c in (name, birth) if c]
    if p.id_number != q.id_number and birth in ("birth_same", "birth_near"):
        codes.append("id_near" if OSA.distance(p.rest, q.rest, score_cutoff=1) <= 1 else "id_far")
    if p.male != q.male:
        codes.append("sex_differs")
    return tuple((c, POINTS[c]) for c in codes)


def _name(p: Face, q: Face) -> str | None:
    if p.letters == q.letters:
        return "name_same"
    if p.plain == q.plain:
        return "name_variant"
    if p.sounds == q.sounds:
        return "name_sound"
    if len(p.plain) == len(q.plain) and (sorted(p.plain) == sorted(q.plain) or sorted(p.sounds) == sorted(q.sounds)):
        return "name_swapped"
    near = max(len(p.plain), len(q.plain)) >= 3 and OSA.distance(p.plain, q.plain, score_cutoff=1) <= 1
    return "name_near" if near else None


def _birth(a: str, b: str) -> str | None:
    if a == b:
        return "birth_same"
    if (a[:4] == b[:4] and a[4:6] == b[6:8] and a[6:8] == b[4:6]) or OSA.distance(a, b, score_cutoff=1) <= 1:
        return "birth_near"
    return "birth_year" if a[:4] == b[:4] else None
