// Bundles the islands and the stylesheet into dist/ and puts what the pages load beside them. Nothing comes from elsewhere at run time.
import {copyFile, mkdir, rm} from 'node:fs/promises';
import {build} from 'esbuild';

const here = new URL('.', import.meta.url);
const at = (path) => new URL(path, here).pathname;

await rm(at('dist'), {recursive: true, force: true});
await mkdir(at('dist'), {recursive: true});
await build({
  entryPoints: ['map', 'draw', 'live', 'late', 'approve', 'print', 'reference'].map((name) => at(`src/${name}.ts`)).concat(at('src/app.css')),
  outdir: at('dist'),
  bundle: true,
  minify: true,
  format: 'esm',
  splitting: true,
  chunkNames: '[name]-[hash]',
  target: 'es2022',
  sourcemap: false,
  legalComments: 'eof',
  logLevel: 'warning',
});
// The reporter's page and its service worker stand alone and run on phones of 2021.
await build({
  entryPoints: {field: at('src/field/app.ts'), field_worker: at('src/field/worker.ts'), field_style: at('src/field/field.css')},
  outdir: at('dist'),
  bundle: true,
  minify: true,
  format: 'iife',
  target: 'chrome90',
  sourcemap: false,
  legalComments: 'eof',
  logLevel: 'warning',
});
const copies = {
  'node_modules/maplibre-gl/dist/maplibre-gl-worker.mjs': 'maplibre-gl-worker.mjs',
  'node_modules/maplibre-gl/dist/maplibre-gl-shared.mjs': 'maplibre-gl-shared.mjs',
  'node_modules/swagger-ui-dist/swagger-ui-bundle.js': 'swagger-ui-bundle.js',
  'node_modules/swagger-ui-dist/swagger-ui.css': 'swagger-ui.css',
  '../../../geo/data/china_map.json': 'china_map.json',
  '../../../geo/data/counties_map.geojson': 'counties_map.geojson',
};
await Promise.all(Object.entries(copies).map(([from, to]) => copyFile(at(from), at(`dist/${to}`))));
