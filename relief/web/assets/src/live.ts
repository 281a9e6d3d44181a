// Keeps figures fresh: fetches the page again every few seconds and exchanges the parts marked data-live. Stops while hidden.
const EVERY_MS = 5000;

async function refresh(): Promise<void> {
  const answer = await fetch(location.href, {headers: {Accept: 'text/html'}, redirect: 'error'});
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
  for (const part of document.querySelectorAll<HTMLElement>('[data-live]')) {
    const next = fresh.querySelector<HTMLElement>(`[data-live="${CSS.escape(part.dataset['live'] ?? '')}"]`);
    if (next && next.innerHTML !== part.innerHTML && !part.contains(document.activeElement)) part.innerHTML = next.innerHTML;
  }
}

setInterval(() => {
  if (!document.hidden) refresh().catch(() => undefined); // offline: the figures stay, their time says how old they are
}, EVERY_MS);
