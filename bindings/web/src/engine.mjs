// The engine of one model: calls into the WebAssembly module, one at a time, each until it is done. intsam.worker.mjs runs
// it off the page's thread; Node.js and other workers may use it as it is.

/** What went wrong, in one sentence. `status` is an exit code of the command-line tools: 2 argument, 4 damaged,
 * 5 unsupported, 6 no memory or over a limit, 130 cancelled. */
export class IntsamError extends Error {
  constructor(status, message) {
    super(message);
    this.name = 'IntsamError';
    this.status = status;
  }
}

const ARGUMENT = 2;
const RESOURCE = 6;
const Q15 = 1 << 15;
const Q16 = 1 << 16;
const Q30 = 2 ** 30;
const MAX_POINTS = 256;

// The settings of everything mode: name, unit, and how a share is rounded: up where it must be exceeded, down where it
// must be reached, so that exactly 7 / 10 is not above 0.7. In the order of engine.c.
const EVERYTHING = [
  ['pointsPerSide', 1],
  ['pointsPerBatch', 1],
  ['predIouThresh', Q30, Math.ceil],
  ['stabilityScoreThresh', Q30, Math.floor],
  ['stabilityScoreOffset', Q16, Math.round],
  ['boxNmsThresh', Q30, Math.ceil],
  ['cropNLayers', 1],
  ['cropNmsThresh', Q30, Math.ceil],
  ['cropOverlapRatio', Q30, Math.floor],
  ['cropNPointsDownscaleFactor', 1],
  ['minMaskRegionArea', 1],
];

const refuse = (message) => {
  throw new IntsamError(ARGUMENT, message);
};

function integer(value, what) {
  if (!Number.isInteger(value) || Math.abs(value) >= 2 ** 31) refuse(`${what}: ${value} is no 32-bit integer`);
  return value;
}

// A coordinate in pixels as the 1/64 of the library; its range is checked there.
function coordinate(value, what) {
  if (typeof value !== 'number' || !Number.isFinite(value)) refuse(`${what}: ${value} is no number`);
  const code = Math.round(value * 64);
  if (Math.abs(code) >= 2 ** 31) refuse(`${what}: ${value} is too far from the image`);
  return code;
}

// A WebAssembly module cannot ask what CPU runs it, but the sign of NaN tells: x86 makes a negative one of Infinity -
// Infinity. That decides which products are faster; the masks are the same.
function isX86() {
  const number = new Float32Array([Infinity]);
  number[0] -= number[0];
  return new Uint8Array(number.buffer)[3] === 0xff;
}

export class Engine {
  #module;
  #open = false;
  #info;
  #onProgress = null;
  #onFound = null;
  #failure = null; // what a callback threw, to be thrown again behind the call

