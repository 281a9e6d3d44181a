// Lengths and areas on a sphere; against the ellipsoid they are right to some 0.5 %. What is stored is measured by the server.
const RADIUS_KM = 6371.0072;
const rad = (degrees: number): number => (degrees * Math.PI) / 180;

export function lengthKm(line: GeoJSON.Position[]): number {
  let sum = 0;
  for (let n = 1; n < line.length; n++) sum += step(line[n - 1] as GeoJSON.Position, line[n] as GeoJSON.Position);
  return sum;
}

function step(a: GeoJSON.Position, b: GeoJSON.Position): number {
  const [x, y] = [rad((b[0] ?? 0) - (a[0] ?? 0)), rad((b[1] ?? 0) - (a[1] ?? 0))];
  const h = Math.sin(y / 2) ** 2 + Math.cos(rad(a[1] ?? 0)) * Math.cos(rad(b[1] ?? 0)) * Math.sin(x / 2) ** 2;
  return 2 * RADIUS_KM * Math.asin(Math.sqrt(h));
}

export function areaKm2(rings: GeoJSON.Position[][]): number {
  return rings.reduce((sum, ring, n) => sum + (n === 0 ? 1 : -1) * Math.abs(ringKm2(ring)), 0);
}

function ringKm2(ring: GeoJSON.Position[]): number {
  let sum = 0;
  for (let n = 1; n < ring.length; n++) {
    const [a, b] = [ring[n - 1] as GeoJSON.Position, ring[n] as GeoJSON.Position];
    sum += rad((b[0] ?? 0) - (a[0] ?? 0)) * (2 + Math.sin(rad(a[1] ?? 0)) + Math.sin(rad(b[1] ?? 0)));
  }
  return (sum * RADIUS_KM ** 2) / 2;
}
