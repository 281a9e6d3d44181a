// The page of the reporter: unlock, write down, hand over. It starts without a network and forgets what the server has.
import {h, has, loadWords, otherLanguage, say, t, yuan} from './dom';
import type {Asked, Bundle, Draft, PhotoKind} from './kinds';
import type {Shrunk} from './photo';
import {STEPS, begin, household, type Step, type Walk} from './steps';
import {newId} from './check';
import {bundle as fetchBundle, push, type Kept, type Secret, type Slip} from './sync';
import {create, profiles, unlock, waitingOf, wipe, type Item, type Profile, type Vault} from './vault';

const IDLE_MS = 5 * 60_000;
const EVERY_MS = 30_000;
const BUNDLE_MS = 10 * 60_000;

interface Open { vault: Vault; secret: Secret; bundle: Bundle; last: {village?: string; bank?: string; incident?: string} }
let open: Open | undefined;
let walking: {walk: Walk; steps: Step[]} | undefined;
let touched = Date.now();
let stopped = '';
let taken = 0;
let busy = false;

const root = document.getElementById('field') as HTMLElement;

/** Whoever knows the true day: the server's last word, unless the phone's clock is later and not by years. */
function today(bundle: Bundle): Date {
  const told = new Date(bundle.now);
  const mine = new Date();
  return mine > told && mine.getTime() - told.getTime() < 400 * 86_400_000 ? mine : told;
}

// --- frame ---------------------------------------------------------------------------------------------------------------------------------

async function waiting(): Promise<{records: number; photos: number}> {
  const all = await Promise.all((await profiles()).map((p) => waitingOf(p.id)));
  return all.reduce((a, b) => ({records: a.records + b.records, photos: a.photos + b.photos}), {records: 0, photos: 0});
}

async function counter(): Promise<void> {
  const n = await waiting();
  const line = document.getElementById('waiting');
  if (!line) return;
  line.textContent = n.records || n.photos ? t('field.waiting', n) : t('field.nothing_waits');
  line.className = n.records || n.photos ? 'waits' : 'clear';
}

/** Draw a screen. Where it is the `same` as before only its middle is exchanged: no button moves from under the thumb. */
function frame(title: string, main: (Node | null)[], foot: (Node | null)[] = [], drill = false, same = ''): void {
  const middle = root.querySelector('main');
  if (same && root.dataset['same'] === same && middle) {
    middle.replaceChildren(...main.filter((n): n is Node => n !== null));
    void counter();
    return;
  }
  root.dataset['same'] = same;
  root.replaceChildren(
    h('header', {class: 'top'}, h('strong', {}, title), h('span', {id: 'waiting', role: 'status'}),
      h('button', {type: 'button', class: 'small', onclick: () => { otherLanguage(); void again(); }}, t('field.other_language')),
      open ? h('button', {type: 'button', class: 'small', onclick: lock}, t('field.lock')) : null),
    ...(drill ? [h('p', {class: 'drill'}, t('field.drill'))] : []),
    ...(stopped ? [h('p', {class: 'alarm', role: 'alert'}, stopped)] : []),
    h('main', {}, ...main.filter((n): n is Node => n !== null)), h('footer', {class: 'foot'}, ...foot.filter((n): n is Node => n !== null)));
  void counter();
  window.scrollTo(0, 0);
}

let again: () => unknown = () => undefined;

function show(draw: () => unknown): void {
  again = draw;
  void draw();
}

function big(label: string, press: () => void, id?: string): HTMLElement {
  return h('button', {type: 'button', class: 'main', onclick: press, id}, label);
}

function lock(): void {
  open = undefined;
  walking = undefined;
  show(lockScreen);
}

// --- the door ------------------------------------------------------------------------------------------------------------------------------

function field(id: string, label: string, type: string, more: Record<string, string> = {}): {row: HTMLElement; input: HTMLInputElement} {
  const input = h('input', {id, type, autocomplete: 'off', ...more});
  return {row: h('div', {class: 'field'}, h('label', {for: id}, label), input), input};
}

