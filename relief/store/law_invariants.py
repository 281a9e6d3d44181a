"""What must be true of the law at every moment: who signs, who is paid, what a meeting adopted, what was checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from relief.store.invariant import Invariant

LAW: Final[Sequence[Invariant]] = (
    Invariant(
        "paid_to_the_person_named",
        "an award a playbook pays to a person goes to the payee two people gave and checked for it, never to whoever heads the household unnamed",
        "SELECT count(*) FROM award",
        """SELECT a.county || '/' || a.id AS row FROM award a WHERE a.to_person AND NOT EXISTS (
               SELECT FROM aid_payee y WHERE y.county = a.county AND y.household = a.household AND y.aid = a.aid AND y.person = a.payee
               AND y.status IN ('current', 'replaced') AND y.checked_by <> y.named_by)""",
    ),
    Invariant(
        "adopted_by_another",
        "minutes in force were adopted by somebody who neither recorded them nor registered the household, and the decision on it pays exactly that",
        "SELECT (SELECT count(*) FROM minutes) + (SELECT count(*) FROM award)",
        """SELECT m.county || '/' || m.id AS row FROM minutes m JOIN household h ON h.county = m.county AND h.id = m.household
           WHERE m.status IN ('adopted', 'superseded') AND (m.adopted_by IS NULL OR m.adopted_by IN (m.recorded_by, h.registered_by))
           UNION ALL
           SELECT a.county || '/' || a.id FROM award a WHERE a.mode = 'C' AND a.status IN ('proposed', 'approved', 'completed') AND NOT EXISTS (
               SELECT FROM minutes m WHERE m.county = a.county AND m.household = a.household AND m.aid = a.aid AND m.status IN ('adopted', 'superseded'))""",
    ),
)
