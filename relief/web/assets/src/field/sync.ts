// The outbox on its way: chunks of records, a receipt for each, photos after their record. Whatever is cut is sent again; the server counts once.
import type {Bundle, Photo, Receipt} from './kinds';
import type {Item, State, Vault} from './vault';

const VERSION = 1;
const MOST = 40;
let size = MOST; // of a chunk; a weak line takes less, a good one more again
const WAIT_MS = 30_000;
const PART = 32 * 1024;

export interface Secret { device: string; token: string; person: string; name: string }
/** A record as it is sent; `photos` are announced in it. */
export interface Kept { household: Record<string, unknown> & {visit: {photos?: Photo[]}}; name: string; author: string }
/** What stays of a record once the server has answered. */
export interface Slip { name: string; outcome: string; slip?: string; code?: string; message?: string; why?: string; field?: string; at: number }
export interface Outcome { ok: boolean; wiped?: boolean; stopped?: string; moved: number }

class Stop extends Error {
  constructor(readonly wipe: boolean, message: string) { super(message); }
}
class Unreadable extends Error {
  constructor(readonly code: string, message: string) { super(message); }
}

async function ask(secret: Secret, path: string, init: RequestInit = {}): Promise<Response> {
  const cut = new AbortController();
  const timer = setTimeout(() => cut.abort(), WAIT_MS);
  try {
    const headers = {...init.headers, Authorization: `Device ${secret.device}.${secret.token}`};
    const answer = await fetch(`/api/v1/field/${path}`, {...init, headers, signal: cut.signal, credentials: 'omit', cache: 'no-store', redirect: 'error'});
    if (answer.ok) return answer;
    const said = (await answer.json().catch(() => ({}))) as {code?: string; detail?: string; data?: {wipe?: boolean; have?: number}};
    if (said.code === 'device_revoked') throw new Stop(said.data?.wipe === true, said.detail ?? '');
    if ([401, 403, 426].includes(answer.status)) throw new Stop(false, said.detail ?? String(answer.status));
    if ([400, 404, 409, 413, 415, 422].includes(answer.status)) throw new Unreadable(said.code ?? String(answer.status), said.detail ?? '');
    throw new Error(String(answer.status));
  } finally {
    clearTimeout(timer);
  }
}

/** One round over everything that waits. Only one at a time, whatever tabs are open. */
export async function push(vault: Vault, secret: Secret, days: number): Promise<Outcome> {
  if (!navigator.locks) return round(vault, secret, days);
  return navigator.locks.request('relief-field-sync', {ifAvailable: true}, (lock) => (lock ? round(vault, secret, days) : {ok: true, moved: 0}));
}

async function round(vault: Vault, secret: Secret, days: number): Promise<Outcome> {
  let moved = 0;
  try {
    moved += await records(vault, secret);
    moved += await photos(vault, secret);
    await tidy(vault, days);
    return {ok: true, moved};
  } catch (error) {
    if (error instanceof Stop) return {ok: false, wiped: error.wipe, stopped: error.message, moved};
    return {ok: false, moved};
  }
}

async function records(vault: Vault, secret: Secret): Promise<number> {
  let moved = 0;
  for (;;) {
    const waiting = (await vault.items('record', 'waiting')).sort((a, b) => a.seq - b.seq);
    if (!waiting.length) return moved;
    const chunk = waiting.slice(0, size);
    try {
      moved += await send(vault, secret, chunk, waiting.length);
      size = Math.min(MOST, size * 2);
    } catch (error) {
      if (error instanceof Unreadable && chunk.length === 1 && chunk[0]) {
        const kept = await vault.read<Kept>(chunk[0]);
        await vault.settle(chunk[0], 'dead', {name: kept.name, outcome: 'refused', why: error.code, message: error.message, at: Date.now()});
        moved += 1;
      } else if (size > 1) {
        size = Math.max(1, size >> 1); // so one unreadable record is found, too
      } else {
        throw error;
      }
      if (error instanceof Stop) throw error;
    }
  }
}

