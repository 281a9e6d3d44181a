// What the phone keeps: everything about a person is sealed (AES-GCM) under a key that exists in memory only while the page is unlocked.
// The key lies wrapped: PIN → PBKDF2 → HMAC with a key of this browser that cannot be taken out → AES-GCM. In clear stand ids, states, times.
import {openDB, type DBSchema, type IDBPDatabase} from 'idb';

export type Kind = 'draft' | 'record' | 'photo' | 'bundle' | 'secret' | 'slip';
export type State = 'draft' | 'waiting' | 'green' | 'case' | 'dead' | 'done' | 'kept';
export interface Item {
  profile: string; kind: Kind; id: string; state: State; seq: number; at: number; of: string; iv: Uint8Array<ArrayBuffer>; data: ArrayBuffer;
}
export interface Profile {
  id: string; salt: Uint8Array<ArrayBuffer>; rounds: number; binder: CryptoKey; iv: Uint8Array<ArrayBuffer>; wrapped: ArrayBuffer; seq: number; wrong: number; until: number;
}
interface Schema extends DBSchema {
  profile: {key: string; value: Profile};
  item: {key: [string, string, string]; value: Item; indexes: {state: [string, string, string]}};
}

const ROUNDS = 310_000;
const FREE_TRIES = 5;
const text = new TextEncoder();
const words = new TextDecoder();

let opened: Promise<IDBPDatabase<Schema>> | undefined;
function base(): Promise<IDBPDatabase<Schema>> {
  opened ??= openDB<Schema>('relief-field', 1, {
    upgrade(db) {
      db.createObjectStore('profile', {keyPath: 'id'});
      db.createObjectStore('item', {keyPath: ['profile', 'kind', 'id']}).createIndex('state', ['profile', 'kind', 'state']);
    },
  });
  return opened;
}

export async function profiles(): Promise<Profile[]> {
  return (await base()).getAll('profile');
}

/** Records without a receipt on this phone, whoever's: countable without any key. */
export async function waitingOf(profile: string): Promise<{records: number; photos: number}> {
  const db = await base();
  const count = (kind: Kind, state: State): Promise<number> => db.countFromIndex('item', 'state', [profile, kind, state]);
  const [waiting, dead, photos] = await Promise.all([count('record', 'waiting'), count('record', 'dead'), count('photo', 'waiting')]);
  return {records: waiting + dead, photos};
}

async function wrapping(pin: string, salt: Uint8Array<ArrayBuffer>, rounds: number, binder: CryptoKey): Promise<CryptoKey> {
  const typed = await crypto.subtle.importKey('raw', text.encode(pin), 'PBKDF2', false, ['deriveBits']);
  const stretched = await crypto.subtle.deriveBits({name: 'PBKDF2', hash: 'SHA-256', salt, iterations: rounds}, typed, 256);
  const bound = await crypto.subtle.sign('HMAC', binder, stretched);
  return crypto.subtle.importKey('raw', bound, 'AES-GCM', false, ['wrapKey', 'unwrapKey']);
}

/** A vault for a device that has just been enrolled. */
export async function create(id: string, pin: string): Promise<Vault> {
  const [salt, iv] = [crypto.getRandomValues(new Uint8Array(16)), crypto.getRandomValues(new Uint8Array(12))];
  const binder = await crypto.subtle.generateKey({name: 'HMAC', hash: 'SHA-256'}, false, ['sign']);
  const outer = await wrapping(pin, salt, ROUNDS, binder);
  const key = await crypto.subtle.generateKey({name: 'AES-GCM', length: 256}, true, ['encrypt', 'decrypt']);
  const wrapped = await crypto.subtle.wrapKey('raw', key, outer, {name: 'AES-GCM', iv});
  const profile: Profile = {id, salt, rounds: ROUNDS, binder, iv, wrapped, seq: 0, wrong: 0, until: 0};
  await (await base()).put('profile', profile);
  return new Vault(id, await inner(profile, outer));
}

function inner(profile: Profile, outer: CryptoKey): Promise<CryptoKey> {
  const open = {name: 'AES-GCM', iv: profile.iv};
  return crypto.subtle.unwrapKey('raw', profile.wrapped, outer, open, 'AES-GCM', false, ['encrypt', 'decrypt']);
}

