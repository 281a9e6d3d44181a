// The checks of numbers, as the server makes them: said on the spot, decided there.
const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECK = '10X98765432';
const LETTERS = '23456789ABCDEFGHJKMNPQRSTVWXYZ';

/** Full width to half width, spaces and dashes out. */
export function narrow(text: string): string {
  return text.normalize('NFKC').replace(/[\s\-\u2010-\u2015]/g, '').toUpperCase();
}

/** Control characters and marks that turn the writing are taken out: the server refuses them. */
export function plain(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u202a-\u202e\u2066-\u2069]/g, '').trim();
}

function digit(first17: string): string {
  const sum = WEIGHTS.reduce((total, weight, i) => total + weight * parseInt(first17[i] ?? '0', 36), 0);
  return CHECK[sum % 11] ?? '';
}

/** A random UUID; Chrome 90 has no crypto.randomUUID. */
export function newId(): string {
  const b = crypto.getRandomValues(new Uint8Array(16));
  b[6] = ((b[6] ?? 0) & 0x0f) | 0x40;
  b[8] = ((b[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(b, (x) => x.toString(16).padStart(2, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

export interface Read { number: string; wrong?: string; paper?: 'resident' | 'hmt' | 'foreign' | 'temporary'; birth?: string; male?: boolean }

/** An identity number: its one form, or the key of the sentence that says what is wrong. `today` is the day as far as the server knows it. */
export function identity(text: string, today: Date): Read {
  const number = narrow(text);
  if (/^[A-Z]{3}[0-9]{12}$/.test(number)) return {number, wrong: 'id_old_permit'};
  if (/^[0-9]{15}$/.test(number)) return {number, wrong: 'id_15'};
  const temporary = /^T[0-9A-Z]{5}[0-9]{11}[0-9X]$/.test(number);
  if (!temporary && !/^[0-9]{17}[0-9X]$/.test(number)) return {number, wrong: 'id_form'};
  if (digit(number.slice(0, 17)) !== number[17]) return {number, wrong: 'id_checksum'};
  const birth = `${number.slice(6, 10)}-${number.slice(10, 12)}-${number.slice(12, 14)}`;
  const born = new Date(`${birth}T00:00:00Z`);
  const real = !Number.isNaN(born.getTime()) && born.toISOString().slice(0, 10) === birth;
  if (!real || born > today || today.getUTCFullYear() - born.getUTCFullYear() > 125) return {number, wrong: 'id_birth'};
  const paper = temporary ? 'temporary' : /^8[123]0000/.test(number) ? 'hmt' : number.startsWith('9') ? 'foreign' : 'resident';
  return {number, paper, birth, male: parseInt(number[16] ?? '0', 36) % 2 === 1};
}

/** A number for a person without papers: random but for the birth date. */
export function temporary(birth: string): string {
  const random = crypto.getRandomValues(new Uint8Array(8));
  const letters = Array.from(random.slice(0, 5), (b) => LETTERS[b % LETTERS.length]).join('');
  const body = `T${letters}${birth.replace(/-/g, '')}${Array.from(random.slice(5), (b) => b % 10).join('')}`;
  return body + digit(body);
}

/** A card account: 16 to 19 digits beginning with 62, Luhn. */
export function account(text: string): {number: string; wrong?: string} {
  const number = narrow(text);
  if (!/^62[0-9]{14,17}$/.test(number)) return {number, wrong: 'account_form'};
  const sum = [...number].reverse().reduce((total, c, i) => {
    const value = Number(c) * (i % 2 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0 ? {number} : {number, wrong: 'account_checksum'};
}

/** A phone number in its one form. */
export function phone(text: string): {number: string; wrong?: string} {
  const number = narrow(text).replace(/^00/, '+');
  const bare = number.replace(/^\+86/, '');
  if (/^1[3-9][0-9]{9}$/.test(bare)) return {number: `+86${bare}`};
  return number.startsWith('+86') || !/^\+[1-9][0-9]{6,14}$/.test(number) ? {number, wrong: 'phone_form'} : {number};
}

/** A name: two to fifty letters, dots of minority names in one form. */
export function name(text: string): {name: string; wrong?: string} {
  const found = plain(text).normalize('NFC').replace(/[・•‧∙．]/g, '·');
  return /^[\p{L}\p{M}·\s'’-]{2,50}$/u.test(found) ? {name: found} : {name: found, wrong: 'name_form'};
}

/** Far outside the province: swapped, or a place that cannot be. */
export function inside(lon: number, lat: number): boolean {
  return lon >= 97 && lon <= 109 && lat >= 26 && lat <= 35;
}