async function send(vault: Vault, secret: Secret, chunk: Item[], waiting: number): Promise<number> {
  const kept = await Promise.all(chunk.map((item) => vault.read<Kept>(item)));
  const body = {
    version: VERSION, waiting,
    records: chunk.map((item, i) => ({id: item.id, seq: item.seq, author: kept[i]?.author, household: kept[i]?.household})),
  };
  const answer = await ask(secret, 'sync', {method: 'POST', body: JSON.stringify(body), headers: {'Content-Type': 'application/json'}});
  const receipts = (await answer.json()) as Receipt[];
  let moved = 0;
  for (const [i, item] of chunk.entries()) {
    const receipt = receipts.find((r) => r.id === item.id && r.seq === item.seq);
    if (!receipt) continue; // without its receipt it waits
    const state: State = receipt.outcome === 'refused' ? 'dead' : receipt.outcome === 'case' ? 'case' : 'green';
    const slip: Slip = {name: kept[i]?.name ?? '', outcome: receipt.outcome, at: Date.now()};
    if (receipt.slip) slip.slip = receipt.slip;
    if (receipt.slip_code) slip.code = receipt.slip_code;
    if (receipt.message) slip.message = receipt.message;
    if (receipt.code) slip.why = receipt.code;
    if (receipt.field) slip.field = receipt.field;
    if (await vault.settle(item, state, slip)) moved += 1;
  }
  if (!moved) throw new Error('no receipts');
  return moved;
}

async function photos(vault: Vault, secret: Secret): Promise<number> {
  const there = new Set((await vault.items('record')).filter((r) => r.state === 'green' || r.state === 'case').map((r) => r.id));
  let moved = 0;
  for (const item of await vault.items('photo', 'waiting')) {
    if (!there.has(item.of)) continue;
    try {
      await upload(vault, secret, item);
      await vault.mark(item, 'done');
    } catch (error) {
      if (!(error instanceof Unreadable) || error.code === 'photo_unknown') throw error;
      await vault.mark(item, 'dead');
    }
    moved += 1;
  }
  return moved;
}

async function upload(vault: Vault, secret: Secret, item: Item): Promise<void> {
  const content = await vault.photo(item.id);
  if (!content) throw new Unreadable('photo_missing', '');
  const digest = item.id.split(' ')[1] ?? '';
  let have = ((await (await ask(secret, `photos/${digest}`)).json()) as {have: number}).have;
  for (let tries = 0; have < content.byteLength || tries === 0; tries += 1) {
    const part = content.slice(have, have + PART);
    try {
      const answer = await ask(secret, `photos/${digest}?at=${have}`, {method: 'PUT', body: part, headers: {'Content-Type': 'image/jpeg'}});
      const said = (await answer.json()) as {have: number; done: boolean};
      if (said.done) return;
      have = said.have;
    } catch (error) {
      if (!(error instanceof Unreadable) || !['digest_mismatch', 'photo_gap'].includes(error.code) || tries > 200) throw error;
      have = ((await (await ask(secret, `photos/${digest}`)).json()) as {have: number}).have;
      if (error.code === 'digest_mismatch') tries += 100; // once more from the beginning, then an officer is needed
    }
  }
}

/** What the server has is taken off the phone: the record once it and its photos are there; the slip some days later. */
export async function tidy(vault: Vault, days: number): Promise<void> {
  const all = await vault.items('photo');
  const pending = new Set(all.filter((p) => p.state !== 'done').map((p) => p.of));
  for (const item of await vault.items('record')) {
    if ((item.state !== 'green' && item.state !== 'case') || pending.has(item.id)) continue;
    await Promise.all(all.filter((p) => p.of === item.id).map((p) => vault.remove('photo', p.id)));
    await vault.remove('record', item.id);
  }
  const left = new Set((await vault.items('record')).map((r) => r.id));
  for (const slip of await vault.items('slip')) {
    if (!left.has(slip.id) && Math.abs(Date.now() - slip.at) > days * 86_400_000) await vault.remove('slip', slip.id);
  }
}

/** What to take along; undefined without a line. Before it the phone says that it is alive and how much it still holds. */
export async function bundle(secret: Secret, waiting: number): Promise<Bundle | undefined | {wiped: boolean; stopped: string}> {
  try {
    const alive = JSON.stringify({version: VERSION, waiting, records: []});
    await ask(secret, 'sync', {method: 'POST', body: alive, headers: {'Content-Type': 'application/json'}});
    return (await (await ask(secret, 'bundle')).json()) as Bundle;
  } catch (error) {
    return error instanceof Stop ? {wiped: error.wipe, stopped: error.message} : undefined;
  }
}
