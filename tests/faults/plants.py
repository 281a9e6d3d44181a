"""Bugs to plant: each breaks the house in one named way, and a run of the simulator must find it.

Two kinds. `Wrong` is a mistake in the product: a statement of the store loses a part while the run lasts. `Edited` is what a person with
the owner's password could do to the rows: every invariant has at least one, so none of them is a sentence that cannot fail.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Final

import msgspec

from relief.store import accounts, bank_files, batches, payments, replies, settlements


class Wrong(msgspec.Struct, frozen=True):
    """In that module's statement this text became that one; guards of the database that would stop it are taken down first."""

    says: str
    where: Sequence[tuple[ModuleType, str, str, str]]
    without: Sequence[str] = ()


class Edited(msgspec.Struct, frozen=True):
    """The invariant that must name it, and what the owner of the database does once the run has come to its end."""

    finds: str
    sql: Sequence[str]


_ONE_PAID: Final = "(SELECT id FROM payment WHERE status = 'paid' ORDER BY reference LIMIT 1)"
_ONE_SENT_BATCH: Final = "(SELECT id FROM batch WHERE status NOT IN ('voided', 'frozen') ORDER BY number LIMIT 1)"
_UNCHECKED: Final = "ALTER TABLE fund DROP CONSTRAINT fund_equation"