const DIGITS = {inputmode: 'numeric', maxlength: '12', pattern: '[0-9]*'};

function enrolScreen(): void {
  const login = field('login', t('field.login'), 'text', {autocapitalize: 'none', autocomplete: 'username'});
  const password = field('password', t('field.password'), 'password', {autocomplete: 'current-password'});
  const pin = field('pin', t('field.new_pin'), 'password', DIGITS);
  const twice = field('pin-again', t('field.new_pin_again'), 'password', DIGITS);
  const county = field('county', t('field.county'), 'text', {inputmode: 'numeric', maxlength: '6'});
  county.row.hidden = true;
  const note = h('p', {class: 'note wrong', role: 'alert'});
  const go = async (): Promise<void> => {
    if (!/^[0-9]{6,12}$/.test(pin.input.value)) { note.textContent = t('field.pin_form'); return; }
    if (pin.input.value !== twice.input.value) { note.textContent = t('field.pin_differs'); return; }
    note.textContent = t('field.working');
    const json = {'Content-Type': 'application/json'};
    const refuse = async (answer: Response): Promise<void> => {
      const said = (await answer.json().catch(() => ({}))) as {detail?: string; code?: string};
      if (said.code === 'county') county.row.hidden = false;
      note.textContent = say(said.detail ?? String(answer.status));
    };
    const entered = await fetch('/api/v1/session', {method: 'POST', headers: json, body: JSON.stringify({login: login.input.value, password: password.input.value})});
    if (!entered.ok) return refuse(entered);
    const wanted: Record<string, string> = {device: newId(), name: navigator.userAgent.replace(/^.*?\(([^)]*)\).*$/, '$1').slice(0, 60)};
    if (county.input.value) wanted['county'] = county.input.value;
    const answer = await fetch('/api/v1/field/devices', {method: 'POST', headers: json, body: JSON.stringify(wanted)});
    await fetch('/api/v1/session', {method: 'DELETE'}); // the phone comes in by its own token from now on
    if (!answer.ok) return refuse(answer);
    const enrolled = (await answer.json()) as {device: string; person: string; name: string; token: string};
    const secret: Secret = {device: enrolled.device, token: enrolled.token, person: enrolled.person, name: enrolled.name};
    const vault = await create(enrolled.device, pin.input.value);
    await vault.put('secret', 'secret', 'kept', secret);
    return enter(vault);
  };
  frame(t('field.title'), [h('h1', {}, t('field.enrol')), h('p', {}, t('field.enrol_hint')), login.row, password.row, pin.row, twice.row, county.row, note],
    [big(t('field.enrol_do'), () => { go().catch(() => { note.textContent = t('field.no_line'); }); }, 'go')]);
}

async function lockScreen(): Promise<void> {
  const all = await profiles();
  if (!all.length) return show(enrolScreen);
  const pin = field('pin', t('field.pin'), 'password', DIGITS);
  const note = h('p', {class: 'note wrong', role: 'alert'});
  let chosen = all[all.length - 1] as Profile;
  const go = async (): Promise<void> => {
    note.textContent = t('field.working');
    const fresh = (await profiles()).find((p) => p.id === chosen.id) ?? chosen;
    const found = await unlock(fresh, pin.input.value);
    if (typeof found !== 'number') return enter(found);
    note.textContent = found ? t('field.wait', {seconds: found}) : t('field.wrong_pin');
    pin.input.value = '';
  };
  pin.input.addEventListener('keydown', (e) => { if (e.key === 'Enter') void go(); });
  const which = all.length > 1 ? h('div', {class: 'choices'}, ...all.map((p, i) => h('button', {type: 'button', class: 'choice', onclick: (event) => {
    chosen = p;
    document.querySelectorAll('.choice').forEach((c) => c.classList.toggle('chosen', c === event.currentTarget));
  }}, t('field.person_n', {n: i + 1})))) : null;
  frame(t('field.title'), [h('h1', {}, t('field.unlock')), which, pin.row, note,
    h('button', {type: 'button', class: 'link', onclick: () => show(enrolScreen)}, t('field.another_person'))], [big(t('field.unlock_do'), () => void go(), 'go')]);
  pin.input.focus();
}

