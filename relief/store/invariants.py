"""What must be true at every moment. Each is one query that names broken rows and one that says how many it looked at.

The numbers in brackets are those of the reliability reference, restated for two-legged transfers: a transfer takes from one place of a
fund and gives to another in one row, so it cannot be unbalanced; what can go wrong is that balances and transfers tell different stories.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from relief.store.bank_invariants import BANK_WORD
from relief.store.db import Tx, many, value
from relief.store.field_invariants import FIELD
from relief.store.invariant import Invariant as Invariant
from relief.store.law_invariants import LAW
from relief.store.review_invariants import REVIEW
from relief.store.standing_invariants import STANDING
from relief.store.trace_invariants import TRACE


class Finding(msgspec.Struct, frozen=True):
    """The result of one invariant; `rows` holds at most twenty of the broken ones."""

    name: str
    says: str
    examined: int
    broken: int
    rows: list[str]


class _Row(msgspec.Struct):
    row: str


MONEY: Final[Sequence[Invariant]] = (
    Invariant(
        "fund_equation",
        "allocated = available + reserved + in flight + paid, each at least 0 [4]",
        "SELECT count(*) FROM fund",
        """SELECT county || '/' || id AS row FROM fund
           WHERE allocated_fen <> available_fen + reserved_fen + in_flight_fen + paid_fen
              OR least(available_fen, reserved_fen, in_flight_fen, paid_fen) < 0""",
    ),
    Invariant(
        "fund_tells_its_transfers",
        "each balance of a fund is the sum of its transfers [1, 2, 5]",
        "SELECT count(*) FROM transfer",
        """SELECT f.county || '/' || f.id AS row FROM fund f LEFT JOIN (
               SELECT county, fund,
                      sum(amount_fen * ((target = 'available')::int - (source = 'available')::int)) AS available,
                      sum(amount_fen * ((target = 'reserved')::int - (source = 'reserved')::int)) AS reserved,
                      sum(amount_fen * ((target = 'in flight')::int - (source = 'in flight')::int)) AS in_flight,
                      sum(amount_fen * ((target = 'paid')::int - (source = 'paid')::int)) AS paid,
                      sum(amount_fen * ((source = 'allocated')::int - (target = 'allocated')::int)) AS allocated
               FROM transfer GROUP BY county, fund) t ON t.county = f.county AND t.fund = f.id
           WHERE (f.allocated_fen, f.available_fen, f.reserved_fen, f.in_flight_fen, f.paid_fen)
                 IS DISTINCT FROM (t.allocated, t.available, t.reserved, t.in_flight, t.paid)""",
    ),
    Invariant(
        "money_is_whole_fen",
        "every money column is bigint and named _fen [3]",
        "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'public'",
        """SELECT table_name || '.' || column_name AS row FROM information_schema.columns
           WHERE table_schema = 'public' AND (column_name LIKE '%\\_fen' AND data_type <> 'bigint'
              OR data_type IN ('numeric', 'money') OR column_name ~ '(amount|yuan|price)$')""",
    ),
    Invariant(
        "append_only",
        "the application may neither edit nor delete what is append-only [6]",
        "SELECT count(*) FROM information_schema.table_privileges WHERE grantee = 'relief_app'",
        """SELECT table_name || ' ' || privilege_type AS row FROM information_schema.table_privileges
           WHERE grantee = 'relief_app' AND (privilege_type = 'DELETE' AND table_name NOT IN ('staff_session', 'sign_in_attempt', 'location', 'entitlement_guard', 'audit_pending', 'unmatched', 'sheet_part', 'payable', 'square_change', 'proposal')
              OR privilege_type = 'TRUNCATE' OR privilege_type = 'UPDATE' AND table_name IN ('transfer', 'signature', 'audit', 'audit_seal', 'audit_checkpoint', 'factor_proof', 'message_event',
                 'incident_report', 'report_relay', 'response', 'response_plan'))""",
    ),
    Invariant(
        "reserved_covers_awards",
        "per fund, reserved + in flight + paid is what its live awards were approved for, less what was asked back and repaid [8]",
        "SELECT count(*) FROM award WHERE fund IS NOT NULL",
        """SELECT f.county || '/' || f.id AS row FROM fund f LEFT JOIN (
               SELECT a.county, a.fund, sum(i.amount_fen) AS fen FROM award a JOIN instalment i ON i.county = a.county AND i.award = a.id
               WHERE a.fund IS NOT NULL AND i.status <> 'cancelled' GROUP BY a.county, a.fund) t ON t.county = f.county AND t.fund = f.id
           LEFT JOIN (SELECT county, fund, sum(amount_fen) AS fen FROM transfer WHERE subject = 'recovery' GROUP BY county, fund) b
               ON b.county = f.county AND b.fund = f.id
           WHERE f.reserved_fen + f.in_flight_fen + f.paid_fen <> coalesce(t.fen, 0) - coalesce(b.fen, 0)""",
    ),
    Invariant(
        "in_flight_and_paid_are_payments",
        "per fund, in flight is the sum of its sent and unknown payments and paid that of its paid ones, less what was repaid [5, 20]",
        "SELECT count(*) FROM payment",
        """SELECT f.county || '/' || f.id AS row FROM fund f LEFT JOIN (
               SELECT county, fund, sum(amount_fen) FILTER (WHERE status IN ('sent', 'unknown')) AS flying,
                      sum(amount_fen) FILTER (WHERE status = 'paid') AS paid FROM payment GROUP BY county, fund) p
               ON p.county = f.county AND p.fund = f.id
           LEFT JOIN (SELECT county, fund, sum(amount_fen) AS fen FROM transfer WHERE subject = 'recovery' GROUP BY county, fund) b
               ON b.county = f.county AND b.fund = f.id
           WHERE f.in_flight_fen <> coalesce(p.flying, 0) OR f.paid_fen <> coalesce(p.paid, 0) - coalesce(b.fen, 0)""",
    ),
    Invariant(
        "instalments_sum_to_award",
        "the instalments of an award sum to its amount [8, 11]",
        "SELECT count(*) FROM award",
        """SELECT a.county || '/' || a.id AS row FROM award a LEFT JOIN (
               SELECT county, award, sum(amount_fen) AS fen FROM instalment GROUP BY county, award) i ON i.county = a.county AND i.award = a.id
           WHERE a.amount_fen IS DISTINCT FROM i.fen""",
    ),
    Invariant(
        "one_live_attempt",
        "an instalment has at most one live payment, of its own amount [10, 11]",
        "SELECT count(*) FROM instalment",
        """SELECT i.county || '/' || i.id AS row FROM instalment i JOIN payment p ON p.county = i.county AND p.instalment = i.id
           WHERE p.status NOT IN ('returned', 'cancelled') GROUP BY i.county, i.id, i.amount_fen
           HAVING count(*) > 1 OR sum(p.amount_fen) <> i.amount_fen
           UNION ALL
           SELECT county || '/' || instalment FROM payment GROUP BY county, instalment HAVING count(*) <> count(DISTINCT attempt)""",
    ),
    Invariant(
        "committed_is_approved",
        "what a county has committed under an activation is the sum of its approved awards, and within its cap [8]",
        "SELECT count(*) FROM county_activation",
        """SELECT p.county || '/' || p.id AS row FROM county_activation p LEFT JOIN (
               SELECT county, activation, sum(amount_fen) AS fen FROM award WHERE status IN ('approved', 'completed') GROUP BY county, activation) a
               ON a.county = p.county AND a.activation = p.activation
           WHERE p.committed_fen <> coalesce(a.fen, 0) OR p.committed_fen > p.cap_fen""",
    ),
    Invariant(
        "proposed_award_waits",
        "every proposed award waits in the queue for an approval",
        "SELECT count(*) FROM award",
        """SELECT a.county || '/' || a.id AS row FROM award a WHERE a.status = 'proposed'
           AND NOT EXISTS (SELECT FROM proposal q WHERE q.county = a.county AND q.award = a.id)""",
    ),
    Invariant(
        "approved_payment_waits",
        "every approved payment, and no other, waits in the queue for a batch [19]",
        "SELECT count(*) FROM payment",
        """SELECT coalesce(p.county, q.county) || '/' || coalesce(p.id, q.payment) AS row
           FROM (SELECT county, id FROM payment WHERE status = 'approved') p
           FULL JOIN payable q ON q.county = p.county AND q.payment = p.id WHERE p.id IS NULL OR q.payment IS NULL""",
    ),
    Invariant(
        "settled_means_paid",
        "an instalment is settled exactly when a payment of it is paid [12]",
        "SELECT count(*) FROM instalment",
        """SELECT i.county || '/' || i.id AS row FROM instalment i
           WHERE (i.status = 'settled') <> EXISTS (
               SELECT FROM payment p WHERE p.county = i.county AND p.instalment = i.id AND p.status = 'paid')""",
    ),
    Invariant(
        "payment_tells_its_transfers",
        "a payment's status is what its transfers say: once out, once settled or back [12]",
        "SELECT count(*) FROM payment",
        """SELECT p.county || '/' || p.id AS row FROM payment p LEFT JOIN (
               SELECT county, subject_id, sum(amount_fen * ((target = 'in flight')::int - (source = 'in flight')::int)) AS flying,
                      sum(amount_fen * ((target = 'paid')::int - (source = 'paid')::int)) AS paid
               FROM transfer WHERE subject = 'payment' GROUP BY county, subject_id) t ON t.county = p.county AND t.subject_id = p.id
           WHERE coalesce(t.flying, 0) <> CASE WHEN p.status IN ('sent', 'unknown') THEN p.amount_fen ELSE 0 END
              OR coalesce(t.paid, 0) <> CASE WHEN p.status = 'paid' THEN p.amount_fen ELSE 0 END""",
    ),
    Invariant(
        "new_attempt_after_return_only",
        "attempt n + 1 exists only when attempt n was returned by the bank [13]",
        "SELECT count(*) FROM payment WHERE attempt > 1",
        """SELECT p.county || '/' || p.id AS row FROM payment p WHERE p.attempt > 1 AND NOT EXISTS (
               SELECT FROM payment b WHERE b.county = p.county AND b.instalment = p.instalment AND b.attempt = p.attempt - 1
               AND b.status = 'returned')""",
    ),
    Invariant(
        "proposal_rests_on_its_decision",
        "an award that may still be approved rests on the current decision of its household, never on one that was superseded",
        "SELECT count(*) FROM award",
        """SELECT a.county || '/' || a.id AS row FROM award a JOIN decision d ON d.county = a.county AND d.id = a.decision
           WHERE a.status = 'proposed' AND d.status <> 'current'""",
    ),
    Invariant(
        "nothing_is_orphaned",
        "awards, instalments, payments and transfers belong to rows that exist",
        "SELECT count(*) FROM award",
        """SELECT a.county || '/' || a.id AS row FROM award a
           WHERE NOT EXISTS (SELECT FROM person p WHERE p.county = a.county AND p.id = a.payee AND p.household = a.household)
              OR NOT EXISTS (SELECT FROM decision d WHERE d.county = a.county AND d.id = a.decision AND d.household = a.household)
              OR a.fund IS NOT NULL AND NOT EXISTS (SELECT FROM fund f WHERE f.county = a.county AND f.id = a.fund)
           UNION ALL
           SELECT i.county || '/' || i.id FROM instalment i
           WHERE NOT EXISTS (SELECT FROM award a WHERE a.county = i.county AND a.id = i.award)
           UNION ALL
           SELECT p.county || '/' || p.id FROM payment p
           WHERE NOT EXISTS (SELECT FROM instalment i WHERE i.county = p.county AND i.id = p.instalment AND i.award = p.award)
              OR NOT EXISTS (SELECT FROM account c WHERE c.county = p.county AND c.id = p.account)
              OR p.batch IS NOT NULL AND NOT EXISTS (SELECT FROM batch b WHERE b.county = p.county AND b.id = p.batch)
           UNION ALL
           SELECT t.county || '/' || t.id FROM transfer t
           WHERE NOT EXISTS (SELECT FROM fund f WHERE f.county = t.county AND f.id = t.fund)""",
    ),
    Invariant(
        "transfer_has_its_act",
        "every transfer names an act of the trace [29]",
        "SELECT count(*) FROM transfer",
        """SELECT t.county || '/' || t.id AS row FROM transfer t
           WHERE NOT EXISTS (SELECT FROM audit a WHERE a.county = t.county AND a.id = t.act)""",
    ),
)

BANK: Final[Sequence[Invariant]] = (
    Invariant(
        "batch_totals",
        "lines and total of a batch are those of its payments [16, 17]",
        "SELECT count(*) FROM batch",
        """SELECT b.number AS row FROM batch b LEFT JOIN (
               SELECT county, batch, count(*) AS lines, sum(amount_fen) AS fen, max(line) AS last, count(DISTINCT line) AS distinct_lines,
                      array_agg(id ORDER BY line) AS ids
               FROM payment WHERE batch IS NOT NULL GROUP BY county, batch) p ON p.county = b.county AND p.batch = b.id
           WHERE b.status <> 'voided' AND (b.lines, b.total_fen, b.lines, b.lines) IS DISTINCT FROM (p.lines, p.fen, p.last, p.distinct_lines)
              OR b.status <> 'voided' AND b.payments IS DISTINCT FROM p.ids
              OR b.status = 'voided' AND p.lines > 0""",
    ),
    Invariant(
        "batch_three_officers",
        "a batch that left was prepared, checked and authorised by three people who touched none of its lines [26]",
        "SELECT count(*) FROM batch WHERE status NOT IN ('frozen', 'prepared', 'checked', 'voided')",
        """SELECT b.number AS row FROM batch b WHERE status NOT IN ('frozen', 'prepared', 'checked', 'voided') AND (
               SELECT count(DISTINCT s.person) FROM signature s WHERE s.county = b.county AND s.subject = b.id
               AND s.step IN ('prepare', 'check', 'authorise')) <> 3
           UNION ALL
           SELECT b.number FROM batch b JOIN payment p ON p.county = b.county AND p.batch = b.id
           JOIN signature line ON line.county = p.county AND line.subject = p.award
           JOIN signature s ON s.county = b.county AND s.subject = b.id AND s.person = line.person AND s.step <> 'line'""",
    ),
    Invariant(
        "authorised_with_second_factor",
        "whoever authorised had proven themselves for exactly that digest within five minutes, or the act says there is no second factor here",
        "SELECT count(*) FROM audit WHERE act = 'batch.authorise'",
        """SELECT a.county || '/' || a.id AS row FROM audit a WHERE a.act = 'batch.authorise' AND a.detail->>'factor' IN ('totp', 'recovery')
           AND NOT EXISTS (SELECT FROM signature s JOIN factor_proof p ON p.person = s.person AND p.digest = s.digest
                           WHERE s.county = a.county AND s.step = 'authorise' AND s.person = a.actor AND s.signed_at = a.at
                             AND p.at <= s.signed_at AND p.at > s.signed_at - interval '5 minutes')""",
    ),
    Invariant(
        "sent_payment_left_with_its_batch",
        "a payment is out only with a batch that is, and the other way round [19]",
        "SELECT count(*) FROM payment WHERE batch IS NOT NULL",
        """SELECT p.county || '/' || p.id AS row FROM payment p JOIN batch b ON b.county = p.county AND b.id = p.batch
           WHERE (p.status = 'batched') <> (b.status IN ('frozen', 'prepared', 'checked', 'authorised'))""",
    ),
    Invariant(
        "answer_has_its_evidence",
        "a paid or returned payment rests on a matched row of a bank file, or on a verdict of two people [12, 20]",
        "SELECT count(*) FROM payment WHERE status IN ('paid', 'returned')",
        """SELECT p.county || '/' || p.id AS row FROM payment p WHERE p.status IN ('paid', 'returned') AND NOT EXISTS (
               SELECT FROM bank_row r WHERE r.county = p.county AND r.payment = p.id
               AND (r.disposition = 'matched' OR r.code = 'reversal_without_payment' AND r.closed_at IS NOT NULL)
               AND (p.status = 'paid' AND r.outcome = 'paid' OR p.status = 'returned' AND r.outcome IN ('returned', 'reversed')))
             AND NOT EXISTS (SELECT FROM verdict v WHERE v.county = p.county AND v.payment = p.id AND v.status = 'confirmed' AND v.outcome = p.status
                             AND v.decided_by <> v.proposed_by)""",
    ),
    Invariant(
        "matched_row_agrees",
        "a matched bank row has the payment's amount and reference [23]",
        "SELECT count(*) FROM bank_row",
        """SELECT r.county || '/' || r.file || ':' || r.row AS row FROM bank_row r
           JOIN payment p ON p.county = r.county AND p.id = r.payment
           WHERE r.disposition = 'matched' AND (r.amount_fen <> p.amount_fen OR r.reference <> p.reference)""",
    ),
    Invariant(
        "account_is_the_one_checked",
        "a payment uses an account version of its payee that was current, never a proposal [25]",
        "SELECT count(*) FROM payment",
        """SELECT p.county || '/' || p.id AS row FROM payment p JOIN account c ON c.county = p.county AND c.id = p.account
           WHERE c.person <> p.payee OR c.status NOT IN ('current', 'replaced')""",
    ),
)

PEOPLE: Final[Sequence[Invariant]] = (
    Invariant(
        "approved_by_another",
        "an approved award carries the signatures its band asks for, each of another person, none of whoever registered the household [26]",
        "SELECT count(*) FROM award WHERE status IN ('approved', 'completed')",
        """SELECT a.county || '/' || a.id AS row FROM award a JOIN household h ON h.county = a.county AND h.id = a.household
           WHERE a.status IN ('approved', 'completed') AND (
               SELECT count(DISTINCT s.person) FROM signature s WHERE s.county = a.county AND s.subject = a.id
               AND s.step <> 'register' AND s.person <> h.registered_by) <> a.needed""",
    ),
    Invariant(
        "entitled_once",
        "one person has one aid of one incident (or of those merged into it) and period in one household only, or the case is open [9]",
        "SELECT count(*) FROM entitlement_guard",
        """SELECT g.county || '/' || g.household AS row FROM entitlement_guard g
           WHERE NOT EXISTS (SELECT FROM household h WHERE h.county = g.county AND h.id = g.household)
           UNION ALL
           SELECT a.county || '/' || a.id FROM award a JOIN incident i ON i.id = a.incident
           WHERE a.status IN ('proposed', 'approved', 'completed') AND NOT EXISTS (
               SELECT FROM entitlement_guard g WHERE g.county = a.county AND g.household = a.household AND g.incident = coalesce(i.merged_into, i.id)
               AND g.aid = a.aid AND g.period = a.period)
             AND NOT EXISTS (SELECT FROM recovery_case c WHERE c.county = a.county AND c.award = a.id)
           UNION ALL
           SELECT g.county || '/' || g.household FROM entitlement_guard g JOIN incident i ON i.id = g.incident WHERE i.merged_into IS NOT NULL""",
    ),
    Invariant(
        "device_id_once",
        "a device id stands for exactly one household [36]",
        "SELECT count(*) FROM device_guard",
        """SELECT coalesce(d.device_id, h.device_id)::text AS row FROM device_guard d
           FULL JOIN household h ON h.device_id = d.device_id AND h.county = d.county AND h.id = d.household
           WHERE d.device_id IS NULL OR h.device_id IS NULL OR d.content_digest <> h.content_digest""",
    ),
    Invariant(
        "squares_count_households",
        "the squares of the map, at every size, count the households of each village (the two largest: township) that are neither duplicates nor rejected",
        "SELECT count(*) FROM square",
        """WITH counted AS (
               SELECT county, area, incident, level, households, people, made_up FROM square
               UNION ALL
               SELECT c.county, left(c.village, l.digits), c.incident, l.level, c.households, c.people, c.made_up
               FROM square_change c CROSS JOIN (VALUES (10, 9), (11, 9), (13, 12), (16, 12)) AS l (level, digits)
               UNION ALL
               SELECT h.county, left(h.village, l.digits), h.incident, l.level, -1, -h.members, -h.synthetic_point::int
               FROM household h CROSS JOIN (VALUES (10, 9), (11, 9), (13, 12), (16, 12)) AS l (level, digits) WHERE h.status NOT IN ('duplicate', 'rejected'))
           SELECT county || '/' || area || '/' || incident || ' ' || level AS row FROM counted GROUP BY county, area, incident, level
           HAVING sum(households) <> 0 OR sum(people) <> 0 OR sum(made_up) <> 0""",
    ),
    Invariant(
        "paid_is_told_once",
        "every paid payment of a household with a phone has exactly one message about it [32]",
        "SELECT count(*) FROM message",
        """SELECT p.county || '/' || p.id AS row FROM payment p JOIN person e ON e.county = p.county AND e.id = p.payee
           WHERE p.status = 'paid' AND e.phone_route <> 'none' AND (
               SELECT count(*) FROM message m WHERE m.county = p.county AND m.payment = p.id AND m.event = 'paid') <> 1""",
    ),
    Invariant(
        "paid_awaits_its_answer",
        "every paid payment has its confirmation row, and no payment that came back keeps an answer [21]",
        "SELECT count(*) FROM confirmation",
        """SELECT p.county || '/' || p.id AS row FROM payment p LEFT JOIN confirmation c ON c.county = p.county AND c.payment = p.id
           WHERE p.status = 'paid' AND (c.payment IS NULL OR c.status = 'void')
              OR p.status = 'returned' AND c.payment IS NOT NULL AND c.status <> 'void'""",
    ),
    Invariant(
        "no_has_an_owner",
        "every disputed payment has a complaint with an owner and a deadline",
        "SELECT count(*) FROM confirmation WHERE status = 'disputed'",
        """SELECT c.county || '/' || c.payment AS row FROM confirmation c WHERE c.status = 'disputed' AND NOT EXISTS (
               SELECT FROM complaint k WHERE k.county = c.county AND k.payment = c.payment AND k.owner <> '')""",
    ),
    Invariant(
        "duplicates_ask_for_nothing",
        "a household that was found to be another one has no proposed award and no open suspicion, and the other one exists",
        "SELECT count(*) FROM household",
        """SELECT h.county || '/' || h.id AS row FROM household h WHERE h.duplicate_of IS NOT NULL AND (
               h.status <> 'duplicate'
               OR EXISTS (SELECT FROM award a WHERE a.county = h.county AND a.household = h.id AND a.status = 'proposed')
               OR EXISTS (SELECT FROM suspicion s WHERE s.status = 'open' AND ((s.county, s.household) = (h.county, h.id)
                          OR (s.other_county, s.other) = (h.county, h.id)))
               OR NOT EXISTS (SELECT FROM household k WHERE k.id = h.duplicate_of))""",
    ),
    Invariant(
        "walls_stand",
        "row-level security is forced on every county table and the application owns nothing [41]",
        "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
        """SELECT c.relname::text AS row FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'county'
           WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
             AND c.relname NOT IN ('incident', 'zone_county', 'device_guard', 'entitlement_guard', 'block')
           UNION ALL SELECT rolname::text FROM pg_roles WHERE rolname = 'relief_app' AND (rolsuper OR rolbypassrls)
           UNION ALL SELECT relname::text FROM pg_class WHERE relowner = 'relief_app'::regrole""",
    ),
    Invariant(
        "located_in_one_band",
        "a household has one place per zone version, in a band of it or outside [43]",
        "SELECT count(*) FROM location",
        """SELECT l.county || '/' || l.household AS row FROM location l WHERE l.rank <> -1 AND NOT EXISTS (
               SELECT FROM zone_band b WHERE b.zone = l.zone AND b.rank = l.rank)""",
    ),
    Invariant(
        "nothing_rests_on_a_draft",
        "no activation rests on a zone that was never in force, and one in force has two people behind it",
        "SELECT count(*) FROM zone",
        """SELECT z.id::text AS row FROM zone z JOIN activation a ON a.zone = z.id WHERE z.status IN ('draft', 'discarded')
           UNION ALL SELECT id::text FROM zone WHERE status = 'in force' AND (approved_by IS NULL OR approved_by = drafted_by)""",
    ),
)

ALL: Final[Sequence[Invariant]] = (*MONEY, *STANDING, *BANK, *BANK_WORD, *PEOPLE, *FIELD, *LAW, *TRACE, *REVIEW)
_MOST_NAMED = 20


async def examine(tx: Tx, invariant: Invariant) -> Finding:
    """Run one invariant."""
    rows = [r.row for r in await many(tx, invariant.broken, _Row)]
    examined = int(await value(tx, invariant.examined))
    return Finding(invariant.name, invariant.says, examined, len(rows), rows[:_MOST_NAMED])
