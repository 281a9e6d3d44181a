// Measuring on the map: a line has a length, a polygon an area, both on the sphere of the earth's mean (authalic) radius.
import type {Map} from 'maplibre-gl';
import {TerraDraw, TerraDrawLineStringMode, TerraDrawPolygonMode} from 'terra-draw';
import {TerraDrawMapLibreGLAdapter} from 'terra-draw-maplibre-gl-adapter';
import {areaKm2, lengthKm} from './sphere';

export type Kind = 'linestring' | 'polygon';

export class Measure {
  private readonly draw: TerraDraw;

  constructor(private readonly map: Map, private readonly say: (text: string) => void) {
    this.draw = new TerraDraw({
      adapter: new TerraDrawMapLibreGLAdapter({map, prefixId: 'measure'}),
      modes: [new TerraDrawLineStringMode({styles: {lineStringColor: '#6a3d9a', lineStringWidth: 3}}), new TerraDrawPolygonMode({styles: {fillColor: '#6a3d9a', fillOpacity: 0.15, outlineColor: '#6a3d9a', outlineWidth: 3}})],
    });
    this.draw.start();
    this.draw.on('change', () => this.tell());
  }

  start(kind: Kind): void {
    this.draw.clear();
    this.draw.setMode(kind);
    this.map.getContainer().dataset['busy'] = 'yes';
  }

  stop(): void {
    this.draw.clear();
    this.draw.setMode('static');
    delete this.map.getContainer().dataset['busy'];
    this.say('');
  }

  private tell(): void {
    const last = this.draw.getSnapshot().filter((f) => f.geometry.type !== 'Point').at(-1)?.geometry;
    if (last?.type === 'LineString') this.say(kilometres(lengthKm(last.coordinates)));
    if (last?.type === 'Polygon') this.say(`${figure(areaKm2(last.coordinates))} km² · ${kilometres(lengthKm(last.coordinates[0] ?? []))}`);
  }
}

function figure(n: number): string {
  return n.toLocaleString('zh-CN', {maximumFractionDigits: n < 10 ? 2 : n < 1000 ? 1 : 0});
}

function kilometres(n: number): string {
  return n < 1 ? `${Math.round(n * 1000)} m` : `${figure(n)} km`;
}
