// What the server says of a zone before it is kept: bands and counties, warnings and faults that lead to their place, an offered repair.
import type {Bounds, Texts} from './ground';

type At = [number, number];
interface Said { code: string; message: string; at: At | null }
export interface Mended extends Said { area_before_km2: number; area_after_km2: number }
export interface Report {
  format: string; crs: string; area_km2: number; bounds: Bounds | null; shapes: GeoJSON.FeatureCollection; warnings: Said[]; repairs?: Mended[];
  bands: {name: string; level: number; area_km2: number; counties: {code: string; name: string; share: number}[]}[];
}

export class Result {
  constructor(private readonly place: HTMLElement, private readonly texts: Texts, private readonly go: (at: At) => void) {}

  clear(): void { this.place.replaceChildren(); }
  waiting(): void { this.place.replaceChildren(notice('move', this.text('checking'))); }
  unreachable(): void { this.place.replaceChildren(notice('bad', this.text('unreachable'))); }

  refuse(code: string, sentence: string, at: At | undefined): void {
    const box = notice('bad', this.half(sentence));
    box.append(element('span', 'mono small', code));
    if (at) box.append(this.leading(at));
    this.place.replaceChildren(box);
  }

  offer(repairs: Mended[], accept: () => void): void {
    const box = notice('wait', this.text('repair'));
    box.append(...repairs.map((r) => this.mended(r)));
    const button = element('button', 'button', this.text('repair_accept')) as HTMLButtonElement;
    button.type = 'button';
    button.dataset['repair'] = 'accept';
    button.addEventListener('click', accept);
    box.append(button);
    this.place.append(box);
  }

  accept(report: Report): void {
    const head = notice('done', `${report.format} · ${report.crs} · ${figure(report.area_km2)} km²`);
    const table = element('table', 'table');
    const body = element('tbody');
    for (const band of report.bands) {
      const row = element('tr');
      row.append(element('td', '', band.name), element('td', 'num', `${figure(band.area_km2)} km²`), element('td', 'small', band.counties.map((c) => `${c.name} ${(c.share * 100).toFixed(1)}%`).join('、')));
      body.append(row);
    }
    table.append(body);
    const told = [...report.warnings.map((w) => this.line(w)), ...(report.repairs ?? []).map((r) => this.mended(r))];
    this.place.replaceChildren(head, table, ...told);
  }

  private line(said: Said): HTMLElement {
    const box = notice('wait', this.half(said.message));
    if (said.at) box.append(this.leading(said.at));
    return box;
  }

  private mended(repair: Mended): HTMLElement {
    const text = `${this.half(repair.message)} ${this.text('before')} ${figure(repair.area_before_km2)} km² → ${this.text('after')} ${figure(repair.area_after_km2)} km²`;
    const line = element('span', 'small', text);
    if (repair.at) line.append(' ', this.leading(repair.at));
    return line;
  }

  private leading(at: At): HTMLElement {
    const button = element('button', 'button plain', `${this.text('where')} ${at[0].toFixed(4)}, ${at[1].toFixed(4)}`) as HTMLButtonElement;
    button.type = 'button';
    button.addEventListener('click', () => this.go(at));
    return button;
  }

  private text(key: string): string { return this.texts[key] ?? key; }

  private half(sentence: string): string {
    const [zh, en] = sentence.split(' · ');
    return (this.text('lang') === 'en' ? en : zh) ?? sentence;
  }
}

function element(name: string, kind = '', text = ''): HTMLElement {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  made.textContent = text;
  return made;
}

function notice(tone: string, text: string): HTMLElement {
  const box = element('div', `notice ${tone}`);
  box.setAttribute('role', tone === 'bad' ? 'alert' : 'status');
  box.append(element('span', '', text));
  return box;
}

function figure(n: number): string {
  return n.toLocaleString('zh-CN', {maximumFractionDigits: n < 100 ? 2 : 0});
}