async function enter(vault: Vault): Promise<void> {
  const secret = await vault.find<Secret>('secret', 'secret');
  if (!secret) return show(lockScreen);
  const kept = await vault.find<Bundle>('bundle', 'bundle');
  const nothing: Bundle = {now: new Date().toISOString(), person: secret.person, name: secret.name, kept_days: 7, incidents: [], villages: [], roster: []};
  open = {vault, secret, bundle: kept ?? nothing, last: (await vault.find<Open['last']>('secret', 'last')) ?? {}};
  touched = Date.now();
  taken = 0;
  show(home);
  if (!kept) frame(t('field.title'), [h('p', {}, t('field.working'))]);
  await sync();
}

// --- the line ------------------------------------------------------------------------------------------------------------------------------

async function sync(): Promise<void> {
  const here = open;
  if (!here || busy) return;
  busy = true;
  try {
    const done = await push(here.vault, here.secret, here.bundle.kept_days);
    if (done.stopped !== undefined) return await turnedAway(here, done.wiped === true, done.stopped);
    let changed = done.moved > 0;
    if (Date.now() - taken > BUNDLE_MS || done.moved) {
      const fresh = await fetchBundle(here.secret, (await waitingOf(here.vault.id)).records);
      if (fresh && 'stopped' in fresh) return await turnedAway(here, fresh.wiped, fresh.stopped);
      if (fresh && open === here) {
        here.bundle = fresh;
        taken = Date.now();
        [stopped, changed] = ['', true];
        await here.vault.put('bundle', 'bundle', 'kept', fresh);
      }
    }
    if (changed && open === here && !walking) await again(); // a button is not exchanged under the thumb for nothing
    else await counter();
  } finally {
    busy = false;
  }
}

async function turnedAway(here: Open, lost: boolean, why: string): Promise<void> {
  stopped = say(why);
  if (lost) {
    await wipe(here.vault.id);
    open = undefined;
    walking = undefined;
    return show(lockScreen);
  }
  if (!walking) await again();
}

// --- home ----------------------------------------------------------------------------------------------------------------------------------

function incidentOf(here: Open): Asked | undefined {
  return here.bundle.incidents.find((i) => i.id === here.last.incident) ?? here.bundle.incidents[0];
}

async function home(): Promise<void> {
  const here = open;
  if (!here) return;
  walking = undefined;
  const [drafts, dead, records, slips] = await Promise.all([here.vault.items('draft'), here.vault.items('record', 'dead'), here.vault.items('record', 'waiting'), here.vault.items('slip')]);
  const incident = incidentOf(here);
  const lines = await Promise.all(slips.sort((a, b) => b.at - a.at).slice(0, 60).map(async (item) => slip(item, await here.vault.read<Slip>(item))));
  const written = await Promise.all(records.sort((a, b) => b.seq - a.seq).map(async (item) => waits(here, item)));
  const begun = await Promise.all(drafts.sort((a, b) => b.at - a.at).map(async (item) => draftLine(await here.vault.read<Draft>(item))));
  const letters = await Promise.all(dead.map(async (item) => letter(here, item)));
  const several = here.bundle.incidents.length > 1 ? h('div', {class: 'choices'}, ...here.bundle.incidents.map((i) =>
    h('button', {type: 'button', class: `choice${i === incident ? ' chosen' : ''}`, onclick: () => { here.last.incident = i.id; void remember(here).then(home); }}, i.name))) : null;
  if (open !== here || walking) return;
  frame(here.secret.name, [
    incident ? h('p', {class: 'sub'}, `${incident.name}${incident.activated ? '' : ` · ${t('field.not_activated')}`}`) : h('p', {class: 'alarm'}, t('field.no_incident')), several,
    ...section('field.drafts', begun), ...section('field.dead', letters, 'bad'), ...section('field.unsent', written), ...section('field.slips', lines), ...section('field.roster', here.bundle.roster.slice(0, 100).map(roster)),
    h('p', {class: 'quiet'}, t('field.as_of', {time: new Date(here.bundle.now).toLocaleString('zh-CN', {timeZone: 'Asia/Shanghai', hour12: false})})),
    stopped && (records.length || dead.length) ? h('button', {type: 'button', class: 'wide', onclick: () => void takeAway(here)}, t('field.export')) : null,
  ], [h('button', {type: 'button', class: 'second', onclick: () => { taken = 0; void sync(); }}, t('field.sync')), incident ? big(t('field.register'), () => { const now = incidentOf(here); if (now) void start(here, now); }, 'register') : null],
  incident?.drill, [here.vault.id, incident?.id, document.documentElement.lang, stopped].join(' '));
}

