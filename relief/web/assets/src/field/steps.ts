// The questions at the door, one a screen. What the activated playbooks do not need is not asked.
import * as check from './check';
import {banks, h, t} from './dom';
import type {Asked, Bundle, Draft, PhotoKind} from './kinds';
import {pad, shrink, type Shrunk} from './photo';
import {plain} from './check';

export interface Walk {
  draft: Draft; bundle: Bundle; asked: Asked; today: Date; last: {village?: string; bank?: string};
  keep: () => void;                // the draft has changed
  next: () => void;
  again: () => void;               // draw this step again
  add: (photo: Shrunk, kind: PhotoKind) => Promise<void>;
  drop: (digest: string) => Promise<void>;
}
/** A step: what it shows, and what is missing before one may go on ('' when nothing is; undefined: its buttons go on by themselves). */
export interface Step { name: string; when?: (w: Walk) => boolean; show: (w: Walk) => Node[]; missing?: (w: Walk) => string }

const has = (question: string) => (w: Walk): boolean => w.asked.questions.includes(question);
const damaged = (w: Walk): boolean => w.draft.rooms.collapsed + w.draft.rooms.severe + w.draft.rooms.moderate > 0;
const WANTED_PHOTOS = 3;

function choice(label: string, chosen: boolean, press: () => void, more = ''): HTMLElement {
  return h('button', {type: 'button', class: `choice${chosen ? ' chosen' : ''}`, 'aria-pressed': String(chosen), onclick: press}, h('span', {}, label), more ? h('small', {}, more) : null);
}

/** Buttons of which one is meant; pressing it goes on. */
function one(w: Walk, options: string[], section: string, now: string | undefined, set: (value: string) => void): Node[] {
  return [h('div', {class: 'choices'}, ...options.map((o) => choice(t(`${section}.${o}`), o === now, () => { set(o); w.keep(); w.next(); })))];
}

/** Buttons of which any number is meant. */
function some(w: Walk, options: string[], section: string, list: string[]): Node {
  return h('div', {class: 'choices two'}, ...options.map((o) => choice(t(`${section}.${o}`), list.includes(o), () => {
    const place = list.indexOf(o);
    if (place < 0) list.push(o);
    else list.splice(place, 1);
    w.keep();
    w.again();
  })));
}

interface Typed { id: string; label: string; value: string; mode?: string; set: (text: string) => string | undefined; hint?: (text: string) => string; focus?: boolean; type?: string; most?: number }

/** A field whose number is checked while it is typed: what is right is said, what is wrong only when it could be complete. */
function typed(w: Walk, f: Typed): HTMLElement {
  const note = h('p', {class: 'note', id: `${f.id}-note`, 'aria-live': 'polite'});
  const input = h('input', {id: f.id, type: f.type ?? 'text', inputmode: f.mode ?? 'text', value: f.value, autocomplete: 'off', autocapitalize: 'characters', spellcheck: 'false', maxlength: f.most ?? 60, 'aria-describedby': `${f.id}-note`});
  const look = (left: boolean): void => {
    const wrong = f.set(input.value);
    const shown = wrong && input.value && (left || input.value.length >= 15);
    note.textContent = shown ? t(`wrong.${wrong}`) : wrong ? '' : (f.hint?.(input.value) ?? '');
    note.className = shown ? 'note wrong' : 'note right';
    input.setAttribute('aria-invalid', String(Boolean(shown)));
  };
  input.addEventListener('input', () => { look(false); w.keep(); });
  input.addEventListener('blur', () => look(true));
  input.addEventListener('keydown', (event) => { if (event.key === 'Enter') w.next(); });
  if (f.value) look(true);
  if (f.focus) requestAnimationFrame(() => input.focus());
  return h('div', {class: 'field'}, h('label', {for: f.id}, f.label), input, note);
}

