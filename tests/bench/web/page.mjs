// What is timed: measure.mjs calls it with a system and a number of threads, on a page of its own each time. Both
// systems run in this page as their documentation says; loading models is in no figure.
const PROMPTS = 10;

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

async function timed(call) {
  const start = performance.now();
  const result = await call();
  return [performance.now() - start, result];
}

async function pixelsOf(url) {
  const bitmap = await createImageBitmap(await (await fetch(url)).blob(), {colorSpaceConversion: 'none'});
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext('2d');
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, bitmap.width, bitmap.height);
}

// encode(): the photo. decode(x, y): a click. The first click after a photo may do what later ones need.
async function figures(encode, decode, side) {
  await encode();
  const [encoder] = await timed(encode);
  const [first] = await timed(() => decode(side / 2, side / 2));
  const next = [];
  for (let i = 0; i < PROMPTS; ++i) next.push((await timed(() => decode(side / 3 + i, side / 2 - i)))[0]);
  return {encoder, first, next: median(next)};
}

// A mask of the photo's size comes with every answer here; the other system gives low-resolution logits.
async function intsam(model, threads) {
  const {Intsam} = await import('./dist/intsam.mjs');
  const sam = await Intsam.create({model: `models/${model}.isam`, threads});
  const {data, width, height} = await pixelsOf('photo.png');
  const encode = () => sam.setImage({data, width, height});
  const result = await figures(encode, (x, y) => sam.predict({points: [{x, y}]}), width);
  return {...result, threads: sam.info.threads, tier: sam.info.tier};
}

async function onnx(folder, threads) {
  const ort = await import('./ort/ort.wasm.min.mjs');
  ort.env.wasm.wasmPaths = new URL('ort/', location.href).href;
  ort.env.wasm.numThreads = threads;
  const load = async (part) => {
    const url = `models/${folder}/${part}.onnx`;
    const data = await fetch(`${url}.data`);
    const externalData = data.ok ? [{path: `${part}.onnx.data`, data: new Uint8Array(await data.arrayBuffer())}] : [];
    return ort.InferenceSession.create(url, {executionProviders: ['wasm'], externalData});
  };
  const encoder = await load('encoder');
  const decoder = await load('decoder');
  const {data, width, height} = await pixelsOf('photo.png');
  const mean = [123.675, 116.28, 103.53], deviation = [58.395, 57.12, 57.375];
  const size = width * height;
  const image = new Float32Array(3 * size);
  for (let i = 0; i < size; ++i) {
    for (let c = 0; c < 3; ++c) image[c * size + i] = (data[4 * i + c] - mean[c]) / deviation[c];
  }
  let embedding;
  const encode = async () => {
    ({embedding} = await encoder.run({image: new ort.Tensor('float32', image, [1, 3, height, width])}));
  };
  const decode = (x, y) => decoder.run({
    embedding,
    coords: new ort.Tensor('float32', Float32Array.of(x, y, 0, 0), [1, 2, 2]),
    labels: new ort.Tensor('float32', Float32Array.of(1, -1), [1, 2]),
  });
  return {...await figures(encode, decode, width), threads: ort.env.wasm.numThreads};
}

// What the page does while the mouse moves: a decode at a time, and a mask of the size it has on the screen, drawn.
const HOVER_MS = 2000;
const ON_SCREEN = {width: 800, height: 800};

async function hover(model, threads) {
  const {Intsam} = await import('./dist/intsam.mjs');
  const sam = await Intsam.create({model: `models/${model}.isam`, threads});
  await sam.setImage(await pixelsOf('photo.png'));
  const canvas = new OffscreenCanvas(ON_SCREEN.width, ON_SCREEN.height);
  const context = canvas.getContext('2d');
  const image = context.createImageData(ON_SCREEN.width, ON_SCREEN.height);
  const colors = new Uint32Array(image.data.buffer);
  const preview = async (i) => {
    const {pixels} = await sam.predict({points: [{x: 100 + 7 * i % 800, y: 300 + 3 * i % 400}], size: ON_SCREEN});
    for (let at = 0; at < pixels.length; ++at) colors[at] = pixels[at] ? 0x80ff4d6d : 0;
    context.putImageData(image, 0, 0);
  };
  await preview(0);
  const start = performance.now();
  let count = 0;
  while (performance.now() - start < HOVER_MS) await preview(++count);
  return {rate: count * 1000 / (performance.now() - start), threads: sam.info.threads};
}

const SYSTEMS = {intsam, onnx, hover};

window.measure = (system, model, threads) => SYSTEMS[system](model, threads);
