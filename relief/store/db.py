"""The only file that sees asyncpg: pool, transactions, four typed doors, and the translation of violated constraints."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg
import msgspec
from asyncpg.pool import PoolConnectionProxy

from relief.domain.errors import Conflict, NotFound, Refused, ReliefError, Unavailable

if TYPE_CHECKING:  # the stubs are generic, the classes are not
    Tx = PoolConnectionProxy[asyncpg.Record]  # the connection inside an open transaction
    Pool = asyncpg.Pool[asyncpg.Record]
else:
    Tx = PoolConnectionProxy
    Pool = asyncpg.Pool
T = TypeVar("T")

APP_ROLE = "relief_app"
#: Scope of the system itself (jobs, webhooks): every county.
EVERYWHERE: Sequence[str] = ("%",)

_SCOPE = "SELECT set_config('relief.scope', $1, true)"

#: Violated constraint → (kind, code, sentence). The database is the last judge.
_VIOLATIONS: dict[str, tuple[type[ReliefError], str, str]] = {
    "signature_once": (Refused, "same_person", "同一人不能在同一事项上签署两次 · the same person may not act twice on one subject"),
    "signature_one_per_step": (Conflict, "already_signed", "该步骤已有人签署 · somebody has already signed this step"),
    "fund_available": (Conflict, "fund_short", "资金可用余额不足 · the fund's available balance is too small"),
    "payment_one_alive": (Conflict, "payment_alive", "该期已有一笔在途或已付的支付 · this instalment already has a live payment"),
    "award_once": (Conflict, "award_exists", "该户该项救助已有有效决定 · the household already has this award"),
    "entitlement_once": (Conflict, "entitled_already", "该人本次灾害已享受同类救助 · this person already has this aid in this incident"),
    "device_guard_pkey": (Conflict, "device_id", "该记录正在接收 · this record is being received"),
    "incident_name": (Conflict, "incident_exists", "同名灾害事件已存在 · an incident of that name exists"),
    "zone_two_people": (Refused, "same_person", "灾区范围须由另一人确认 · another person must put the zone in force"),
    "zone_one_in_force": (Conflict, "zone_in_force", "已有生效的灾区范围 · another zone version is in force"),
    "zone_version": (Conflict, "zone_version", "该版本号已被占用，请重试 · that version was just taken, try again"),
    "county_activation_two_people": (Refused, "same_person", "启动须由拟稿人以外的人确认 · somebody other than the drafter must activate"),
    "playbook_two_people": (Refused, "same_person", "处置方案须由另一人确认生效 · another person must put the playbook in force"),
    "standard_two_people": (Refused, "same_person", "标准须由另一人确认生效 · another person must put the figures in force"),
    "activation_move_two_people": (Refused, "same_person", "版本调整须由另一人确认 · another person must confirm the move"),
    "activation_move_one_draft": (Conflict, "move_drafted", "该启动已有待确认的版本调整 · a move of this activation waits already"),
    "county_activation_once": (Conflict, "activation_exists", "该县已有本次启动 · this county already has this activation"),
    "evidence_two_people": (Refused, "same_person", "验收人不能是提交人 · whoever submitted may not accept"),
    "evidence_one_accepted": (Conflict, "evidence_accepted", "该期已验收 · this stage is accepted already"),
    "fund_document": (Conflict, "fund_exists", "该文号的资金已登记 · a fund with that document number exists"),
    "allotment_document": (Conflict, "fund_exists", "该文号的指标已登记 · an allotment with that document number exists"),
    "transfer_corrected_once": (Conflict, "corrected_already", "该笔已更正 · it was corrected already"),
    "bank_file_once": (Conflict, "file_seen", "该文件已导入 · this file was imported before"),
    "minutes_two_people": (Refused, "same_person", "纪要须由记录人以外的人采纳 · somebody other than the recorder must adopt"),
    "minutes_one_adopted": (Conflict, "minutes_adopted", "该户该项已有采纳的纪要 · minutes for this household and aid are adopted already"),
    "aid_payee_two_people": (Refused, "same_person", "领款人须由另一人核对 · another person must check the payee"),
    "aid_payee_current": (Conflict, "payee_named", "该户该项已有领款人 · this household and aid has a payee already"),
    "economic_check_once": (Conflict, "file_seen", "该文件已导入过，没有再次处理 · this very file was imported before; nothing was done"),
    "sheet_once": (Conflict, "file_seen", "该文件已导入过，没有再次处理 · this very file was loaded before; nothing was done"),
    "staff_login": (Conflict, "login_taken", "该账号已存在 · that login exists"),
}

#: Whether the last COMMIT took is not known then: writes of money are asked again under their key.
_GONE = ("database", "数据库暂不可用，请稍后重试 · the database does not answer, try again shortly")


@asynccontextmanager
async def begin(pool: Pool, scope: Sequence[str] = EVERYWHERE) -> AsyncIterator[Tx]:
    """One transaction within an area; commits at the end, rolls back on any error."""
    async with _guarded(pool) as connection, connection.transaction():
        await connection.execute(_SCOPE, ",".join(scope))
        yield connection


@asynccontextmanager
async def savepoint(tx: Tx) -> AsyncIterator[None]:
    """What is done inside is undone alone when it fails; the transaction goes on."""
    async with tx.transaction():
        yield


@asynccontextmanager
async def read(pool: Pool, scope: Sequence[str] = EVERYWHERE) -> AsyncIterator[Tx]:
    """A read-only snapshot within an area; PostgreSQL itself refuses any write in it."""
    async with _guarded(pool) as connection, connection.transaction(readonly=True, isolation="repeatable_read"):
        await connection.execute(_SCOPE, ",".join(scope))
        yield connection


@asynccontextmanager
async def glance(pool: Pool) -> AsyncIterator[Tx]:
    """One statement over tables without counties, in a transaction of its own: one journey to the server instead of four."""
    async with _guarded(pool) as connection:
        yield connection


@asynccontextmanager
async def _guarded(pool: Pool) -> AsyncIterator[Tx]:
    try:
        async with pool.acquire(timeout=10) as connection:
            try:
                yield connection
            except (asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
                if _lost(connection):  # cut off; on an open connection it is a mistake of ours and must be seen as one
                    raise Unavailable(*_GONE) from error
                raise
    except asyncpg.IntegrityConstraintViolationError as error:
        kind, code, message = _VIOLATIONS.get(
            error.constraint_name or "",
            (Conflict, "constraint", "数据相互矛盾，未保存 · the data contradict each other; nothing was saved"),
        )
        raise kind(code, message, constraint=error.constraint_name) from error
    except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError) as error:
        raise Unavailable("busy", "系统繁忙，请重试 · busy, please try again") from error
    except (
        TimeoutError, ConnectionError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, asyncpg.AdminShutdownError, asyncpg.CrashShutdownError
    ) as error:  # fmt: skip
        raise Unavailable(*_GONE) from error


def _lost(connection: Tx) -> bool:
    """The server has cut it off; the pool may have noticed before us."""
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        return True


# A table that has just grown has no statistics, and row-level security looks like a filter that lets almost nothing through: the
# planner then expects one row where there are a hundred thousand, and compares each row of a list with each row of a table. Lists
# are therefore joined as sets; what is looked up row by row is written as a subquery, which this does not touch. A short list is always
# looked up by its keys, so one plan serves for all and is made once a connection: planning would cost more than the work.
_PLAN = """
SELECT set_config('enable_nestloop', CASE WHEN $1 > 100 THEN 'off' ELSE 'on' END, true),
       set_config('enable_seqscan', CASE WHEN $1 > 100 THEN 'on' ELSE 'off' END, true),
       set_config('plan_cache_mode', CASE WHEN $1 > 100 THEN 'force_custom_plan' ELSE 'force_generic_plan' END, true),
       set_config('work_mem', CASE WHEN $1 > 100 THEN '64MB' ELSE current_setting('work_mem') END, true)
