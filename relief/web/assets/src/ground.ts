// The ground every map stands on: county borders, names as HTML (Chinese needs no glyph server that way), bands, and what was measured.
// Nothing comes from elsewhere, unless the settings name a background.
import {country, type Country} from './country';
import {type LngLatBoundsLike, Map, Marker, NavigationControl, ScaleControl, setWorkerUrl} from 'maplibre-gl';

export type Bounds = [number, number, number, number];
export type Texts = Record<string, string>;

export interface Situation {
  bounds: Bounds;
  bands: GeoJSON.FeatureCollection;
  old: GeoJSON.FeatureCollection;
  places: GeoJSON.FeatureCollection<GeoJSON.Point>;
  cells: string;
  deepest: number;
  tiles: string | null;
  credit: string;
}

/** From here on county and township names are shown. */
const COUNTIES_FROM = 6;
const TOWNSHIPS_FROM = 9.5;

setWorkerUrl('/assets/maplibre-gl-worker.mjs');

export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

export async function load<T>(url: string): Promise<T> {
  const answer = await fetch(url, {headers: {Accept: 'application/json'}});
  if (!answer.ok) throw new Error(String(answer.status));
  return (await answer.json()) as T;
}

export function textsOf(element: HTMLElement): Texts {
  return JSON.parse(element.dataset['texts'] ?? '{}') as Texts;
}

function label(map: Map, text: string, at: [number, number], kind: string): Marker {
  const element = document.createElement('span');
  element.className = `place ${kind}`;
  element.textContent = text;
  return new Marker({element}).setLngLat(at).addTo(map);
}

export function bandPaint(): {'fill-color': never; 'fill-opacity': number} {
  return {
    'fill-color': ['step', ['coalesce', ['get', 'level'], 6], token('--band-6'), 7, token('--band-7'), 8, token('--band-8'), 9, token('--band-9')] as never,
    'fill-opacity': 0.62,
  };
}

/** A map with borders and names; bands, cells and drawings are laid on it by whoever asked. */
export async function ground(element: HTMLElement, now: Situation): Promise<Map> {
  const ours = country(await load<Parameters<typeof country>[0]>('/assets/china_map.json'));
  const texts = textsOf(element);
  const map = new Map({
    container: element, style: {version: 8, sources: {}, layers: [{id: 'ground', type: 'background', paint: {'background-color': '#e3e8ee'}}]},
    bounds: now.bounds as LngLatBoundsLike, fitBoundsOptions: {padding: 24}, attributionControl: now.credit ? {compact: false, customAttribution: now.credit} : false,
    dragRotate: false, pitchWithRotate: false, canvasContextAttributes: {preserveDrawingBuffer: true}, // kept for printing
    locale: {'NavigationControl.ZoomIn': texts['in'] ?? '+', 'NavigationControl.ZoomOut': texts['out'] ?? '−'},
  });
  map.touchZoomRotate.disableRotation();
  map.addControl(new NavigationControl({showCompass: false}));
  map.addControl(new ScaleControl({unit: 'metric'}));
  await map.once('load');
  for (const part of ['land', 'borders', 'dashes'] as const) map.addSource(part, {type: 'geojson', data: ours[part]});
  if (now.tiles) {
    map.addSource('background', {type: 'raster', tiles: [now.tiles], tileSize: 256});
    map.addLayer({id: 'background', type: 'raster', source: 'background'});
  } else {
    map.addLayer({id: 'land', type: 'fill', source: 'land', paint: {'fill-color': '#f7f8f9'}});
  }
  map.addSource('bands', {type: 'geojson', data: now.bands});
  map.addSource('old', {type: 'geojson', data: now.old});
  map.addLayer({id: 'bands', type: 'fill', source: 'bands', paint: bandPaint()});
  map.addLayer({id: 'band-lines', type: 'line', source: 'bands', paint: {'line-color': '#6b3a1e', 'line-width': 1, 'line-opacity': 0.55}});
  map.addLayer({id: 'borders', type: 'line', source: 'borders', paint: {'line-color': '#8b96a5', 'line-width': ['interpolate', ['linear'], ['zoom'], 5, 0.4, 10, 1.4]}});
  map.addLayer({id: 'dashes', type: 'line', source: 'dashes', paint: {'line-color': '#8b96a5', 'line-width': 1.4}});
  map.addLayer({id: 'old', type: 'line', source: 'old', paint: {'line-color': '#17202b', 'line-width': 1.6, 'line-dasharray': [3, 2]}});
  const inside = new Set((element.dataset['counties'] ?? '').split(' '));
  names(map, ours, inside);
  townships(map, now.places);
  return map;
}

/** County names where the map is near enough for them; those the zone touches stand out. */
function names(map: Map, ours: Country, inside: Set<string>): void {
  const shown = new globalThis.Map<string, Marker>();
  const show = (): void => {
    const near = map.getZoom() >= COUNTIES_FROM ? map.getBounds() : null;
    for (const {code, name, at} of ours.names) {
      const wanted = near?.contains(at) ?? false;
      if (wanted && !shown.has(code)) shown.set(code, label(map, name, at, inside.has(code) ? 'inside' : ''));
      if (!wanted && shown.has(code)) { shown.get(code)?.remove(); shown.delete(code); }
    }
  };
  map.on('moveend', show);
  show();
}

/** Township names where one is near enough to read them; a made-up place carries a hollow dot. */
function townships(map: Map, places: Situation['places']): void {
  const shown = new globalThis.Map<number, Marker>();
  const show = (): void => {
    const near = map.getZoom() >= TOWNSHIPS_FROM ? map.getBounds() : null;
    places.features.forEach((place, n) => {
      const at = place.geometry.coordinates as [number, number];
      const wanted = near?.contains(at) ?? false;
      if (wanted && !shown.has(n)) shown.set(n, label(map, String(place.properties?.['name'] ?? ''), at, place.properties?.['synthetic'] ? 'township made-up' : 'township'));
      if (!wanted && shown.has(n)) { shown.get(n)?.remove(); shown.delete(n); }
    });
  };
  map.on('moveend', show);
  show();
}

/** What a refused or warned file is wrong about, pinned to its place. */
export function pin(map: Map, at: [number, number], text: string, kind: 'bad' | 'wait'): Marker {
  const element = document.createElement('span');
  element.className = `pin ${kind}`;
  element.textContent = text;
  element.title = `${at[0].toFixed(5)}, ${at[1].toFixed(5)}`;
  return new Marker({element, anchor: 'bottom'}).setLngLat(at).addTo(map);
}
