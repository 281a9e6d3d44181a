// The situation on a map: counties, bands of the zone, households counted in cells. No tiles, no glyphs, nothing from elsewhere.
import {type GeoJSONSource, type LngLatBoundsLike, Map, Marker, NavigationControl, ScaleControl, setWorkerUrl} from 'maplibre-gl';

interface Situation {
  bounds: [number, number, number, number];
  bands: GeoJSON.FeatureCollection;
  old: GeoJSON.FeatureCollection;
  cells: GeoJSON.FeatureCollection;
}

setWorkerUrl('/assets/maplibre-gl-worker.mjs');
const place = document.querySelector<HTMLElement>('[data-map]');

function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Labels are HTML: Chinese needs no glyph server that way. */
function label(map: Map, text: string, at: [number, number], inside: boolean): void {
  const element = document.createElement('span');
  element.className = inside ? 'place inside' : 'place';
  element.textContent = text;
  new Marker({element}).setLngLat(at).addTo(map);
}

function middle(geometry: GeoJSON.Geometry): [number, number] {
  const rings = geometry.type === 'Polygon' ? [geometry.coordinates[0]] : geometry.type === 'MultiPolygon' ? geometry.coordinates.map((p) => p[0]) : [];
  const longest = rings.reduce<GeoJSON.Position[]>((best, ring) => (ring && ring.length > best.length ? ring : best), []);
  const west = Math.min(...longest.map((p) => p[0] ?? 0)), east = Math.max(...longest.map((p) => p[0] ?? 0));
  const south = Math.min(...longest.map((p) => p[1] ?? 0)), north = Math.max(...longest.map((p) => p[1] ?? 0));
  return [(west + east) / 2, (south + north) / 2];
}

async function load<T>(url: string): Promise<T> {
  const answer = await fetch(url, {headers: {Accept: 'application/json'}});
  if (!answer.ok) throw new Error(String(answer.status));
  return (await answer.json()) as T;
}

function layers(map: Map, counties: GeoJSON.FeatureCollection, now: Situation): void {
  map.addSource('counties', {type: 'geojson', data: counties});
  map.addSource('bands', {type: 'geojson', data: now.bands});
  map.addSource('old', {type: 'geojson', data: now.old});
  map.addSource('cells', {type: 'geojson', data: now.cells});
  map.addLayer({id: 'land', type: 'fill', source: 'counties', paint: {'fill-color': '#f7f8f9'}});
  map.addLayer({
    id: 'bands', type: 'fill', source: 'bands',
    paint: {
      'fill-color': ['step', ['get', 'level'], token('--band-6'), 7, token('--band-7'), 8, token('--band-8'), 9, token('--band-9')],
      'fill-opacity': 0.62,
    },
  });
  map.addLayer({id: 'band-lines', type: 'line', source: 'bands', paint: {'line-color': '#6b3a1e', 'line-width': 1, 'line-opacity': 0.55}});
  map.addLayer({id: 'old', type: 'line', source: 'old', paint: {'line-color': '#17202b', 'line-width': 1.6, 'line-dasharray': [3, 2]}});
  map.addLayer({id: 'borders', type: 'line', source: 'counties', paint: {'line-color': '#8b96a5', 'line-width': ['interpolate', ['linear'], ['zoom'], 5, 0.4, 10, 1.4]}});
  map.addLayer({
    id: 'cells', type: 'circle', source: 'cells',
    paint: {
      'circle-radius': ['interpolate', ['linear'], ['sqrt', ['get', 'households']], 2, 4, 30, 22],
      'circle-color': ['case', ['get', 'synthetic'], '#ffffff', token('--main')],
      'circle-opacity': ['case', ['get', 'synthetic'], 0.55, 0.7],
      'circle-stroke-color': token('--main'), 'circle-stroke-width': 1.5,
    },
  });
}

async function draw(element: HTMLElement): Promise<void> {
  const url = element.dataset['map'] ?? '';
  const [counties, now] = await Promise.all([load<GeoJSON.FeatureCollection>('/assets/counties_map.geojson'), load<Situation>(url)]);
  const map = new Map({
    container: element, style: {version: 8, sources: {}, layers: [{id: 'ground', type: 'background', paint: {'background-color': '#e3e8ee'}}]},
    bounds: now.bounds as LngLatBoundsLike, fitBoundsOptions: {padding: 24}, attributionControl: false, dragRotate: false, pitchWithRotate: false,
  });
  map.touchZoomRotate.disableRotation();
  map.addControl(new NavigationControl({showCompass: false}));
  map.addControl(new ScaleControl());
  await map.once('load');
  layers(map, counties, now);
  const inside = new Set((element.dataset['counties'] ?? '').split(' '));
  const [west, south, east, north] = now.bounds;
  for (const county of counties.features) {
    const at = middle(county.geometry);
    const near = at[0] > west - 0.6 && at[0] < east + 0.6 && at[1] > south - 0.6 && at[1] < north + 0.6;
    if (near) label(map, String(county.properties?.['name'] ?? ''), at, inside.has(String(county.properties?.['code'])));
  }
  await map.once('idle');
  element.dataset['ready'] = 'yes';
  setInterval(() => {
    if (document.hidden) return;
    load<Situation>(url).then((fresh) => (map.getSource('cells') as GeoJSONSource).setData(fresh.cells)).catch(() => undefined);
  }, 10_000);
}

if (place) draw(place).catch(() => { place.dataset['ready'] = 'failed'; place.textContent = place.dataset['failed'] ?? ''; });
