// Runs the engine off the page's thread: one call at a time, in the order they came. Messages are {id, call, args};
// answers {id, result} or {id, error}, before them any number of {id, progress} and {id, mask}. {cancel: id} takes a call
// back: one that waits at once, one that runs where the page shares memory with the worker (`flag` holds its id).
import {Engine, IntsamError} from './engine.mjs';

const CANCELLED = 130;
let engine;
let flag; // Int32Array over shared memory, or undefined
const waiting = [];
let running = false;

const cancelled = (id) => flag !== undefined && Atomics.load(flag, 0) === id;

// Bytes are handed over, not copied.
const buffersOf = (result) =>
  [...new Set(Object.values(result ?? {}).filter(ArrayBuffer.isView).map(({buffer}) => buffer))];

const calls = {
  async create(id, {moduleUrl, wasmUrl, model, threads, shared}) {
    flag = shared && new Int32Array(shared);
    const [{default: createModule}, wasm] = await Promise.all([import(moduleUrl), fetch(wasmUrl)]);
    if (!wasm.ok) throw new IntsamError(3, `${wasmUrl}: HTTP status ${wasm.status}`);
    engine = await Engine.create({createModule, wasmBinary: await wasm.arrayBuffer(), model, threads});
    return engine.info;
  },
  setImage: (id, image) => engine.setImage(image, progressOf(id)),
  checkImage: (id, image) => engine.checkImage(image),
  imageSize: () => engine.imageSize(),
  saveEmbedding: () => ({bytes: engine.saveEmbedding()}),
  loadEmbedding: (id, bytes) => engine.loadEmbedding(bytes),
  predict: (id, options) => engine.predict(options),
  everything: (id, settings) =>
    engine.everything(
      settings,
      (mask) => {
        postMessage({id, mask}, buffersOf(mask));
        return cancelled(id);
      },
      progressOf(id),
    ),
};

function progressOf(id) {
  return (step, steps, name) => {
    postMessage({id, progress: {step, steps, name}});
    return cancelled(id);
  };
}

async function answer({id, call, args}) {
  try {
    if (cancelled(id)) throw new IntsamError(CANCELLED, 'cancelled');
    const result = await calls[call](id, args);
    postMessage({id, result}, buffersOf(result));
  } catch (error) {
    postMessage({id, error: {status: error.status ?? 70, message: error.message ?? String(error)}});
  }
}

async function run() {
  running = true;
  while (waiting.length > 0) {
    await answer(waiting.shift());
    await new Promise((done) => setTimeout(done)); // what was taken back meanwhile is heard first
  }
  running = false;
}

addEventListener('message', ({data}) => {
  if (data.cancel !== undefined) {
    const at = waiting.findIndex(({id}) => id === data.cancel);
    if (at >= 0) waiting.splice(at, 1);
    return;
  }
  waiting.push(data);
  if (!running) run();
});
