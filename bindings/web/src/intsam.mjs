// Segment Anything in a page: the model runs in a worker, on the CPU, and nothing leaves the machine.
import {IntsamError} from './engine.mjs';

export {IntsamError};

// Threads share memory, which browsers allow where a page is isolated from other origins; elsewhere there is one.
const sharesMemory = () => globalThis.crossOriginIsolated === true && typeof SharedArrayBuffer === 'function';

async function bytesOf(model, signal) {
  if (model instanceof Uint8Array) return model.slice();
  if (model instanceof ArrayBuffer) return new Uint8Array(model.slice(0));
  if (model instanceof Blob) return new Uint8Array(await model.arrayBuffer());
  const answer = await fetch(model, {signal});
  if (!answer.ok) throw new IntsamError(3, `${model}: HTTP status ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}

// RGBA of whatever a page has for a picture. Colours stay as they are in the file, as in the native tools.
async function pixelsOf(image) {
  if (image?.data && Number.isInteger(image.width)) return image;
  const bitmap = image instanceof Blob
    ? await createImageBitmap(image, {colorSpaceConversion: 'none', premultiplyAlpha: 'none'})
    : image;
  const width = bitmap.naturalWidth ?? bitmap.videoWidth ?? bitmap.width;
  const height = bitmap.naturalHeight ?? bitmap.videoHeight ?? bitmap.height;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', {willReadFrequently: true});
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, width, height);
}

export class Intsam {
  #worker;
  #flag;
  #info;
  #next = 1;
  #calls = new Map();

  /** See types/intsam.d.ts, which documents every member. */
  static async create({model, threads, wasmPaths = new URL('.', import.meta.url).href, signal} = {}) {
    if (model === undefined) throw new IntsamError(2, 'model: give a URL, bytes or a Blob');
    const bytes = await bytesOf(model, signal);
    const shared = sharesMemory();
    const count = shared ? (threads ?? navigator.hardwareConcurrency ?? 1) : 1;
    const name = count > 1 ? 'intsam-simd-threaded' : 'intsam-simd';
    const intsam = new Intsam();
    intsam.#worker = new Worker(new URL('./intsam.worker.mjs', import.meta.url), {type: 'module', name: 'intsam'});
    intsam.#worker.addEventListener('message', ({data}) => intsam.#heard(data));
    intsam.#worker.addEventListener('error', (event) => {
      intsam.#fail(new IntsamError(70, event.message || 'the worker did not start'));
    });
    const flag = shared ? new SharedArrayBuffer(4) : undefined;
    intsam.#flag = flag && new Int32Array(flag);
    const base = new URL(wasmPaths, globalThis.location?.href ?? import.meta.url);
    try {
      intsam.#info = await intsam.#call('create',
        {moduleUrl: new URL(`${name}.mjs`, base).href, wasmUrl: new URL(`${name}.wasm`, base).href,
          model: bytes, threads: count, shared: flag}, {signal}, [bytes.buffer]);
    } catch (error) {
      intsam.close();
      throw error;
    }
    return intsam;
  }

  get info() {
    return {...this.#info};
  }

  async setImage(image, {onProgress, signal} = {}) {
    const {data, width, height} = await pixelsOf(image);
    await this.#call('setImage', {data, width, height}, {onProgress, signal});
  }

  async checkImage(image, {signal} = {}) {
    const {data, width, height} = await pixelsOf(image);
    await this.#call('checkImage', {data, width, height}, {signal});
  }

  imageSize() {
    return this.#call('imageSize');
  }

  async saveEmbedding() {
    return (await this.#call('saveEmbedding')).bytes;
  }

  async loadEmbedding(bytes, {signal} = {}) {
    await this.#call('loadEmbedding', await bytesOf(bytes, signal), {signal});
  }

  predict({signal, ...prompt} = {}) {
    return this.#call('predict', prompt, {signal});
  }

  async everything({signal, onProgress, onMask, ...settings} = {}) {
    const masks = [];
    const keep = (mask) => {
      masks.push(mask);
      onMask?.(mask);
    };
    await this.#call('everything', settings, {signal, onProgress, onMask: keep});
    return masks;
  }

  /** Calls that are not answered fail. */
  close() {
    this.#worker.terminate();
    this.#fail(new IntsamError(2, 'the engine is closed'));
    this.#worker = null;
  }

  #call(call, args, {signal, onProgress, onMask} = {}, transfer = []) {
    if (!this.#worker) return Promise.reject(new IntsamError(2, 'the engine is closed'));
    if (signal?.aborted) return Promise.reject(signal.reason);
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      const abort = () => {
        if (this.#flag) Atomics.store(this.#flag, 0, id);
        this.#worker?.postMessage({cancel: id});
        this.#calls.delete(id);
        reject(signal.reason);
      };
      signal?.addEventListener('abort', abort, {once: true});
      const done = () => signal?.removeEventListener('abort', abort);
      this.#calls.set(id, {resolve, reject, done, onProgress, onMask});
      try {
        this.#worker.postMessage({id, call, args}, transfer);
      } catch (error) { // what cannot be sent, such as a function among the settings
        this.#calls.delete(id);
        done();
        reject(new IntsamError(2, error.message));
      }
    });
  }

  #heard({id, result, error, progress, mask}) {
    const call = this.#calls.get(id);
    if (!call) return; // taken back
    if (progress) return void call.onProgress?.(progress);
    if (mask) return void call.onMask?.(mask);
    this.#calls.delete(id);
    call.done();
    if (error) call.reject(new IntsamError(error.status, error.message));
    else call.resolve(result);
  }

  #fail(error) {
    for (const call of this.#calls.values()) {
      call.done();
      call.reject(error);
    }
    this.#calls.clear();
  }
}
