"""What must be true of reviews, notices and objections at every moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from relief.store.invariant import Invariant

REVIEW: Final[Sequence[Invariant]] = (
    Invariant(
        "nothing_is_approved_before_its_notice",
        "an award whose playbook wants 公示 before payment hung out for exactly its amount, was reported, and nobody's objection was open",
        "SELECT count(*) FROM award WHERE approved_at IS NOT NULL",
        """SELECT a.county || '/' || a.id AS row FROM award a
           JOIN decision d ON d.county = a.county AND d.id = a.decision
           JOIN step_rule s ON s.playbook = d.playbook AND s.aid = a.aid AND s.notice = 'before_payment' AND s.since <= a.approved_at
           WHERE NOT EXISTS (
               SELECT FROM notice_item i JOIN notice n ON n.county = i.county AND n.id = i.notice
               WHERE i.county = a.county AND i.award = a.id AND i.amount_fen = a.amount_fen AND n.status = 'reported' AND n.reported_at <= a.approved_at
                 AND n.ends_on < (a.approved_at AT TIME ZONE 'Asia/Shanghai')::date)
              OR EXISTS (SELECT FROM objection o WHERE o.county = a.county AND o.award = a.id AND o.opened_at <= a.approved_at
                         AND (o.closed_at IS NULL OR o.closed_at > a.approved_at))""",
    ),
    Invariant(
        "lists_hold_only_whom_the_village_supported",
        "where a playbook wants 评议, everybody on a list of 公示 was supported by one",
        "SELECT count(*) FROM notice_item",
        """SELECT i.county || '/' || i.award AS row FROM notice_item i JOIN notice n ON n.county = i.county AND n.id = i.notice AND n.status <> 'withdrawn'
           JOIN award a ON a.county = i.county AND a.id = i.award
           JOIN decision d ON d.county = a.county AND d.id = a.decision
           JOIN step_rule s ON s.playbook = d.playbook AND s.aid = a.aid AND s.review = 'required'
           WHERE NOT EXISTS (SELECT FROM review_item r WHERE r.county = i.county AND r.award = i.award AND r.supported)""",
    ),
    Invariant(
        "a_notice_tells_its_rows",
        "a list of 公示 names as many households and as much money as stand on it",
        "SELECT count(*) FROM notice",
        """SELECT n.county || '/' || n.id AS row FROM notice n LEFT JOIN (
               SELECT county, notice, count(*) AS households, sum(amount_fen) AS fen FROM notice_item GROUP BY county, notice) i
               ON i.county = n.county AND i.notice = n.id
           WHERE (n.households, n.total_fen) IS DISTINCT FROM (i.households, i.fen)""",
    ),
    Invariant(
        "nobody_stands_on_two_lists",
        "an award stands on one list of 公示 that was not withdrawn, never on two",
        "SELECT count(*) FROM notice_item",
        """SELECT i.county || '/' || i.award AS row FROM notice_item i JOIN notice n ON n.county = i.county AND n.id = i.notice
           WHERE n.status <> 'withdrawn' GROUP BY i.county, i.award HAVING count(*) > 1""",
    ),
    Invariant(
        "an_open_objection_holds_its_award",
        "while an objection is open, the award it is about is on hold, and its answer has a day",
        "SELECT count(*) FROM objection",
        """SELECT o.county || '/' || o.id AS row FROM objection o WHERE o.status <> 'rejected' AND o.award IS NOT NULL AND NOT EXISTS (
               SELECT FROM hold h WHERE h.county = o.county AND h.kind = 'award' AND h.subject = o.award::text
               AND h.reason LIKE '%objection ' || o.id AND h.valid_to IS NULL)""",
    ),
    Invariant(
        "overdue_papers_stop_what_the_playbook_says",
        "a household whose papers were found overdue is on hold, and a village with too many of them gives no advances",
        "SELECT count(*) FROM paperwork",
        """SELECT w.county || '/' || w.award AS row FROM paperwork w JOIN award a ON a.county = w.county AND a.id = w.award
           JOIN decision c ON c.county = a.county AND c.id = a.decision JOIN step_rule s ON s.playbook = c.playbook AND s.aid = a.aid
           WHERE w.status = 'open' AND w.overdue_at IS NOT NULL AND ((s.papers_hold AND NOT EXISTS (
               SELECT FROM hold h WHERE h.county = w.county AND h.kind = 'household' AND h.subject = a.household::text AND h.valid_to IS NULL))
             OR (s.pause_from IS NOT NULL AND NOT EXISTS (
                 SELECT FROM hold h WHERE h.county = w.county AND h.kind = 'advances' AND h.subject = a.village AND h.valid_to IS NULL)
               AND s.pause_from <= (SELECT count(*) FROM paperwork x JOIN award b ON b.county = x.county AND b.id = x.award
                   WHERE x.county = w.county AND x.status = 'open' AND x.overdue_at IS NOT NULL AND b.village = a.village AND b.aid = a.aid)))""",
    ),
    Invariant(
        "a_registered_lead_is_a_household",
        "a lead that ended as a registration names a household of its county; every other one has an owner and a deadline",
        "SELECT count(*) FROM lead",
        """SELECT l.county || '/' || l.id AS row FROM lead l WHERE l.status = 'registered'
           AND NOT EXISTS (SELECT FROM household h WHERE h.county = l.county AND h.id = l.household)""",
    ),
    Invariant(
        "an_open_change_holds_its_household",
        "while a change of a household is looked into, its money waits",
        "SELECT count(*) FROM change_report",
        """SELECT c.county || '/' || c.id AS row FROM change_report c WHERE c.status = 'open' AND NOT EXISTS (
               SELECT FROM hold h WHERE h.county = c.county AND h.kind = 'household' AND h.subject = c.household::text
               AND h.reason LIKE '%change ' || c.id AND h.valid_to IS NULL)""",
    ),
    Invariant(
        "one_reporter_answers_for_a_village",
        "a village has at most one reporter on the roster at a time",
        "SELECT count(*) FROM roster",
        "SELECT county || '/' || village AS row FROM roster WHERE until IS NULL GROUP BY county, village HAVING count(*) > 1",
    ),
    Invariant(
        "a_submission_is_one_household",
        "a form's submission that was registered names a household of its county, and that household carries its root id",
        "SELECT count(*) FROM device_guard",
        """SELECT f.county || '/' || f.root AS row FROM form_submission f WHERE f.outcome <> 'refused'
           AND NOT EXISTS (SELECT FROM household h WHERE h.county = f.county AND h.id = f.household AND h.device_id = f.root)""",
    ),
)
