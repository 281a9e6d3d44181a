// Drawing: polygons and circles of a level, pieces cut out of them, edited and undone until they are right.
import type {Map} from 'maplibre-gl';
import {difference} from 'polyclip-ts';
import {TerraDraw, TerraDrawCircleMode, TerraDrawModeUndoRedo, TerraDrawPolygonMode, TerraDrawSelectMode, TerraDrawSessionUndoRedo, TerraDrawUndoRedoKeyboardShortcuts} from 'terra-draw';
import {TerraDrawMapLibreGLAdapter} from 'terra-draw-maplibre-gl-adapter';
import {token} from './ground';

type Shape = GeoJSON.Feature<GeoJSON.Polygon | GeoJSON.MultiPolygon>;
type Ring = [number, number][];

const SETTLED_MS = 350;

export class Sketch {
  private readonly draw: TerraDraw;
  private readonly levels = new globalThis.Map<string, string>();
  private level: string;
  private told = '[]';
  private timer = 0;

  constructor(map: Map, around: HTMLElement, private readonly force: GeoJSON.FeatureCollection, private readonly done: (shapes: GeoJSON.FeatureCollection) => void) {
    const choice = around.querySelector<HTMLSelectElement>('[data-level]');
    this.level = choice?.value ?? '';
    const flags = {feature: {draggable: true, coordinates: {midpoints: true, draggable: true, deletable: true}}};
    const fillColor = ((feature: {id?: string | number}) => this.colour(feature.id)) as never;
    const styles = {fillColor, fillOpacity: 0.45, outlineColor: '#17202b' as const, outlineWidth: 2};
    this.draw = new TerraDraw({
      adapter: new TerraDrawMapLibreGLAdapter({map, prefixId: 'sketch'}),
      modes: [
        new TerraDrawPolygonMode({styles}),
        new TerraDrawCircleMode({styles}),
        new TerraDrawPolygonMode({modeName: 'cut', styles: {fillColor: '#ffffff', fillOpacity: 0.75, outlineColor: '#a5231b', outlineWidth: 2}}),
        new TerraDrawSelectMode({flags: {polygon: flags, cut: flags, circle: {feature: {draggable: true, coordinates: {resizable: 'center-fixed'}}}}}),
      ],
      undoRedo: {modeLevel: new TerraDrawModeUndoRedo(), sessionLevel: new TerraDrawSessionUndoRedo(), keyboardShortcuts: new TerraDrawUndoRedoKeyboardShortcuts()},
    });
    this.draw.start();
    this.draw.on('finish', (id) => { if (!this.levels.has(String(id))) this.levels.set(String(id), this.level); this.settle(); });
    this.draw.on('change', (_, type) => { if (type !== 'styling') this.settle(); });
    choice?.addEventListener('change', () => { this.level = choice.value; });
    this.buttons(around);
  }

  private buttons(around: HTMLElement): void {
    const modes = [...around.querySelectorAll<HTMLButtonElement>('[data-mode]')];
    for (const button of modes) {
      button.addEventListener('click', () => {
        const leave = button.getAttribute('aria-pressed') === 'true';
        this.draw.setMode(leave ? 'static' : (button.dataset['mode'] ?? 'static'));
        modes.forEach((b) => b.setAttribute('aria-pressed', String(b === button && !leave)));
      });
    }
    const acts: Record<string, () => void> = {undo: () => this.draw.undo(), redo: () => this.draw.redo(), clear: () => this.draw.clear(), force: () => this.begin()};
    for (const button of around.querySelectorAll<HTMLButtonElement>('[data-act]')) {
      button.addEventListener('click', () => { acts[button.dataset['act'] ?? '']?.(); this.settle(); });
    }
  }

  /** Begin with the version in force: each band as its outline, the more severe on top of it; a hole that no band fills is a piece cut out. */
  private begin(): void {
    this.draw.clear();
    const bands = this.force.features.map((f) => ({level: String(f.properties?.['level'] ?? ''), own: parts(f.geometry)}));
    const every = bands.flatMap((b) => b.own);
    const drawn = bands.flatMap(({level, own}) => own.flatMap(([outline, ...holes]) => [
      ...(outline ? [{ring: outline, mode: 'polygon', level}] : []),
      ...holes.flatMap((hole) => difference([hole], ...every)).flatMap(([left]) => (left ? [{ring: left as Ring, mode: 'cut', level: ''}] : [])),
    ]));
    const kept = this.draw.addFeatures(drawn.map(({ring, mode}) => ({type: 'Feature', properties: {mode}, geometry: {type: 'Polygon', coordinates: [ring]}})));
    kept.forEach(({id}, n) => this.levels.set(String(id), drawn[n]?.level ?? ''));
    this.settle();
  }

  private colour(id: string | number | undefined): string {
    const level = Number(this.levels.get(String(id)) ?? this.level);
    return token(`--band-${Math.min(9, Math.max(6, level || 6))}`);
  }

  /** Tell what is drawn once the hand rests and no shape is half drawn. */
  private settle(): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      if (this.draw.getModeState() === 'drawing') return;
      const shapes = this.shapes();
      const text = JSON.stringify(shapes);
      if (text === this.told) return;
      this.told = text;
      this.done({type: 'FeatureCollection', features: shapes});
    }, SETTLED_MS);
  }

  private shapes(): Shape[] {
    const drawn = this.draw.getSnapshot().filter((f) => f.geometry.type === 'Polygon');
    const rings = (f: (typeof drawn)[number]): Ring[] => f.geometry.coordinates as Ring[];
    const cuts = drawn.filter((f) => f.properties['mode'] === 'cut').map(rings);
    return drawn.filter((f) => f.properties['mode'] !== 'cut').flatMap((f): Shape[] => {
      const left = cuts.length ? difference(rings(f), ...cuts) : [rings(f)];
      const level = this.levels.get(String(f.id)) ?? this.level;
      const properties = level ? {level: Number(level)} : {};
      return left.length ? [{type: 'Feature', properties, geometry: left.length === 1 ? {type: 'Polygon', coordinates: left[0] as Ring[]} : {type: 'MultiPolygon', coordinates: left}}] : [];
    });
  }
}

function parts(geometry: GeoJSON.Geometry): Ring[][] {
  return (geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.type === 'MultiPolygon' ? geometry.coordinates : []) as Ring[][];
}