"""


async def plan_for(tx: Tx, rows: int) -> None:
    """Tell the planner, for the rest of this transaction, how long a list it is about to meet."""
    await run(tx, _PLAN, rows)


async def one(tx: Tx, sql: str, kind: type[T], *args: object) -> T:
    """Exactly one row."""
    found = await maybe(tx, sql, kind, *args)
    if found is None:
        raise NotFound("not_found", "没有找到，或不在您的辖区 · not found, or outside your area")
    return found


async def maybe(tx: Tx, sql: str, kind: type[T], *args: object) -> T | None:
    """One row or none."""
    row = await tx.fetchrow(sql, *args)
    return None if row is None else _row(row, kind)


async def many(tx: Tx, sql: str, kind: type[T], *args: object) -> list[T]:
    """Any number of rows."""
    return [_row(r, kind) for r in await tx.fetch(sql, *args)]


async def flow(tx: Tx, sql: str, kind: type[T], ahead: int, *args: object) -> AsyncIterator[T]:
    """Any number of rows as they come, `ahead` of them at a time: memory does not grow with the answer. Other statements may run meanwhile."""
    async for row in tx.cursor(sql, *args, prefetch=ahead):
        yield _row(row, kind)


async def value(tx: Tx, sql: str, *args: object) -> Any:
    """The first column of the first row, or None."""
    return await tx.fetchval(sql, *args)


async def stream(tx: Tx, sql: str, *args: object) -> AsyncIterator[Any]:
    """The first column of any number of rows, read as they are asked for: memory does not grow with them."""
    async for row in tx.cursor(sql, *args, prefetch=2_000):
        yield row[0]


async def run(tx: Tx, sql: str, *args: object) -> int:
    """A statement without rows; how many it touched."""
    status: str = await tx.execute(sql, *args)
    tail = status.rsplit(" ", 1)[-1]
    return int(tail) if tail.isdigit() else 0


def _row(row: asyncpg.Record, kind: type[T]) -> T:
    return msgspec.convert(dict(row), kind, builtin_types=(datetime, UUID, bytes))


class _Connection(asyncpg.Connection[asyncpg.Record] if TYPE_CHECKING else asyncpg.Connection):  # type: ignore[misc]
    """Goes back to the pool as it is: whatever the house sets, locks or opens ends with its transaction."""

    def get_reset_query(self) -> str:
        """Nothing to reset, and no journey for it."""
        return ""


async def open_pool(url: str, size: int = 10) -> Pool:
    """A pool whose connections act as relief_app whatever their login; those a burst opened are given back when it is over (7 MB each)."""
    return await asyncpg.create_pool(
        url, min_size=1, max_size=size, max_inactive_connection_lifetime=15, init=_prepare, command_timeout=300, connection_class=_Connection,
        server_settings={"role": APP_ROLE, "application_name": "relief", "timezone": "UTC", "jit": "off"},
    )  # fmt: skip


async def connect_owner(url: str) -> asyncpg.Connection[asyncpg.Record]:
    """A connection as owner of the tables: migrations and set-up only."""
    connection = await asyncpg.connect(url)
    await _prepare(connection)
    return connection


async def _prepare(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=_to_json, decoder=msgspec.json.decode)


def _to_json(thing: object) -> str:
    return msgspec.json.encode(thing).decode()


def with_database(url: str, name: str) -> str:
    """The same server, another database."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path="/" + name))
