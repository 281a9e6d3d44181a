// Photos are shrunk on the phone: what a canvas writes has no place, no owner and no thumbnail in it.
const LONGEST = 1600;
const LARGEST = 400_000;

export interface Shrunk { content: ArrayBuffer; digest: string }

async function written(canvas: HTMLCanvasElement, quality: number): Promise<ArrayBuffer> {
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/jpeg', quality));
  if (!blob) throw new Error('no picture');
  return blob.arrayBuffer();
}

export async function digestOf(content: ArrayBuffer): Promise<string> {
  return Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', content)), (b) => b.toString(16).padStart(2, '0')).join('');
}

export async function shrink(file: Blob): Promise<Shrunk> {
  const picture = await createImageBitmap(file);
  const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  canvas.getContext('2d')?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  let content = await written(canvas, 0.8);
  for (const quality of [0.65, 0.5, 0.35]) if (content.byteLength > LARGEST) content = await written(canvas, quality);
  return {content, digest: await digestOf(content)};
}

/** A sheet to sign on with a finger; `signed` tells whether anything was drawn. */
export function pad(): {canvas: HTMLCanvasElement; signed: () => boolean; clear: () => void; take: () => Promise<Shrunk>} {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height, canvas.className] = [640, 320, 'pad'];
  const pen = canvas.getContext('2d');
  let strokes = 0;
  const clear = (): void => {
    strokes = 0;
    if (!pen) return;
    pen.fillStyle = '#ffffff';
    pen.fillRect(0, 0, canvas.width, canvas.height);
    [pen.lineWidth, pen.lineCap, pen.lineJoin, pen.strokeStyle] = [5, 'round', 'round', '#101418'];
  };
  const spot = (event: PointerEvent): [number, number] => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) * canvas.width) / box.width, ((event.clientY - box.top) * canvas.height) / box.height];
  };
  canvas.addEventListener('pointerdown', (event) => {
    canvas.setPointerCapture(event.pointerId);
    pen?.beginPath();
    pen?.moveTo(...spot(event));
  });
  canvas.addEventListener('pointermove', (event) => {
    if (!canvas.hasPointerCapture(event.pointerId)) return;
    pen?.lineTo(...spot(event));
    pen?.stroke();
    strokes += 1;
  });
  clear();
  return {canvas, signed: () => strokes > 3, clear, take: async () => {
    const content = await written(canvas, 0.6);
    return {content, digest: await digestOf(content)};
  }};
}