  /** createModule: the default export of intsam-simd.mjs or intsam-simd-threaded.mjs; wasmBinary: the bytes beside it.
   * threads: 0 or 1 for one; more need the threaded module. Takes what it needs of `model` (bytes of a .isam file).
   * tier: of the kernels, 'simd128', 'simd128dot' or 'scalar'; left out, the one for this CPU. */
  static async create({createModule, wasmBinary, model, threads = 1, tier = isX86() ? 'simd128dot' : 'simd128'}) {
    if (!(model instanceof Uint8Array)) refuse('model: no Uint8Array');
    const engine = new Engine();
    const count = Math.max(1, integer(threads, 'threads'));
    engine.#module = await createModule({
      wasmBinary,
      threads: count,
      onProgress: (step, steps, name) => engine.#called(() => engine.#onProgress?.(step, steps, engine.#text(name))),
      onFound: (...found) => engine.#called(() => engine.#onFound(...found)),
    });
    const bytes = engine.#allocate(model.length);
    engine.#module.HEAPU8.set(model, bytes);
    engine.#scoped((room) => {
      const name = room.copy(new TextEncoder().encode(`${tier}\0`));
      engine.#check(engine.#module._web_open(bytes, model.length, count, name));
    });
    engine.#open = true;
    engine.#info = engine.#scoped((room) => {
      const [imageSize, numMasks, lowResSize, mantissa, shift, used, encoder] = room.integers(7, (out) =>
        engine.#module._web_info(out));
      return {imageSize, numMasks, lowResSize, logitStep: mantissa * 2 ** -shift, hasEncoder: encoder !== 0,
        threads: used, tier: engine.#text(engine.#module._web_tier()), version: engine.#text(engine.#module._web_version())};
    });
    return engine;
  }

  /** {imageSize, numMasks, lowResSize, logitStep, hasEncoder, threads, tier, version}; a logit is a low-resolution code
   * times logitStep. */
  get info() {
    return {...this.#info};
  }

  close() {
    if (this.#open) this.#module._web_close();
    this.#open = false;
  }

  /** {data, width, height}: RGBA, 4 bytes a pixel, alpha ignored. onProgress(step, steps, name): a true result cancels. */
  setImage(image, onProgress) {
    this.#withImage(image, (pixels) => this.#module._web_set_image(pixels, image.width, image.height), onProgress);
  }

  /** Throws where this is not the image that was set or whose embedding was loaded. */
  checkImage(image) {
    this.#withImage(image, (pixels) => this.#module._web_check_image(pixels, image.width, image.height));
  }

  /** {width, height}, 0 x 0 without an image. */
  imageSize() {
    this.#live();
    return this.#scoped((room) => {
      const [width, height] = room.integers(2, (out) => this.#module._web_image_size(out));
      return {width, height};
    });
  }

  saveEmbedding() {
    this.#live();
    const size = this.#module._web_embedding_size();
    return this.#scoped((room) => {
      const data = room.bytes(size);
      this.#check(this.#module._web_save_embedding(data, size));
      return this.#module.HEAPU8.slice(data, data + size);
    });
  }

  loadEmbedding(bytes) {
    this.#live();
    if (!(bytes instanceof Uint8Array)) refuse('embedding: no Uint8Array');
    this.#scoped((room) => {
      const data = room.copy(bytes);
      this.#check(this.#module._web_load_embedding(data, bytes.length));
    });
  }

  /** points: [{x, y, label = 1}], box: [x0, y0, x1, y1], both in pixels of the photo; maskInput: lowRes of an earlier
   * prediction. select: 'auto' (the single mask where the prompt is clear, else the best), 'best', or an index.
   * size: {width, height} of the mask, else the photo's. form: 'pixels' (0 and 1), 'rle' or 'outlines'. */
  predict({points = [], box, maskInput, select = 'auto', size, form = 'pixels'} = {}) {
    this.#live();
    const {lowResSize, numMasks} = this.#info;
    if (points.length > MAX_POINTS) refuse(`points: ${points.length}, at most ${MAX_POINTS} are taken`);
    return this.#scoped((room) => {
      const codes = points.flatMap(({x, y, label = 1}, i) => [
        coordinate(x, `point ${i}`), coordinate(y, `point ${i}`), integer(label, `label of point ${i}`)]);
      if (box && box.length !== 4) refuse('box: not [x0, y0, x1, y1]');
      const corners = box ? room.words(Array.from(box, (value) => coordinate(value, 'box'))) : 0;
      let logits = 0;
      if (maskInput) {
        if (!(maskInput instanceof Int16Array) || maskInput.length !== lowResSize ** 2) {
          refuse(`maskInput: not the ${lowResSize} x ${lowResSize} codes of an earlier prediction`);
        }
        logits = room.copy(new Uint8Array(maskInput.buffer, maskInput.byteOffset, maskInput.byteLength));
      }
      this.#check(this.#module._web_predict(codes.length ? room.words(codes) : 0, points.length, corners, logits));
      const ious = Array.from({length: numMasks}, (_, mask) => this.#module._web_iou(mask) / Q15);
      const index = this.#choose(select, points.length === 1 && !box && !maskInput);
      const lowRes = this.#module._web_low_res(index) / 2;
      const made = room.integers(1, (out) =>
        this.#check(this.#module._web_make_mask(index, size?.width ?? 0, size?.height ?? 0, out)))[0];
      try {
        return {index, iou: ious[index], ious, ...this.#maskData(made, form),
          lowRes: this.#module.HEAP16.slice(lowRes, lowRes + lowResSize ** 2)};
      } finally {
        this.#module._web_mask_destroy(made);
      }
    });
  }

  /** All masks of the image that is set. settings: names of the original package in camel case. onMask gets each mask:
   * what predict gives, without lowRes, and {stability, point: [x, y], count}; a true result cancels. */
  everything({form = 'rle', ...settings} = {}, onMask, onProgress) {
    this.#live();
    const codes = this.#scoped((room) =>
      room.integers(EVERYTHING.length, (out) => this.#module._web_everything_defaults(out)));
    for (const [name, value] of Object.entries(settings)) {
      const at = EVERYTHING.findIndex(([known]) => known === name);
      if (at < 0) refuse(`everything mode has no setting '${name}'`);
      if (value === undefined) continue;
      if (typeof value !== 'number') refuse(`${name}: ${value} is no number`);
      const [, unit, round = (x) => x] = EVERYTHING[at];
      codes[at] = integer(round(value * unit), name);
    }
    this.#onFound = (mask, iou, stability, x, y, index, count) =>
      onMask({index, count, iou: iou / Q15, stability: stability / Q16, point: [x / 64, y / 64],
        ...this.#maskData(mask, form)});
    this.#scoped((room) => this.#call(() => this.#module._web_everything(room.words(codes)), onProgress));
  }

  #choose(select, unclear) {
    const best = this.#module._web_best();
    if (select === 'auto') return unclear ? best : 0;
    if (select === 'best') return best;
    if (Number.isInteger(select) && select >= 0 && select < this.#info.numMasks) return select;
    return refuse(`select: ${select} is neither 'auto' nor 'best' nor an index below ${this.#info.numMasks}`);
  }

  #maskData(mask, form) {
    return this.#scoped((room) => {
      const [width, height, x0, y0, x1, y1, area] = room.integers(7, (out) => this.#module._web_mask_info(mask, out));
      const box = area ? [x0, y0, x1 - x0 + 1, y1 - y0 + 1] : [0, 0, 0, 0];
      return {width, height, area, box, [form]: this.#formOf(room, mask, form, width, height)};
    });
  }

  #formOf(room, mask, form, width, height) {
    const module = this.#module;
    if (form === 'pixels') {
      const pixels = room.bytes(width * height);
      this.#check(module._web_mask_pixels(mask, pixels, width));
      return module.HEAPU8.slice(pixels, pixels + width * height);
    }
    if (form === 'rle') {
      const [length] = room.integers(1, (out) => module._web_mask_coco_string(mask, 0, 0, out));
      const text = room.bytes(length + 1);
      room.integers(1, (out) => this.#check(module._web_mask_coco_string(mask, text, length + 1, out)));
      return {size: [height, width], counts: this.#text(text)};
    }
    if (form === 'outlines') {
      const [numCorners, numRings] = room.integers(2, (out) =>
        this.#check(module._web_mask_outlines(mask, 0, 0, out, 0, 0, out + 4)));
      const corners = room.bytes(Math.max(8, numCorners * 8));
      const rings = room.bytes(Math.max(12, numRings * 12));
      room.integers(2, (out) =>
        this.#check(module._web_mask_outlines(mask, corners, numCorners, out, rings, numRings, out + 4)));
      const words = module.HEAP32;
      return Array.from({length: numRings}, (_, i) => {
        const [first, count, outer] = words.subarray(rings / 4 + 3 * i, rings / 4 + 3 * i + 3);
        return {hole: outer !== i,
          corners: words.slice(corners / 4 + 2 * first, corners / 4 + 2 * (first + count))};
      });
    }
    return refuse(`form: '${form}' is none of pixels, rle, outlines`);
  }

  #withImage({data, width, height}, call, onProgress) {
    this.#live();
    integer(width, 'width');
    integer(height, 'height');
    if (!ArrayBuffer.isView(data) || data.BYTES_PER_ELEMENT !== 1) refuse('image: data is no array of bytes');
    if (width < 1 || height < 1 || data.length !== width * height * 4) {
      refuse(`image: ${data.length} bytes are not ${width} x ${height} pixels of RGBA`);
    }
    this.#scoped((room) => {
      const pixels = room.copy(data);
      this.#call(() => call(pixels), onProgress);
    });
  }

  // Runs a call during which the library may ask back.
  #call(call, onProgress) {
    this.#onProgress = onProgress ?? null;
    try {
      const status = call();
      if (this.#failure) throw this.#failure;
      this.#check(status);
    } finally {
      this.#onProgress = null;
      this.#onFound = null;
      this.#failure = null;
    }
  }

  // An exception must not cross the library: it cancels the call, which then throws it.
  #called(callback) {
    try {
      return callback() ? 1 : 0;
    } catch (failure) {
      this.#failure = failure;
      return 1;
    }
  }

  #live() {
    if (!this.#open) refuse('the engine is closed');
  }

  #check(status) {
    if (status !== 0) throw new IntsamError(status, this.#text(this.#module._web_error()) || 'out of memory');
  }

  #text(address) {
    return this.#module.UTF8ToString(address);
  }

  #allocate(size) {
    const memory = this.#module._web_allocate(Math.max(1, size));
    if (!memory) throw new IntsamError(RESOURCE, `no memory for ${size} bytes`);
    return memory;
  }

  // Memory of the module for the time of a call.
  #scoped(call) {
    const taken = [];
    const bytes = (size) => {
      taken.push(this.#allocate(size));
      return taken[taken.length - 1];
    };
    const room = {
      bytes,
      copy: (data) => {
        const memory = bytes(data.length);
        this.#module.HEAPU8.set(data, memory);
        return memory;
      },
      words: (values) => {
        const memory = bytes(values.length * 4);
        this.#module.HEAP32.set(values, memory / 4);
        return memory;
      },
      integers: (count, fill) => {
        const memory = bytes(count * 4);
        fill(memory);
        return Array.from(this.#module.HEAP32.subarray(memory / 4, memory / 4 + count));
      },
    };
    try {
      return call(room);
    } finally {
      taken.forEach((memory) => this.#module._web_free(memory));
    }
  }
}
