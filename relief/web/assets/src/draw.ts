// A zone is drawn or brought as a file; either way the server tries it first, shows what it understood, and names faults by their place.
import type {GeoJSONSource, Map, Marker} from 'maplibre-gl';
import {type Report, Result} from './checked';
import {bandPaint, ground, load, pin, type Situation, type Texts, textsOf} from './ground';
import {Sketch} from './sketch';

interface Problem { code: string; detail: string; data?: {at?: [number, number]} }

const place = document.querySelector<HTMLElement>('[data-draw]');
const form = document.querySelector<HTMLFormElement>('form[data-check]');

class Desk {
  private pins: Marker[] = [];
  private asked = 0;
  private readonly result: Result;
  private readonly file: HTMLInputElement;
  private readonly repair: HTMLInputElement;

  constructor(private readonly map: Map, private readonly form: HTMLFormElement, private readonly texts: Texts) {
    this.file = form.elements.namedItem('file') as HTMLInputElement;
    this.repair = form.elements.namedItem('repair') as HTMLInputElement;
    this.result = new Result(document.querySelector<HTMLElement>('[data-result]') as HTMLElement, texts, (at) => map.flyTo({center: at, zoom: Math.max(map.getZoom(), 11), duration: 400}));
    map.addSource('tried', {type: 'geojson', data: {type: 'FeatureCollection', features: []}});
    map.addLayer({id: 'tried', type: 'fill', source: 'tried', paint: bandPaint()});
    map.addLayer({id: 'tried-lines', type: 'line', source: 'tried', paint: {'line-color': '#17202b', 'line-width': 1.5}});
    for (const name of ['file', 'datum', 'bands', 'buffer_km']) {
      (form.elements.namedItem(name) as HTMLElement | null)?.addEventListener('change', () => { this.repair.value = ''; void this.check(); });
    }
    this.ready(false);
  }

  /** What was drawn takes the place of a file. */
  drawn(shapes: GeoJSON.FeatureCollection): void {
    const carrier = new DataTransfer();
    if (shapes.features.length) carrier.items.add(new File([JSON.stringify(shapes)], 'drawn.geojson', {type: 'application/geo+json'}));
    this.file.files = carrier.files;
    this.repair.value = '';
    void this.check(false);
  }

  private async check(fit = true): Promise<void> {
    const turn = ++this.asked;
    this.clear();
    if (!this.file.files?.length) return;
    this.result.waiting();
    const [report, problem] = await this.ask(this.repair.value);
    if (turn !== this.asked) return;
    if (report) return this.show(report, fit);
    if (!problem) return this.result.unreachable();
    this.refuse(problem);
    const [mended] = await this.ask('yes');
    if (turn === this.asked && mended?.repairs?.length) this.result.offer(mended.repairs, () => { this.repair.value = 'yes'; void this.check(fit); });
  }

  private async ask(repair: string): Promise<[Report | null, Problem | null]> {
    const given = new FormData(this.form);
    given.set('repair', repair);
    try {
      const answer = await fetch(this.form.dataset['check'] ?? '', {method: 'POST', body: given, headers: {Accept: 'application/json'}});
      const said: unknown = await answer.json();
      return answer.ok ? [said as Report, null] : [null, said as Problem];
    } catch {
      return [null, null];
    }
  }

  private show(report: Report, fit: boolean): void {
    this.result.accept(report);
    (this.map.getSource('tried') as GeoJSONSource).setData(report.shapes);
    for (const warning of [...report.warnings, ...(report.repairs ?? [])]) if (warning.at) this.pins.push(pin(this.map, warning.at, '!', 'wait'));
    if (fit && report.bounds) this.map.fitBounds(report.bounds, {padding: 32, duration: 0});
    this.ready(report.bands.length > 0);
  }

  private refuse(problem: Problem): void {
    const at = problem.data?.at;
    this.result.refuse(problem.code, problem.detail, at);
    if (!at) return;
    this.pins.push(pin(this.map, at, this.texts['fault'] ?? '!', 'bad'));
    this.map.flyTo({center: at, zoom: Math.max(this.map.getZoom(), 9), duration: 0});
  }

  private clear(): void {
    this.pins.forEach((p) => p.remove());
    this.pins = [];
    this.result.clear();
    (this.map.getSource('tried') as GeoJSONSource).setData({type: 'FeatureCollection', features: []});
    this.ready(false);
  }

  private ready(yes: boolean): void {
    for (const button of this.form.querySelectorAll<HTMLButtonElement>('button')) button.disabled = !yes;
  }
}

async function open(element: HTMLElement, sheet: HTMLFormElement): Promise<void> {
  const now = await load<Situation>(element.dataset['draw'] ?? '');
  const map = await ground(element, now);
  const desk = new Desk(map, sheet, textsOf(element));
  new Sketch(map, element.parentElement as HTMLElement, (shapes) => desk.drawn(shapes));
  await map.once('idle');
  element.dataset['ready'] = 'yes';
}

if (place && form) open(place, form).catch(() => { place.dataset['ready'] = 'failed'; place.textContent = place.dataset['failed'] ?? ''; });
