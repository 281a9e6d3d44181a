// Leaving rows out of a bundle and taking them back; the button always says how many and how much. Without script the whole bundle is approved.
const form = document.querySelector<HTMLFormElement>('form[data-approve]');

function yuan(fen: number): string {
  return (fen / 100).toLocaleString('en-US', {minimumFractionDigits: 2, maximumFractionDigits: 2});
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (b) => b.toString(16).padStart(2, '0')).join('');
}

/** The same digest as the server's: (16 bytes of id, 8 bytes of fen, big-endian) in the order of the ids. */
async function digest(rows: {id: string; fen: number}[]): Promise<string> {
  const bytes = new Uint8Array(rows.length * 24);
  const view = new DataView(bytes.buffer);
  [...rows].sort((a, b) => (a.id < b.id ? -1 : 1)).forEach((row, i) => {
    const hex = row.id.replaceAll('-', '');
    for (let j = 0; j < 16; j += 1) bytes[i * 24 + j] = Number.parseInt(hex.slice(j * 2, j * 2 + 2), 16);
    view.setBigUint64(i * 24 + 16, BigInt(row.fen));
  });
  return sha256(bytes);
}

if (form) {
  const boxes = [...form.querySelectorAll<HTMLInputElement>('input[name="award"]')];
  const button = form.querySelector<HTMLButtonElement>('button[data-label]');
  const seal = form.querySelector<HTMLInputElement>('input[name="digest"]');
  const shown = form.querySelector<HTMLElement>('[data-digest]');
  const update = async (): Promise<void> => {
    const rows = boxes.filter((b) => b.checked).map((b) => ({id: b.value, fen: Number(b.dataset['fen'])}));
    const total = rows.reduce((sum, row) => sum + row.fen, 0);
    if (button) {
      button.disabled = rows.length === 0;
      button.textContent = (button.dataset['label'] ?? '').replace('{count}', rows.length.toLocaleString('en-US')).replace('{yuan}', yuan(total));
    }
    if (seal) seal.value = await digest(rows);
    if (shown && seal) shown.textContent = seal.value.slice(0, 16).replace(/(.{4})(?=.)/g, '$1 ');
  };
  form.addEventListener('change', () => void update());
  form.querySelector<HTMLButtonElement>('button[data-undo]')?.addEventListener('click', () => {
    for (const box of boxes) box.checked = true;
    void update();
  });
}
