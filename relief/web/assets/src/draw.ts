// A zone is drawn or brought as a file; either way the server tries it first, shows what it understood, and names faults by their place.
import type {GeoJSONSource, Map, Marker} from 'maplibre-gl';
import {type Report, Result} from './checked';
import {bandPaint, type Bounds, ground, load, pin, type Situation, type Texts, textsOf, token} from './ground';
import {Sketch} from './sketch';

interface Problem { code: string; detail: string; data?: {at?: [number, number]; shape?: GeoJSON.Geometry} }

const NOTHING: GeoJSON.FeatureCollection = {type: 'FeatureCollection', features: []};

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
    map.addSource('tried', {type: 'geojson', data: NOTHING});
    map.addSource('refused', {type: 'geojson', data: NOTHING});
    map.addLayer({id: 'tried', type: 'fill', source: 'tried', paint: bandPaint()});
    map.addLayer({id: 'tried-lines', type: 'line', source: 'tried', paint: {'line-color': '#17202b', 'line-width': 1.5}});
    map.addLayer({id: 'refused', type: 'fill', source: 'refused', filter: ['==', ['geometry-type'], 'Polygon'], paint: {'fill-color': token('--bad'), 'fill-opacity': 0.25}});
    map.addLayer({id: 'refused-lines', type: 'line', source: 'refused', filter: ['==', ['geometry-type'], 'LineString'], paint: {'line-color': token('--bad'), 'line-width': 2, 'line-dasharray': [2, 1]}});
    for (const name of ['file', 'datum', 'bands', 'attribute', 'crs', 'layer', 'buffer_km']) {
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
    const shape = problem.data?.shape;
    const at = problem.data?.at && onEarth(problem.data.at) ? problem.data.at : undefined;
    this.result.refuse(problem.code, problem.detail, at);
    if (at) this.pins.push(pin(this.map, at, this.texts['fault'] ?? '!', 'bad'));
    const bounds = shape && boundsOf(shape);
    if (shape && bounds) {
      (this.map.getSource('refused') as GeoJSONSource).setData({type: 'FeatureCollection', features: [shape, outline(shape)].map((geometry) => ({type: 'Feature', properties: {}, geometry}))});
      this.map.fitBounds(bounds, {padding: 48, maxZoom: 12, duration: 0});
    } else if (at) this.map.flyTo({center: at, zoom: Math.max(this.map.getZoom(), 9), duration: 0});
  }

  private clear(): void {
    this.pins.forEach((p) => p.remove());
    this.pins = [];
    this.result.clear();
    for (const name of ['tried', 'refused']) (this.map.getSource(name) as GeoJSONSource).setData(NOTHING);
    this.ready(false);
  }

  private ready(yes: boolean): void {
    for (const button of this.form.querySelectorAll<HTMLButtonElement>('button')) button.disabled = !yes;
  }
}

function onEarth([lon, lat]: GeoJSON.Position): boolean {
  return Math.abs(lon ?? 999) <= 180 && Math.abs(lat ?? 999) <= 85;
}

/** The rings as lines: a ring whose wings cancel each other out has no area, and as an area it would not be drawn. */
function outline(shape: GeoJSON.Geometry): GeoJSON.Geometry {
  if (shape.type === 'Polygon') return {type: 'MultiLineString', coordinates: shape.coordinates};
  return shape.type === 'MultiPolygon' ? {type: 'MultiLineString', coordinates: shape.coordinates.flat()} : shape;
}

/** Where a shape lies; nothing where its coordinates are no degrees. */
function boundsOf(shape: GeoJSON.Geometry): Bounds | null {
  const depth = {LineString: 0, Polygon: 1, MultiPolygon: 2}[shape.type as string];
  if (depth === undefined || !('coordinates' in shape)) return null;
  const points = (shape.coordinates as unknown[]).flat(depth) as GeoJSON.Position[];
  if (!points.length || !points.every(onEarth)) return null;
  const box: Bounds = [180, 90, -180, -90];
  for (const [lon = 0, lat = 0] of points) {
    [box[0], box[1], box[2], box[3]] = [Math.min(box[0], lon), Math.min(box[1], lat), Math.max(box[2], lon), Math.max(box[3], lat)];
  }
  return box;
}

async function open(element: HTMLElement, sheet: HTMLFormElement): Promise<void> {
  const now = await load<Situation>(element.dataset['draw'] ?? '');
  const map = await ground(element, now);
  const desk = new Desk(map, sheet, textsOf(element));
  new Sketch(map, element.parentElement as HTMLElement, now.bands, (shapes) => desk.drawn(shapes));
  await map.once('idle');
  element.dataset['ready'] = 'yes';
}

if (place && form) open(place, form).catch(() => { place.dataset['ready'] = 'failed'; place.textContent = place.dataset['failed'] ?? ''; });