function section(title: string, lines: Node[], tone = ''): Node[] {
  return lines.length ? [h('h2', {class: tone}, `${t(title)} ${lines.length}`), h('ul', {class: 'list'}, ...lines)] : [];
}

function slip(item: Item, s: Slip): HTMLElement {
  const green = s.outcome === 'accepted' || s.outcome === 'had';
  return h('li', {class: green ? 'green' : 'case', 'data-record': item.id}, h('strong', {}, `${green ? '✓' : '◆'} ${s.name}`), h('span', {}, t(green ? 'field.on_server' : 'field.as_case')),
    s.message ? h('p', {}, say(s.message)) : null, s.slip ? h('p', {class: 'slip'}, t('field.slip', {slip: s.slip, code: s.code ?? ''})) : null);
}

async function waits(here: Open, item: Item): Promise<HTMLElement> {
  const kept = await here.vault.read<Kept>(item);
  return h('li', {class: 'waits', 'data-record': item.id}, h('strong', {}, `… ${kept.name}`), h('span', {}, t('field.not_yet')));
}

function draftLine(draft: Draft): HTMLElement {
  return h('li', {}, h('strong', {}, draft.members[0]?.name || t('field.nameless')), h('button', {type: 'button', class: 'link', onclick: () => { if (open) walkOn(open, draft); }}, t('field.go_on')),
    h('button', {type: 'button', class: 'link', onclick: () => { if (open && confirm(t('field.drop_draft'))) void dropDraft(open, draft).then(home); }}, t('at_door.drop')));
}

async function dropDraft(here: Open, draft: Draft): Promise<void> {
  for (const photo of draft.photos) await here.vault.remove('photo', `${draft.id} ${photo.digest}`);
  await here.vault.remove('draft', draft.id);
}

async function letter(here: Open, item: Item): Promise<HTMLElement> {
  const s = await here.vault.find<Slip>('slip', item.id);
  const kept = await here.vault.read<Kept & {draft: Draft}>(item);
  return h('li', {class: 'bad', 'data-record': item.id}, h('strong', {}, `✗ ${kept.name}`), h('p', {}, say(s?.message ?? ''), s?.field ? ` (${s.field})` : ''),
    h('button', {type: 'button', class: 'link', onclick: () => { void here.vault.remove('slip', item.id).then(() => walkOn(here, {...kept.draft, step: 0})); }}, t('field.correct')));
}