function person(w: Walk, place: number): Node[] {
  const member = (w.draft.members[place] ??= {name: '', id_number: ''});
  const without = member.helper !== undefined;
  const born = member.id_number.startsWith('T') ? `${member.id_number.slice(6, 10)}-${member.id_number.slice(10, 12)}-${member.id_number.slice(12, 14)}` : '';
  const paper = (text: string): string => {
    const read = check.identity(text, w.today);
    return read.wrong ? '' : `✓ ${t(`paper.${read.paper ?? 'resident'}`)} ${t(read.male ? 'at_door.man' : 'at_door.woman')} ${read.birth ?? ''}`;
  };
  return [
    typed(w, {id: 'name', label: t('at_door.name'), value: member.name, focus: !member.name, set: (text) => { const read = check.name(text); member.name = read.name; return read.wrong; }}),
    without
      ? typed(w, {id: 'born', label: t('at_door.born'), type: 'date', value: born, set: (text) => {
          if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return 'id_birth';
          if (text !== born || !member.id_number) member.id_number = check.temporary(text);
          return check.identity(member.id_number, w.today).wrong;
        }, hint: () => t('at_door.temporary', {number: member.id_number})})
      : typed(w, {id: 'number', label: t('at_door.number'), value: member.id_number, most: 24, set: (text) => { const read = check.identity(text, w.today); member.id_number = read.number; return read.wrong; }, hint: paper}),
    without ? typed(w, {id: 'helper', label: t('at_door.helper'), value: member.helper ?? '', set: (text) => { const read = check.name(text); member.helper = read.name; return read.wrong; }}) : document.createTextNode(''),
    h('button', {type: 'button', class: 'link', onclick: () => {
      if (without) delete member.helper;
      else member.helper = '';
      member.id_number = '';
      w.keep();
      w.again();
    }}, t(without ? 'at_door.with_papers' : 'at_door.without_papers')),
  ];
}

function personMissing(w: Walk, place: number): string {
  const member = w.draft.members[place];
  if (!member || check.name(member.name).wrong) return 'name_form';
  const wrong = check.identity(member.id_number, w.today).wrong;
  if (wrong) return wrong;
  if (member.helper !== undefined && check.name(member.helper).wrong) return 'helper';
  return w.draft.members.some((m, i) => i !== place && m.id_number === member.id_number) ? 'id_twice' : '';
}

function counter(w: Walk, label: string, value: number, set: (n: number) => void, most: number): HTMLElement {
  const shown = h('output', {class: 'count'}, String(value));
  let now = value;
  const to = (n: number) => (): void => { now = Math.min(most, Math.max(0, now + n)); shown.textContent = String(now); set(now); w.keep(); };
  return h('div', {class: 'counter'}, h('span', {}, label),
    h('button', {type: 'button', 'aria-label': `${label} −1`, onclick: to(-1)}, '−'), shown, h('button', {type: 'button', 'aria-label': `${label} +1`, onclick: to(1)}, '＋'));
}

function villages(w: Walk): Node[] {
  const list = h('div', {class: 'choices'});
  const fill = (text: string): void => {
    const found = w.bundle.villages.filter((v) => !text || `${v.name}${v.township}${v.code}`.includes(text));
    const first = found.filter((v) => v.code === w.last.village);
    list.replaceChildren(...[...first, ...found.filter((v) => v.code !== w.last.village)].slice(0, 40).map((v) =>
      choice(v.name, v.code === w.draft.village, () => { w.draft.village = v.code; w.keep(); w.next(); }, v.township + (v.code === w.last.village ? ` · ${t('at_door.as_before')}` : ''))));
  };
  fill('');
  const search = h('input', {id: 'search', type: 'search', autocomplete: 'off', 'aria-label': t('at_door.find_village'), placeholder: t('at_door.find_village')});
  search.addEventListener('input', () => fill(search.value.trim()));
  return w.bundle.villages.length > 8 ? [search, list] : [list];
}

let members = 1; // the member being written down, in the step of members
export function begin(draft: Draft): void {
  members = Math.max(1, draft.members.length);
}

function family(w: Walk): Node[] {
  const rest = w.draft.members.slice(1);
  if (members < w.draft.members.length) {
    return [h('p', {class: 'sub'}, t('at_door.member_n', {n: members + 1})), ...person(w, members), h('button', {type: 'button', class: 'wide', onclick: () => {
      if (personMissing(w, members)) return w.next(); // says what is missing
      members = w.draft.members.length;
      w.draft.members.push({name: '', id_number: ''});
      w.keep();
      return w.again();
    }}, t('at_door.one_more')), h('button', {type: 'button', class: 'link', onclick: () => { w.draft.members.splice(members, 1); members = w.draft.members.length; w.keep(); w.again(); }}, t('at_door.drop_member'))];
  }
  return [h('ul', {class: 'people'}, ...rest.map((m, i) => h('li', {}, h('span', {}, `${i + 2} ${m.name}`),
    h('button', {type: 'button', class: 'link', onclick: () => { members = i + 1; w.again(); }}, t('at_door.change'))))),
    h('button', {type: 'button', class: 'wide', onclick: () => { members = w.draft.members.length; w.draft.members.push({name: '', id_number: ''}); w.keep(); w.again(); }}, t('at_door.add_member'))];
}

