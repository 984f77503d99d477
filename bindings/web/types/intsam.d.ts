/** Segment Anything in a page: the model runs in a worker, on the CPU, and nothing leaves the machine. */

/** What went wrong, in one sentence. status: 2 argument, 3 download, 4 damaged, 5 unsupported, 6 no memory or over a
 * limit, 70 a bug. A call that is taken back by its AbortSignal rejects with the signal's reason instead. */
export class IntsamError extends Error {
  readonly status: number;
}

export interface CreateOptions {
  /** A .isam file: its URL, its bytes (copied), or a Blob. */
  model: string | URL | Uint8Array | ArrayBuffer | Blob;
  /** Default: one per CPU. One is used, whatever this says, where the page is not cross-origin isolated. */
  threads?: number;
  /** Folder of the .wasm files and the .mjs files beside them; default: the folder of this module. */
  wasmPaths?: string | URL;
  signal?: AbortSignal;
}

export interface Info {
  /** Longest side of the picture that the model looks at. */
  imageSize: number;
  /** Masks of one prediction: 0 is the single one, 1... are alternatives. */
  numMasks: number;
  /** Side of `lowRes`. */
  lowResSize: number;
  /** A logit is a code of `lowRes` times this. */
  logitStep: number;
  /** False for a decoder alone, which takes embeddings that the whole model saved, and no photos. */
  hasEncoder: boolean;
  threads: number;
  /** Which kernels compute: "simd128dot" on x86, else "simd128". */
  tier: string;
  version: string;
}

export interface Progress {
  step: number;
  steps: number;
  name: string;
}

/** Pixels of the photo; x from the left, y from the top edge. */
export interface Point {
  x: number;
  y: number;
  /** 1: on the object (the default), 0: off it. */
  label?: 0 | 1;
}

export type Form = 'pixels' | 'rle' | 'outlines';

export interface Prompt {
  /** At most 256. */
  points?: Point[];
  /** [x0, y0, x1, y1] in pixels of the photo. */
  box?: [number, number, number, number];
  /** `lowRes` of an earlier prediction on this photo. */
  maskInput?: Int16Array;
  /** 'auto': the best alternative for a single click, which may mean a part or the whole, else the single mask.
   * 'best': the best alternative. A number: that mask. Default 'auto'. */
  select?: 'auto' | 'best' | number;
  /** Size of the mask; default: the photo's. */
  size?: {width: number; height: number};
  /** How the mask is given; default 'pixels'. */
  form?: Form;
  signal?: AbortSignal;
}

export interface Mask {
  width: number;
  height: number;
  /** Pixels inside. */
  area: number;
  /** [x, y, width, height] of what is inside, in pixels of the mask; zeros where it is empty. */
  box: [number, number, number, number];
  /** The model's own estimate of the mask's intersection over union with the truth. */
  iou: number;
  /** form 'pixels': a byte each, 1 inside and 0 outside, row by row. */
  pixels?: Uint8Array;
  /** form 'rle': COCO's compressed run lengths. */
  rle?: {size: [number, number]; counts: string};
  /** form 'outlines': closed polygons along the edges of pixels, x and y in turn. */
  outlines?: {hole: boolean; corners: Int32Array}[];
}

export interface Prediction extends Mask {
  /** Which of the masks this is. */
  index: number;
  /** iou of all of them. */
  ious: number[];
  /** Low-resolution logits, for `maskInput`. */
  lowRes: Int16Array;
}

export interface FoundMask extends Mask {
  index: number;
  count: number;
  stability: number;
  /** [x, y] of the click that gave it. */
  point: [number, number];
}

/** Settings of the original package's automatic mask generator, with its defaults. */
export interface EverythingOptions {
  pointsPerSide?: number;
  pointsPerBatch?: number;
  predIouThresh?: number;
  stabilityScoreThresh?: number;
  stabilityScoreOffset?: number;
  boxNmsThresh?: number;
  minMaskRegionArea?: number;
  /** Default 'rle'. */
  form?: Form;
  onProgress?: (progress: Progress) => void;
  /** Each mask as it comes, all of them when the search is done. */
  onMask?: (mask: FoundMask) => void;
  signal?: AbortSignal;
}

export interface Pixels {
  /** RGBA; alpha is ignored. */
  data: Uint8Array | Uint8ClampedArray;
  width: number;
  height: number;
}

/** What a page has for a picture. Only `Pixels` give the very pixels of a transparent picture. */
export type Picture = Pixels | Blob | ImageBitmap | HTMLImageElement | HTMLCanvasElement | OffscreenCanvas |
  HTMLVideoElement;

/** One model with one photo. Calls are answered one after the other, in the order they were made. */
export class Intsam {
  static create(options: CreateOptions): Promise<Intsam>;
  readonly info: Info;
  /** Encodes the photo: slow, once per photo. */
  setImage(image: Picture, options?: {onProgress?: (progress: Progress) => void; signal?: AbortSignal}): Promise<void>;
  /** Rejects where this is not the photo that was set or whose embedding was loaded. */
  checkImage(image: Picture, options?: {signal?: AbortSignal}): Promise<void>;
  /** Of the photo that was set or whose embedding was loaded; 0 x 0 without one. */
  imageSize(): Promise<{width: number; height: number}>;
  saveEmbedding(): Promise<Uint8Array>;
  /** In the place of setImage: what `intsam-segment --save-embedding` or saveEmbedding gave for the same model. */
  loadEmbedding(bytes: string | URL | Uint8Array | ArrayBuffer | Blob, options?: {signal?: AbortSignal}): Promise<void>;
  /** Answers clicks and boxes: fast. */
  predict(prompt: Prompt): Promise<Prediction>;
  /** All masks of the photo that is set. */
  everything(options?: EverythingOptions): Promise<FoundMask[]>;
  /** Ends the worker. Calls that are not answered reject. */
  close(): void;
}
