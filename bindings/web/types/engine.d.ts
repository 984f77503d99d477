/** The engine without a worker, for workers of your own and Node.js: every call blocks until it is done. */
import type {EverythingOptions, FoundMask, Info, Pixels, Prediction, Prompt} from './intsam.js';

export {IntsamError} from './intsam.js';

/** A true result cancels the call, which then throws an IntsamError of status 130. */
type OnProgress = (step: number, steps: number, name: string) => boolean | void;

export class Engine {
  static create(options: {
    /** Default export of intsam-simd.mjs or, in pages that are cross-origin isolated, intsam-simd-threaded.mjs. */
    createModule: (options: object) => Promise<object>;
    /** The .wasm file beside it. */
    wasmBinary: ArrayBuffer | Uint8Array;
    model: Uint8Array;
    threads?: number;
    /** Which kernels compute; left out, those for this CPU. The masks are the same. */
    tier?: 'simd128' | 'simd128dot' | 'scalar';
  }): Promise<Engine>;
  readonly info: Info;
  setImage(image: Pixels, onProgress?: OnProgress): void;
  checkImage(image: Pixels): void;
  imageSize(): {width: number; height: number};
  saveEmbedding(): Uint8Array;
  loadEmbedding(bytes: Uint8Array): void;
  predict(prompt: Omit<Prompt, 'signal'>): Prediction;
  everything(
    settings: Omit<EverythingOptions, 'signal' | 'onProgress' | 'onMask'>,
    onMask: (mask: FoundMask) => boolean | void,
    onProgress?: OnProgress,
  ): void;
  close(): void;
}