let asking = 0; // which attempt at a fix is the latest
function place(w: Walk): Node[] {
  const note = h('p', {class: 'note', 'aria-live': 'polite'});
  const point = w.draft.point;
  const said = (): void => {
    const p = w.draft.point;
    note.textContent = !p ? t('at_door.no_point') : p.by === 'village' ? t('at_door.village_point') : t('at_door.point', {metres: Math.round(p.accuracy_m)});
    note.className = p?.by === 'gps' && p.accuracy_m > 200 ? 'note wrong' : 'note right';
  };
  const measure = (): void => {
    const mine = (asking += 1);
    note.textContent = t('at_door.measuring');
    navigator.geolocation?.getCurrentPosition((fix) => {
      if (mine !== asking) return;
      const {longitude: lon, latitude: lat, accuracy} = fix.coords;
      if (check.inside(lon, lat)) w.draft.point = {lon, lat, accuracy_m: Math.min(100_000, accuracy), by: 'gps'};
      w.keep();
      said();
      if (!check.inside(lon, lat)) [note.textContent, note.className] = [t('wrong.outside_box'), 'note wrong'];
    }, () => { if (mine === asking) note.textContent = t('at_door.no_fix'); }, {enableHighAccuracy: true, timeout: 20_000, maximumAge: 60_000});
  };
  const village = w.bundle.villages.find((v) => v.code === w.draft.village);
  if (point) said();
  else measure();
  return [note, h('button', {type: 'button', class: 'wide', onclick: measure}, t('at_door.measure')),
    village?.lon != null && village.lat != null ? h('button', {type: 'button', class: 'wide', onclick: () => {
      asking += 1;
      w.draft.point = {lon: village.lon ?? 0, lat: village.lat ?? 0, accuracy_m: 5000, by: 'village'};
      w.keep();
      w.again();
    }}, t('at_door.use_village')) : document.createTextNode(''),
    typed(w, {id: 'landmark', label: t('at_door.landmark'), value: w.draft.landmark, most: 200, set: (text) => { w.draft.landmark = plain(text); return undefined; }})];
}

function pictures(w: Walk): Node[] {
  const taken = w.draft.photos.filter((p) => p.kind === 'damage').length;
  const note = h('p', {class: 'note', 'aria-live': 'polite'}, t('at_door.photos_taken', {n: taken, wanted: WANTED_PHOTOS}));
  const input = h('input', {type: 'file', id: 'camera', accept: 'image/*', capture: 'environment', class: 'sr'});
  input.addEventListener('change', () => {
    const file = input.files?.[0];
    if (!file) return;
    note.textContent = t('at_door.shrinking');
    shrink(file).then((photo) => w.add(photo, 'damage')).then(w.again, () => { note.textContent = t('wrong.photo_kind'); note.className = 'note wrong'; });
  });
  return [note, h('label', {for: 'camera', class: 'wide button-like'}, t('at_door.take_photo')), input,
    h('ul', {class: 'people'}, ...w.draft.photos.filter((p) => p.kind === 'damage').map((p, i) => h('li', {}, `${t('at_door.photo')} ${i + 1} · ${Math.round(p.size / 1024)} KB`,
      h('button', {type: 'button', class: 'link', onclick: () => void w.drop(p.digest).then(w.again)}, t('at_door.drop')))))];
}

function signature(w: Walk): Node[] {
  const signed = w.draft.photos.find((p) => p.kind === 'signature');
  if (signed) return [h('p', {class: 'note right'}, t('at_door.signed')), h('button', {type: 'button', class: 'wide', onclick: () => void w.drop(signed.digest).then(w.again)}, t('at_door.sign_again'))];
  const sheet = pad();
  return [h('p', {}, t('at_door.sign_here')), sheet.canvas,
    h('button', {type: 'button', class: 'wide strong', onclick: () => { if (sheet.signed()) void sheet.take().then((s) => w.add(s, 'signature')).then(w.next); }}, t('at_door.take_signature')),
    h('button', {type: 'button', class: 'wide', onclick: sheet.clear}, t('at_door.clear')),
    h('button', {type: 'button', class: 'link', onclick: () => { w.draft.unsigned = true; w.keep(); w.next(); }}, t('at_door.cannot_sign'))];
}

