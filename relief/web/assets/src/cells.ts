// Registered households, counted by the server in squares whose size follows the zoom; a square opens its figures.
import {type Map, Popup, type VectorTileSource} from 'maplibre-gl';
import {type Situation, type Texts, token} from './ground';

const EVERY_MS = 15_000;

export function cells(map: Map, now: Situation, texts: Texts): void {
  const address = (): string[] => [`${location.origin}${now.cells}?at=${Math.floor(Date.now() / EVERY_MS)}`];
  map.addSource('cells', {type: 'vector', tiles: address(), minzoom: 4, maxzoom: now.deepest});
  const main = token('--main');
  map.addLayer({
    id: 'cells', type: 'fill', source: 'cells', 'source-layer': 'cells',
    paint: {'fill-color': main, 'fill-opacity': ['interpolate', ['linear'], ['ln', ['get', 'households']], 1.6, 0.28, 7, 0.85]},
  });
  map.addLayer({id: 'cell-lines', type: 'line', source: 'cells', 'source-layer': 'cells', filter: ['!', ['get', 'synthetic']], paint: {'line-color': '#ffffff', 'line-width': 1}});
  map.addLayer({
    id: 'cell-made-up', type: 'line', source: 'cells', 'source-layer': 'cells', filter: ['get', 'synthetic'],
    paint: {'line-color': main, 'line-width': 1.5, 'line-dasharray': [2, 1.5]},
  });
  map.on('click', 'cells', (event) => {
    const found = event.features?.[0]?.properties;
    if (!found || map.getContainer().dataset['busy']) return;
    const text = (texts['count'] ?? '{households} / {people}').replace('{households}', Number(found['households']).toLocaleString('zh-CN'))
      .replace('{people}', Number(found['people']).toLocaleString('zh-CN')) + (found['synthetic'] ? ` ${texts['synthetic'] ?? ''}` : '');
    new Popup({closeButton: false}).setLngLat(event.lngLat).setText(text).addTo(map);
  });
  setInterval(() => { if (!document.hidden) map.getSource<VectorTileSource>('cells')?.setTiles(address()); }, EVERY_MS);
}
