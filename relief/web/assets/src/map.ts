// The situation on a map: counties, bands of the zone, households counted in cells; measuring and printing.
import type {Map} from 'maplibre-gl';
import {cells} from './cells';
import {ground, load, type Situation, textsOf} from './ground';
import type {Measure} from './measure';

const place = document.querySelector<HTMLElement>('[data-map]');

async function draw(element: HTMLElement): Promise<void> {
  const now = await load<Situation>(element.dataset['map'] ?? '');
  const map = await ground(element, now);
  cells(map, now, textsOf(element));
  tools(map, element.parentElement ?? document.body);
  await map.once('idle');
  element.dataset['ready'] = 'yes';
}

function tools(map: Map, around: HTMLElement): void {
  const said = around.querySelector<HTMLOutputElement>('[data-measured]');
  let measure: Measure | undefined;
  const buttons = [...around.querySelectorAll<HTMLButtonElement>('[data-tool]')];
  const press = (chosen: HTMLButtonElement | null): void => buttons.forEach((b) => b.setAttribute('aria-pressed', String(b === chosen)));
  for (const button of buttons) {
    button.hidden = false;
    button.addEventListener('click', async () => {
      const tool = button.dataset['tool'];
      if (tool === 'print') return window.print();
      measure ??= new (await import('./measure')).Measure(map, (text) => { if (said) said.textContent = text; });
      if (tool === 'clear' || button.getAttribute('aria-pressed') === 'true') { measure.stop(); press(null); return; }
      measure.start(tool === 'area' ? 'polygon' : 'linestring');
      press(button);
    });
  }
  window.addEventListener('beforeprint', () => map.resize());
  window.addEventListener('afterprint', () => map.resize());
}

if (place) draw(place).catch(() => { place.dataset['ready'] = 'failed'; place.textContent = place.dataset['failed'] ?? ''; });
