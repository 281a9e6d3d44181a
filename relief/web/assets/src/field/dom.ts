// Elements, and words in two languages from the catalogue the server gave.
type Child = Node | string | null | undefined | false;
type Attributes = Record<string, string | number | boolean | ((event: Event) => void) | undefined>;

export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== undefined && value !== false) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((c): c is Node | string => c !== null && c !== undefined && c !== false));
  return element;
}

export interface Catalogue { texts: Record<string, [string, string]>; banks: [string, string][] }
let catalogue: Catalogue = {texts: {}, banks: []};
let at = localStorage.getItem('relief-field-lang') === 'en' ? 1 : 0;

export async function loadWords(): Promise<void> {
  catalogue = (await (await fetch('/field/texts.json')).json()) as Catalogue;
  document.documentElement.lang = at ? 'en' : 'zh-CN';
}

export function otherLanguage(): void {
  at = 1 - at;
  localStorage.setItem('relief-field-lang', at ? 'en' : 'zh');
  document.documentElement.lang = at ? 'en' : 'zh-CN';
}

export function t(key: string, values: Record<string, string | number> = {}): string {
  const text = catalogue.texts[key]?.[at as 0 | 1] ?? key;
  return text.replace(/{(\w+)}/g, (_, name: string) => String(values[name] ?? ''));
}

/** Half of a sentence of the server's, '中文 · English'. */
export function say(sentence: string): string {
  const halves = sentence.split(' · ');
  return halves[Math.min(at, halves.length - 1)] ?? sentence;
}

export function banks(): [string, string][] {
  return catalogue.banks;
}

export function has(key: string): boolean {
  return key in catalogue.texts;
}

export function yuan(fen: number): string {
  return (fen / 100).toLocaleString('en-US', {minimumFractionDigits: 2});
}
