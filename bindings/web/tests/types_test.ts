// Compiled, not run: what users write against the types, and what the types must refuse.
import {Intsam, IntsamError, type FoundMask, type Prediction} from '@intsam/web';
import {Engine} from '@intsam/web/engine';

export async function module(blob: Blob, signal: AbortSignal): Promise<number> {
  const sam = await Intsam.create({model: new URL('https://example.com/m.isam'), threads: 2, wasmPaths: '/wasm/', signal});
  await sam.setImage(blob, {onProgress: ({step, steps, name}) => console.log(name, step / steps), signal});
  const first: Prediction = await sam.predict({points: [{x: 1.5, y: 2}, {x: 3, y: 4, label: 0}], size: sam.info.hasEncoder
    ? {width: 9, height: 9} : undefined});
  const next = await sam.predict({box: [1, 2, 3, 4], maskInput: first.lowRes, select: 'best', form: 'rle', signal});
  const all: FoundMask[] = await sam.everything({pointsPerSide: 8, form: 'outlines', onMask: (mask) => console.log(mask.iou)});
  await sam.loadEmbedding(await sam.saveEmbedding());
  sam.close();
  return (next.rle?.counts.length ?? 0) + all.length;
}

export async function engine(createModule: (options: object) => Promise<object>, bytes: Uint8Array): Promise<string> {
  const one = await Engine.create({createModule, wasmBinary: bytes, model: bytes, tier: 'simd128'});
  try {
    one.setImage({data: bytes, width: 1, height: 1}, () => false);
    one.everything({pointsPerSide: 4}, ({area}) => area > 5);
    return one.info.tier;
  } catch (error) {
    return error instanceof IntsamError ? `${error.status}` : '';
  }
}

export function refused(sam: Intsam): void {
  // @ts-expect-error a label is 0 or 1
  void sam.predict({points: [{x: 1, y: 2, label: 2}]});
  // @ts-expect-error a box has four corners
  void sam.predict({box: [1, 2, 3]});
  // @ts-expect-error no such form
  void sam.predict({form: 'png'});
  // @ts-expect-error a model is needed
  void Intsam.create({});
  // @ts-expect-error settings are in camel case
  void sam.everything({points_per_side: 3});
}