function roster(home_: Bundle['roster'][number]): HTMLElement {
  const told = [
    home_.doubtful ? t('after.doubtful') : '', home_.photos_missing ? t('after.photos', {n: home_.photos_missing}) : '',
    home_.card_returned ? t('after.card') : '', home_.papers_due ? t('after.papers', {day: home_.papers_due}) : '',
    home_.advance_paid_at ? t('after.advance', {day: home_.advance_paid_at.slice(0, 10)}) : '',
    home_.approved_fen ? t('after.approved', {yuan: yuan(home_.approved_fen), paid: yuan(home_.paid_fen)}) : home_.decided_fen === null ? t('after.undecided') : home_.decided_fen ? t('after.decided', {yuan: yuan(home_.decided_fen)}) : t('after.nothing'),
  ].filter(Boolean);
  return h('li', {class: home_.card_returned || home_.papers_due ? 'case' : ''}, h('strong', {}, home_.name), h('span', {}, home_.slip), h('p', {}, told.join(' · ')));
}

async function takeAway(here: Open): Promise<void> {
  if (!confirm(t('field.export_warning'))) return;
  const items = [...(await here.vault.items('record', 'waiting')), ...(await here.vault.items('record', 'dead'))];
  const kept = await Promise.all(items.map(async (i) => ({id: i.id, seq: i.seq, ...(await here.vault.read<Kept>(i))})));
  const address = URL.createObjectURL(new Blob([JSON.stringify(kept)], {type: 'application/json'}));
  h('a', {href: address, download: 'relief-unsent.json'}).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

// --- writing down --------------------------------------------------------------------------------------------------------------------------

async function remember(here: Open): Promise<void> {
  await here.vault.put('secret', 'last', 'kept', here.last);
}

async function start(here: Open, incident: Asked): Promise<void> {
  walkOn(here, {
    id: newId(), incident: incident.id, step: 0, started: new Date().toISOString(), members: [{name: '', id_number: ''}], rooms: {collapsed: 0, severe: 0, moderate: 0},
    casualties: {dead: 0, missing: 0, injured: 0}, circumstances: [], needs: [], people_in_need: 0, landmark: '', photos: [], channel: 'visit', presence: 'resident', note: '',
  });
}

let keeping: Promise<unknown> = Promise.resolve();

function walkOn(here: Open, draft: Draft): void {
  const asked = here.bundle.incidents.find((i) => i.id === draft.incident);
  if (!asked) return;
  begin(draft);
  const keep = (): void => {
    const copy = structuredCloneOf(draft);
    keeping = keeping.then(() => here.vault.put('draft', draft.id, 'draft', copy)).catch(() => undefined);
  };
  const walk: Walk = {
    draft, asked, bundle: here.bundle, today: today(here.bundle), last: here.last, keep, next: () => void go(here, 1), again: () => step(here),
    add: async (photo: Shrunk, kind: PhotoKind) => {
      await here.vault.put('photo', `${draft.id} ${photo.digest}`, 'waiting', photo.content, draft.id);
      if (!draft.photos.some((p) => p.digest === photo.digest)) {
        const point = draft.point?.by === 'gps' ? {lon: draft.point.lon, lat: draft.point.lat, accuracy_m: draft.point.accuracy_m} : {};
        draft.photos.push({digest: photo.digest, kind, size: photo.content.byteLength, taken_at: new Date().toISOString(), ...point});
      }
      keep();
    },
    drop: async (digest: string) => {
      draft.photos = draft.photos.filter((p) => p.digest !== digest);
      await here.vault.remove('photo', `${draft.id} ${digest}`);
      keep();
    },
  };
  walking = {walk, steps: STEPS};
  keep();
  show(() => step(here));
}

function structuredCloneOf<T>(thing: T): T {
  return JSON.parse(JSON.stringify(thing)) as T; // Chrome 90 has no structuredClone
}

function asked(): Step[] {
  const w = walking;
  return w ? w.steps.filter((s) => !s.when || s.when(w.walk)) : [];
}

function step(here: Open): void {
  const w = walking;
  if (!w) return;
  const all = asked();
  const now = all[w.walk.draft.step];
  const back = h('button', {type: 'button', class: 'second', onclick: () => void go(here, -1)}, t('field.back'));
  if (!now) return summary(here, back);
  const note = h('p', {class: 'note wrong', id: 'missing', role: 'alert'});
  frame(`${w.walk.draft.step + 1}/${all.length} ${t(`door_step.${now.name}`)}`, [h('h1', {}, t(`question.${now.name}`)), ...now.show(w.walk), note],
    [back, now.missing ? big(t(now.name === 'members' ? 'field.nobody_else' : 'field.next'), () => void go(here, 1), 'next') : null], w.walk.asked.drill);
  return undefined;
}

async function go(here: Open, by: number): Promise<void> {
  const w = walking;
  if (!w) return;
  const draft = w.walk.draft;
  const wrong = by > 0 ? asked()[draft.step]?.missing?.(w.walk) : '';
  if (wrong) {
    const note = document.getElementById('missing');
    if (note) note.textContent = t(has(`wrong.${wrong}`) ? `wrong.${wrong}` : 'wrong.missing');
    return;
  }
  draft.step += by;
  if (draft.step < 0) { draft.step = 0; w.walk.keep(); return show(home); }
  if (draft.village) here.last.village = draft.village;
  if (draft.bank) here.last.bank = draft.bank;
  w.walk.keep();
  step(here);
}

function summary(here: Open, back: HTMLElement): void {
  const w = walking as {walk: Walk};
  const d = w.walk.draft;
  const village = here.bundle.villages.find((v) => v.code === d.village)?.name ?? '';
  const lines: [string, string][] = [
    [t('door_step.village'), village], [t('door_step.holder'), d.members[0]?.name ?? ''], [t('door_step.members'), t('field.people', {n: d.members.length})], [t('door_step.phone'), d.phone ?? t('at_door.no_phone')],
    [t('door_step.account'), `**** ${(d.account ?? '').slice(-4)}`], [t('door_step.rooms'), `${t('at_door.collapsed')} ${d.rooms.collapsed} · ${t('at_door.severe')} ${d.rooms.severe} · ${t('at_door.moderate')} ${d.rooms.moderate}`],
    [t('door_step.casualties'), `${t('at_door.dead')} ${d.casualties.dead} · ${t('at_door.missing')} ${d.casualties.missing} · ${t('at_door.injured')} ${d.casualties.injured}`],
    [t('door_step.photos'), String(d.photos.filter((p) => p.kind === 'damage').length)],
  ];
  frame(t('door_step.summary'), [h('h1', {}, t('question.summary')), h('dl', {}, ...lines.flatMap(([term, told]) => [h('dt', {}, term), h('dd', {}, told)])), h('p', {class: 'aloud'}, t('field.read_aloud', {name: d.members[0]?.name ?? ''}))],
    [back, big(t('field.save'), () => { save(here, d).catch(() => { stopped = t('field.full'); void again(); }); }, 'save')], w.walk.asked.drill);
}

async function save(here: Open, draft: Draft): Promise<void> {
  await keeping;
  const kept = {household: household(draft), name: draft.members[0]?.name ?? '', author: here.secret.person, draft};
  await here.vault.save(draft.id, kept);
  await remember(here);
  walking = undefined;
  show(home);
  await sync();
}

// --- beginning -----------------------------------------------------------------------------------------------------------------------------

for (const event of ['pointerdown', 'keydown']) addEventListener(event, () => { touched = Date.now(); });
addEventListener('online', () => void sync());
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState !== 'visible') return;
  if (open && Math.abs(Date.now() - touched) > IDLE_MS) lock();
  else void sync();
});
setInterval(() => {
  if (open && Math.abs(Date.now() - touched) > IDLE_MS) lock();
}, 5_000);
setInterval(() => void sync(), EVERY_MS);

async function beginning(): Promise<void> {
  await loadWords();
  void navigator.storage?.persist?.();
  show(lockScreen);
  if ('serviceWorker' in navigator) await navigator.serviceWorker.register('/field/sw.js', {scope: '/field'});
}

beginning().catch(() => { root.textContent = '请联网打开一次 · open this page once with a network'; });
