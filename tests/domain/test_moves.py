"""Every life: from its birth every status can be reached, every status is known, and what the database allows is what the table says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relief.domain.moves import ALL, Moves, sources

BIRTH = {"registration": "staged", "zone": "draft", "activation": "drafted", "incident": "reported", "decision": "current", "award": "proposed",
         "instalment": "waiting", "payment": "approved", "batch": "frozen", "confirmation": "awaited", "alert": "parked",
         "recovery": "open", "complaint": "open", "rules": "draft", "suspicion": "open", "sheet": "staged", "referral": "open",
         "notice": "drafted", "objection": "open", "lead": "open", "change": "open", "device": "enrolled", "photo": "announced", "second_version": "open", "minutes": "recorded", "payee": "named"}  # fmt: skip
TABLE = {
    "registration": "household",
    "recovery": "recovery_case",
    "rules": "activation_move",
    "change": "change_report",
    "payee": "aid_payee",
}
SCHEMA = "\n".join(p.read_text("utf-8") for p in sorted((Path(__file__).parents[2] / "migrations").glob("*.sql")))


@pytest.mark.parametrize("noun", sorted(ALL))
def test_every_status_is_reached_from_birth_and_leads_somewhere_known(noun: str) -> None:
    moves, seen, edge = ALL[noun], {BIRTH[noun]}, [BIRTH[noun]]
    while edge:
        for target in moves[edge.pop()] - seen:
            seen.add(target)
            edge.append(target)
    assert seen == set(moves)


@pytest.mark.parametrize("noun", sorted(ALL))
def test_the_schema_knows_the_same_statuses(noun: str) -> None:
    body = re.search(rf"CREATE TABLE {TABLE.get(noun, noun)} \((.*?)\n\);", SCHEMA, re.S)
    assert body is not None
    check = re.search(r"\n    status +text NOT NULL CHECK \(status IN \((.*?)\)\)", body[1], re.S)
    later = re.findall(rf"ALTER TABLE {TABLE.get(noun, noun)} ADD CONSTRAINT \w+ CHECK \(status IN \((.*?)\)\)", SCHEMA)
    assert check is not None
    assert set(re.findall(r"'([^']+)'", later[-1] if later else check[1])) == set(ALL[noun])


@given(st.data())
def test_no_walk_leaves_unknown_except_by_evidence_or_pays_twice(data: st.DataObject) -> None:
    """From the payment's table: unknown never goes back to a state from which it could be sent again."""
    moves: Moves = ALL["payment"]
    status, walked = "approved", ["approved"]
    while moves[status]:
        status = data.draw(st.sampled_from(sorted(moves[status])))
        walked.append(status)
        if len(walked) > 12:
            break
    after_sent = walked[walked.index("sent") :] if "sent" in walked else []
    assert not {"approved", "batched"} & set(after_sent)
    assert walked.count("paid") <= 1


def test_sources_is_the_table_read_backwards() -> None:
    assert sources(ALL["payment"], "paid") == ["sent", "unknown"]
    assert sources(ALL["batch"], "voided") == ["checked", "frozen", "prepared"]