/** The vault, or how many seconds to wait after wrong PINs. Nothing is ever wiped for wrong PINs: that would lose records. */
export async function unlock(profile: Profile, pin: string): Promise<Vault | number> {
  const db = await base();
  const now = Date.now();
  if (profile.until > now && profile.until - now < 86_400_000) return Math.ceil((profile.until - now) / 1000);
  try {
    const key = await inner(profile, await wrapping(pin, profile.salt, profile.rounds, profile.binder));
    await db.put('profile', {...profile, wrong: 0, until: 0});
    return new Vault(profile.id, key);
  } catch {
    const wrong = profile.wrong + 1;
    const wait = wrong < FREE_TRIES ? 0 : Math.min(3600, 30 * 2 ** (wrong - FREE_TRIES));
    await db.put('profile', {...profile, wrong, until: wait ? now + wait * 1000 : 0});
    return wait;
  }
}

/** Remove everything of a profile. */
export async function wipe(id: string): Promise<void> {
  const db = await base();
  const change = db.transaction(['profile', 'item'], 'readwrite');
  await change.objectStore('item').delete(IDBKeyRange.bound([id], [id, []]));
  await change.objectStore('profile').delete(id);
  await change.done;
}

/** An unlocked vault. */
export class Vault {
  constructor(readonly id: string, private readonly key: CryptoKey) {}

  private about(kind: Kind, id: string): {name: string; additionalData: Uint8Array<ArrayBuffer>} {
    return {name: 'AES-GCM', additionalData: text.encode(`${this.id}|${kind}|${id}`)};
  }

  private async sealed(kind: Kind, id: string, content: BufferSource): Promise<{iv: Uint8Array<ArrayBuffer>; data: ArrayBuffer}> {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    return {iv, data: await crypto.subtle.encrypt({...this.about(kind, id), iv}, this.key, content)};
  }

  private async bytesOf(item: Item): Promise<ArrayBuffer> {
    return crypto.subtle.decrypt({...this.about(item.kind, item.id), iv: item.iv}, this.key, item.data);
  }

  /** Keep a thing; `of` is the record a photo belongs to. */
  async put(kind: Kind, id: string, state: State, content: unknown, of = ''): Promise<void> {
    const raw = content instanceof ArrayBuffer ? content : text.encode(JSON.stringify(content));
    const item = {profile: this.id, kind, id, state, seq: 0, at: Date.now(), of, ...(await this.sealed(kind, id, raw))};
    await (await base()).put('item', item);
  }

  /** Keep a record under the next sequence number and let its draft go: both or neither, whenever the page is killed. */
  async save(id: string, content: unknown): Promise<number> {
    const part = await this.sealed('record', id, text.encode(JSON.stringify(content)));
    const change = (await base()).transaction(['profile', 'item'], 'readwrite', {durability: 'strict'});
    const profile = await change.objectStore('profile').get(this.id);
    if (!profile) throw new Error('no profile');
    const seq = profile.seq + 1;
    await change.objectStore('profile').put({...profile, seq});
    await change.objectStore('item').put({profile: this.id, kind: 'record', id, state: 'waiting', seq, at: Date.now(), of: '', ...part});
    await change.objectStore('item').delete([this.id, 'draft', id]);
    await change.done;
    return seq;
  }

  /** Give a record a state if it is still the one that was sent; `slip` is what stays of it. */
  async settle(item: Item, state: State, slip: unknown): Promise<boolean> {
    const part = await this.sealed('slip', item.id, text.encode(JSON.stringify(slip)));
    const change = (await base()).transaction('item', 'readwrite', {durability: 'strict'});
    const standing = await change.store.get([this.id, 'record', item.id]);
    const same = standing?.seq === item.seq && standing.state === 'waiting';
    if (standing && same) {
      await change.store.put({...standing, state});
      await change.store.put({profile: this.id, kind: 'slip', id: item.id, state, seq: item.seq, at: Date.now(), of: '', ...part});
    }
    await change.done;
    return same;
  }

  async mark(item: Item, state: State): Promise<void> {
    await (await base()).put('item', {...item, state});
  }

  async remove(kind: Kind, id: string): Promise<void> {
    await (await base()).delete('item', [this.id, kind, id]);
  }

  async items(kind: Kind, state?: State): Promise<Item[]> {
    const db = await base();
    if (state) return db.getAllFromIndex('item', 'state', [this.id, kind, state]);
    return db.getAll('item', IDBKeyRange.bound([this.id, kind], [this.id, kind, []]));
  }

  async read<T>(item: Item): Promise<T> {
    return JSON.parse(words.decode(await this.bytesOf(item))) as T;
  }

  async photo(id: string): Promise<ArrayBuffer | undefined> {
    const item = await (await base()).get('item', [this.id, 'photo', id]);
    return item && this.bytesOf(item);
  }

  async find<T>(kind: Kind, id: string): Promise<T | undefined> {
    const item = await (await base()).get('item', [this.id, kind, id]);
    return item && this.read<T>(item);
  }
}