function recipient(w: Walk): Node[] {
  const other = w.draft.recipient;
  if (!other) return [h('button', {type: 'button', class: 'link', onclick: () => { w.draft.recipient = {name: '', id_number: '', reason: ''}; w.keep(); w.again(); }}, t('at_door.add_recipient'))];
  return [h('p', {class: 'sub'}, t('at_door.recipient')),
    typed(w, {id: 'r-name', label: t('at_door.name'), value: other.name, set: (text) => { const read = check.name(text); other.name = read.name; return read.wrong; }}),
    typed(w, {id: 'r-number', label: t('at_door.number'), value: other.id_number, most: 24, set: (text) => { const read = check.identity(text, w.today); other.id_number = read.number; return read.wrong; }}),
    typed(w, {id: 'r-reason', label: t('at_door.reason'), value: other.reason, most: 200, set: (text) => { other.reason = plain(text); return undefined; }}),
    h('button', {type: 'button', class: 'link', onclick: () => { delete w.draft.recipient; w.keep(); w.again(); }}, t('at_door.no_recipient'))];
}

const FAMILIES = ['ordinary', 'low_income', 'low_income_margin', 'extreme_hardship', 'disabled', 'orphan', 'lone', 'monitored'];
const circumstances = (w: Walk): string[] => w.asked.questions.filter((q) => q.startsWith('circumstance.')).map((q) => q.slice(13));

export const STEPS: Step[] = [
  {name: 'village', show: villages},
  {name: 'holder', show: (w) => person(w, 0), missing: (w) => personMissing(w, 0)},
  {name: 'members', show: family, missing: (w) => w.draft.members.map((_, i) => personMissing(w, i)).find(Boolean) ?? ''},
  {name: 'phone', missing: (w) => (w.draft.noPhone || (w.draft.phone && !check.phone(w.draft.phone).wrong) ? '' : 'phone_form'), show: (w) => [
    typed(w, {id: 'phone', label: t('at_door.phone'), mode: 'tel', value: w.draft.phone ?? '', focus: true, most: 20, set: (text) => { const read = check.phone(text); w.draft.phone = read.number; w.draft.noPhone = false; return read.wrong; }, hint: () => '✓'}),
    h('button', {type: 'button', class: 'link', onclick: () => { delete w.draft.phone; w.draft.noPhone = true; w.keep(); w.next(); }}, t('at_door.no_phone'))]},
  {name: 'account', missing: (w) => check.account(w.draft.account ?? '').wrong ?? (w.draft.bank ? '' : 'bank'), show: (w) => {
    if (!w.draft.bank && w.last.bank) w.draft.bank = w.last.bank;
    return [typed(w, {id: 'account', label: t('at_door.account'), mode: 'numeric', value: w.draft.account ?? '', focus: true, most: 24, set: (text) => { const read = check.account(text); w.draft.account = read.number; return read.wrong; }, hint: () => '✓'}),
      h('div', {class: 'choices two'}, ...banks().map(([code, name]) => choice(name, code === w.draft.bank, () => { w.draft.bank = code; w.keep(); w.again(); }))), ...recipient(w)];
  }},
  {name: 'family', when: has('family'), show: (w) => one(w, FAMILIES, 'family', w.draft.family, (v) => { w.draft.family = v; })},
  {name: 'rooms', when: has('rooms'), missing: (w) => (damaged(w) && !w.draft.structure ? 'structure' : ''), show: (w) => {
    const rooms = w.draft.rooms;
    return [counter(w, t('at_door.collapsed'), rooms.collapsed, (n) => { rooms.collapsed = n; }, 50), counter(w, t('at_door.severe'), rooms.severe, (n) => { rooms.severe = n; }, 50),
      counter(w, t('at_door.moderate'), rooms.moderate, (n) => { rooms.moderate = n; }, 50), h('p', {class: 'sub'}, t('at_door.structure')),
      h('div', {class: 'choices two'}, ...['steel_concrete', 'brick_concrete', 'brick_wood', 'earth_wood', 'other'].map((s) =>
        choice(t(`structure.${s}`), s === w.draft.structure, () => { w.draft.structure = s; w.keep(); w.again(); })))];
  }},
  {name: 'casualties', when: has('casualties'), missing: () => '', show: (w) => {
    const c = w.draft.casualties;
    return [counter(w, t('at_door.dead'), c.dead, (n) => { c.dead = n; }, 30), counter(w, t('at_door.missing'), c.missing, (n) => { c.missing = n; }, 30),
      counter(w, t('at_door.injured'), c.injured, (n) => { c.injured = n; }, 30), h('p', {class: 'quiet'}, t('at_door.none_go_on'))];
  }},
  {name: 'relocated', when: has('relocated'), show: (w) => one(w, ['none', 'centralised', 'dispersed'], 'relocated', w.draft.relocated, (v) => { w.draft.relocated = v; })},
  {name: 'home', when: (w) => has('only_home')(w) || has('occupied')(w), show: (w) => one(w, ['both', 'second_home', 'empty', 'neither'], 'door_home', undefined, (v) => {
    [w.draft.only_home, w.draft.occupied] = [v === 'both' || v === 'empty', v === 'both' || v === 'second_home'];
  })},
  {name: 'needs', missing: () => '', show: (w) => [some(w, ['food', 'water', 'tent', 'quilt', 'clothes', 'medicine', 'infant', 'wheelchair'], 'need', w.draft.needs),
    ...(circumstances(w).length ? [h('p', {class: 'sub'}, t('at_door.circumstances')), some(w, circumstances(w), 'circumstance', w.draft.circumstances)] : []),
    ...(has('people_in_need')(w) ? [counter(w, t('at_door.people_in_need'), w.draft.people_in_need, (n) => { w.draft.people_in_need = n; }, w.draft.members.length)] : []),
    ...(has('home_county')(w) ? [typed(w, {id: 'home-county', label: t('at_door.home_county'), mode: 'numeric', value: w.draft.home_county ?? '', most: 6, set: (text) => {
      const code = check.narrow(text);
      if (/^[0-9]{6}$/.test(code)) w.draft.home_county = code;
      else delete w.draft.home_county;
      return code && !w.draft.home_county ? 'home_county' : undefined;
    }})] : [])]},
  {name: 'place', show: place, missing: (w) => (w.draft.point ? (w.draft.point.by === 'village' && !w.draft.landmark ? 'landmark' : '') : 'point')},
  {name: 'photos', when: (w) => has('photos')(w) && damaged(w), show: pictures, missing: () => ''},
  {name: 'channel', missing: () => '', show: (w) => [
    h('div', {class: 'choices two'}, ...['visit', 'walk_in', 'found', 'hotline', 'online'].map((c) => choice(t(`channel.${c}`), c === w.draft.channel, () => { w.draft.channel = c; w.keep(); w.again(); }))),
    h('p', {class: 'sub'}, t('at_door.presence')),
    h('div', {class: 'choices two'}, ...['resident', 'tenant', 'traveller'].map((p) => choice(t(`presence.${p}`), p === w.draft.presence, () => { w.draft.presence = p; w.keep(); w.again(); }))),
    typed(w, {id: 'note', label: t('at_door.note'), value: w.draft.note, most: 400, set: (text) => { w.draft.note = plain(text); return undefined; }})]},
  {name: 'signature', show: signature, missing: (w) => (w.draft.unsigned || w.draft.photos.some((p) => p.kind === 'signature') ? '' : 'signature')},
];

