// Keeps the page's own files, all of one version, and answers with them; everything else goes to the line. VERSION and FILES stand before
// this text when the server sends it.
/// <reference lib="webworker" />
declare const VERSION: string;
declare const FILES: string[];
const scope = self as unknown as ServiceWorkerGlobalScope;

scope.addEventListener('install', (event) => {
  event.waitUntil(caches.open(VERSION).then((cache) => cache.addAll(FILES.map((f) => new Request(f, {cache: 'reload'})))).then(() => scope.skipWaiting()));
});

scope.addEventListener('activate', (event) => {
  const others = caches.keys().then((names) => Promise.all(names.filter((n) => n.startsWith('field-') && n !== VERSION).map((n) => caches.delete(n))));
  event.waitUntil(others.then(() => scope.clients.claim()));
});

scope.addEventListener('fetch', (event) => {
  const {request} = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== scope.location.origin) return;
  const wanted = request.mode === 'navigate' && url.pathname.startsWith('/field') ? '/field' : url.pathname + url.search;
  if (!FILES.includes(wanted)) return;
  event.respondWith(caches.open(VERSION).then((cache) => cache.match(wanted)).then((kept) => kept ?? fetch(request)));
});
