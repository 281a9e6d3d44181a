// The country's borders as the server keeps them: every border once, as steps of a grid, made into shapes here.

type Steps = number[];
interface Kept { unit: number; land: Steps[][]; borders: Steps[]; dashes: Steps[]; names: [string, string, number, number][] }

export interface Country {
  land: GeoJSON.Feature<GeoJSON.MultiPolygon>;
  borders: GeoJSON.Feature<GeoJSON.MultiLineString>;
  dashes: GeoJSON.Feature<GeoJSON.MultiLineString>;
  names: {code: string; name: string; at: [number, number]}[];
}

export function country(kept: Kept): Country {
  const walk = (steps: Steps): GeoJSON.Position[] => {
    const line: GeoJSON.Position[] = [];
    let [x, y] = [0, 0];
    for (let n = 0; n < steps.length; n += 2) {
      x += steps[n] ?? 0;
      y += steps[n + 1] ?? 0;
      line.push([x * kept.unit, y * kept.unit]);
    }
    return line;
  };
  const land = kept.land.map((rings) => rings.map(walk));
  return {
    land: feature({type: 'MultiPolygon', coordinates: land}),
    borders: feature({type: 'MultiLineString', coordinates: [...kept.borders.map(walk), ...land.flat()]}),
    dashes: feature({type: 'MultiLineString', coordinates: kept.dashes.map(walk)}),
    names: kept.names.map(([code, name, lon, lat]) => ({code, name, at: [lon, lat]})),
  };
}

function feature<G extends GeoJSON.Geometry>(geometry: G): GeoJSON.Feature<G> {
  return {type: 'Feature', properties: {}, geometry};
}