/** The household as the server takes it. */
export function household(draft: Draft): Record<string, unknown> & {visit: {photos?: Draft['photos']}} {
  const visit: Record<string, unknown> = {channel: draft.channel, presence: draft.presence, place_by: draft.point?.by ?? 'village', needs: draft.needs, landmark: draft.landmark,
    note: draft.unsigned ? plain(`${draft.note} ${t('at_door.unsigned_note')}`) : draft.note, photos: draft.photos};
  if (draft.structure) visit['structure'] = draft.structure;
  if (draft.recipient) visit['recipient'] = draft.recipient;
  const found: Record<string, unknown> = {
    incident: draft.incident, village: draft.village, lon: draft.point?.lon, lat: draft.point?.lat, accuracy_m: draft.point?.accuracy_m, members: draft.members,
    account: draft.account, bank: draft.bank, captured_at: new Date().toISOString(), family_type: draft.family ?? 'ordinary', ...draft.casualties,
    rooms_collapsed: draft.rooms.collapsed, rooms_severe: draft.rooms.severe, rooms_moderate: draft.rooms.moderate, relocated: draft.relocated ?? 'none',
    only_home: draft.only_home ?? true, occupied: draft.occupied ?? true, circumstances: draft.circumstances, people_in_need: draft.people_in_need,
  };
  if (draft.phone) found['phone'] = draft.phone;
  if (draft.home_county) found['home_county'] = draft.home_county;
  return {...found, visit};
}