PLANTS: Final[Mapping[str, Wrong | Edited]] = {
    "claim_forgets_the_transfer": Wrong(
        "money leaves without a line in the ledger",
        [(batches, "_DEPARTING", "'in flight', amount_fen, 'payment', id, $4, $3 FROM sent", "'in flight', amount_fen, 'payment', id, $4, $3 FROM sent WHERE false")],
    ),
    "void_forgets_the_queue": Wrong(
        "payments of a voided batch wait nowhere", [(batches, "_UNBATCH", "SELECT $1, id FROM freed", "SELECT $1, id FROM freed WHERE false")]
    ),
    "frozen_line_stays_in_the_queue": Wrong(
        "a payment is in a batch and in the queue", [(batches, "_LINES", "DELETE FROM payable WHERE", "DELETE FROM payable WHERE false AND")]
    ),
    "amount_is_not_compared": Wrong(
        "a credit of another amount counts as ours", [(bank_files, "_JUDGE", "WHEN g.amount_fen <> p.amount_fen THEN 'amount_differs'", "")]
    ),
    "account_is_not_compared": Wrong(
        "a credit to another account counts as ours", [(bank_files, "_JUDGE", "WHEN g.account_hash <> a.account_hash THEN 'account_differs'", "")]
    ),
    "silence_is_taken_for_success": Wrong(
        "no answer within a day: call it paid", [(settlements, "_OVERDUE", "SET status = 'unknown'", "SET status = 'paid'")]
    ),
    "silence_is_paid_again": Wrong(
        "a payment whose answer is missing gets a second attempt",
        [(accounts, "_RETURNED", "p.status = 'returned'", "p.status IN ('returned', 'unknown')"),
         (payments, "_REISSUE", "p.status = 'returned' AND p.trouble = 'returned'", "p.trouble IN ('returned', 'unknown')")],
        ["DROP INDEX payment_one_alive"],
    ),
    "return_leaves_the_answer": Wrong(
        "money came back and the household still counts as having said yes", [(settlements, "_VOID", "WHERE county = $1", "WHERE false AND county = $1")]
    ),
    "paid_is_not_asked": Wrong(
        "nobody waits for the resident's word", [(settlements, "_AWAIT", "AS t (payment, household)", "AS t (payment, household) WHERE false")]
    ),
    "key_is_forgotten": Wrong(
        "an answer is not kept under its key", [(replies, "_FIND", "WHERE person = $1", "WHERE false AND person = $1"), (replies, "_KEEP", "VALUES ($1, $2, $3, $4, $5, $6, $7)", "SELECT $1::uuid, $2::text, $3::text, $4::bytea, $5::int, $6::bytea, $7::timestamptz WHERE false")],
    ),
    "one_person_signs_all": Wrong(
        "the key that keeps one person from two steps is gone", [], ["ALTER TABLE signature DROP CONSTRAINT signature_once"]
    ),
    "award_stays_open": Wrong("what is wholly paid is never completed", [(settlements, "_COMPLETE", "WHERE county = $1 AND id = ANY", "WHERE false AND county = $1 AND id = ANY")]),
    "fund_equation": Edited("fund_equation", [_UNCHECKED, "UPDATE fund SET allocated_fen = allocated_fen + 1"]),
    "balance_raised": Edited("fund_tells_its_transfers", ["UPDATE fund SET allocated_fen = allocated_fen + 1, available_fen = available_fen + 1"]),
    "money_in_numeric": Edited("money_is_whole_fen", ["ALTER TABLE payer ADD COLUMN fee_amount numeric"]),
    "ledger_may_be_edited": Edited("append_only", ["GRANT UPDATE ON transfer TO relief_app"]),
    "stage_added": Edited("reserved_covers_awards", [
        "INSERT INTO instalment (county, award, seq, amount_fen, condition, status) SELECT county, id, 9, 1, 'none', 'waiting' FROM award ORDER BY id LIMIT 1"]),
    "paid_elsewhere": Edited("in_flight_and_paid_are_payments", [f"UPDATE payment SET amount_fen = amount_fen + 1 WHERE id = {_ONE_PAID}"]),
    "award_raised": Edited("instalments_sum_to_award", ["UPDATE award SET amount_fen = amount_fen + 1 WHERE id = (SELECT id FROM award ORDER BY id LIMIT 1)"]),
    "second_attempt_alive": Edited("one_live_attempt", ["DROP INDEX payment_one_alive", """
        INSERT INTO payment (county, instalment, award, household, payee, account, bank, fund, attempt, reference, amount_fen, status, batch, created_at)
        SELECT county, instalment, award, household, payee, account, bank, fund, 9, reference || 'X', amount_fen, 'sent', batch, created_at
        FROM payment WHERE status = 'paid' LIMIT 1"""]),
    "commitment_lowered": Edited("committed_is_approved", ["UPDATE county_activation SET committed_fen = committed_fen - 1"]),
    "proposal_lost": Edited("proposed_award_waits", ["UPDATE award SET status = 'proposed' WHERE id = (SELECT id FROM award LIMIT 1)"]),
    "queue_emptied": Edited("approved_payment_waits", [f"UPDATE payment SET status = 'approved', batch = NULL WHERE id = {_ONE_PAID}"]),
    "settled_by_hand": Edited("settled_means_paid", ["UPDATE instalment SET status = 'released' WHERE id = (SELECT id FROM instalment WHERE status = 'settled' LIMIT 1)"]),
    "paid_by_hand": Edited("payment_tells_its_transfers", [f"DELETE FROM transfer WHERE target = 'paid' AND subject_id = {_ONE_PAID}"]),
    "attempt_without_return": Edited("new_attempt_after_return_only", [f"UPDATE payment SET attempt = attempt + 7 WHERE id = {_ONE_PAID}"]),
    "old_decision": Edited("proposal_rests_on_its_decision", [
        "UPDATE award SET status = 'proposed'", "UPDATE decision SET status = 'superseded'", "INSERT INTO proposal SELECT county, id FROM award ON CONFLICT DO NOTHING"]),
    "orphaned": Edited("nothing_is_orphaned", ["UPDATE payment SET award = gen_random_uuid()"]),
    "act_lost": Edited("transfer_has_its_act", ["DELETE FROM audit WHERE id = (SELECT act FROM transfer LIMIT 1)"]),
    "line_dropped": Edited("batch_totals", [f"UPDATE batch SET lines = lines + 1 WHERE id = {_ONE_SENT_BATCH}"]),
    "officer_missing": Edited("batch_three_officers", [f"DELETE FROM signature WHERE step = 'check' AND subject = {_ONE_SENT_BATCH}"]),
    "factor_missing": Edited("authorised_with_second_factor", ["DELETE FROM factor_proof"]),
    "sent_alone": Edited("sent_payment_left_with_its_batch", [f"UPDATE batch SET status = 'authorised' WHERE id = {_ONE_SENT_BATCH}"]),
    "evidence_lost": Edited("answer_has_its_evidence", ["DELETE FROM bank_row"]),
    "row_rewritten": Edited("matched_row_agrees", ["UPDATE bank_row SET amount_fen = amount_fen + 1 WHERE disposition = 'matched'"]),
    "another_account": Edited("account_is_the_one_checked", ["UPDATE account SET status = 'refused'"]),
    "approved_by_the_registrar": Edited("approved_by_another", ["DELETE FROM signature WHERE step IN ('township', 'county')"]),
    "guard_lost": Edited("entitled_once", ["DELETE FROM entitlement_guard"]),
    "device_twice": Edited("device_id_once", ["UPDATE device_guard SET content_digest = '\\x01'"]),
    "square_off_by_one": Edited("squares_count_households", ["UPDATE square_change SET households = households + 1"]),
    "told_nothing": Edited("paid_is_told_once", ["DELETE FROM message"]),
    "answer_lost": Edited("paid_awaits_its_answer", ["DELETE FROM confirmation"]),
    "no_without_owner": Edited("no_has_an_owner", ["UPDATE confirmation SET status = 'disputed'"]),
    "duplicate_asks": Edited("duplicates_ask_for_nothing", ["UPDATE household SET duplicate_of = id"]),
    "wall_down": Edited("walls_stand", ["ALTER TABLE payment NO FORCE ROW LEVEL SECURITY"]),
    "correction_of_another_amount": Edited("correction_is_the_opposite", [
        "UPDATE transfer SET corrects = (SELECT id FROM transfer WHERE subject = 'fund' LIMIT 1) WHERE id = (SELECT id FROM transfer WHERE subject = 'award' LIMIT 1)"]),
    "passed_on_twice": Edited("allotted_once", ["""
        INSERT INTO allotment (area, source, year, document, budget_item, purpose, incident, amount_fen, passed_fen, by_person, at)
        SELECT '51', 'central', 2022, 'x', '2240703', 'EMERG', i.id, 10, 5, s.id, i.opened_at FROM incident i CROSS JOIN staff s LIMIT 1"""]),
    "cancelled_and_paid": Edited("cancelled_is_not_paid", [f"UPDATE instalment SET status = 'cancelled' WHERE id = (SELECT instalment FROM payment WHERE id = {_ONE_PAID})"]),
    "rests_on_a_draft": Edited("nothing_rests_on_a_draft", ["UPDATE zone SET status = 'draft' WHERE id IN (SELECT zone FROM activation)"]),
    "band_unknown": Edited("located_in_one_band", [
        "INSERT INTO location SELECT h.county, z.id, h.id, 77, false FROM household h CROSS JOIN (SELECT id FROM zone LIMIT 1) z LIMIT 1"]),
}  # fmt: skip


@contextmanager
def mistaken(wrong: Wrong) -> Iterator[None]:
    """The statements are wrong while this lasts. A text that is not there any more is an error: the plant must follow the product."""
    before = [(module, name, getattr(module, name)) for module, name, _, _ in wrong.where]
    try:
        for module, name, old, new in wrong.where:
            text = getattr(module, name)
            if old not in text:
                raise LookupError(f"{module.__name__}.{name} no longer says {old!r}")
            setattr(module, name, text.replace(old, new))
        yield
    finally:
        for module, name, text in before:
            setattr(module, name, text)
