// The engine under Node.js, one thread: masks equal the native tool's, and nothing a caller does wrong goes unnoticed.
//   SITE=... CASES=... node --test engine_test.mjs        as tests/run.sh does
import assert from 'node:assert/strict';
import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {test} from 'node:test';
import {pathToFileURL} from 'node:url';
import {brotliCompressSync} from 'node:zlib';

const {SITE, CASES} = process.env;
const {Engine, IntsamError} = await import(pathToFileURL(join(SITE, 'dist/engine.mjs')));
const {default: createModule} = await import(pathToFileURL(join(SITE, 'dist/intsam-simd.mjs')));
const wasmBinary = readFileSync(join(SITE, 'dist/intsam-simd.wasm'));
const cases = JSON.parse(readFileSync(join(CASES, 'cases.json')));
const bytes = (...path) => new Uint8Array(readFileSync(join(...path)));
const open = (model, tier) => Engine.create({createModule, wasmBinary, model: bytes(SITE, 'models', model), tier});
const photoOf = ({rgba, width, height}) => ({data: bytes(CASES, rgba), width, height});
const sha256 = (data) => createHash('sha256').update(data).digest('hex');
const refused = (status, words) => (error) =>
  error instanceof IntsamError && error.status === status && (assert.match(error.message, words), true);

const models = [...new Set(cases.map((one) => one.model))];
for (const [model, tier] of models.flatMap((model) => ['simd128', 'simd128dot'].map((tier) => [model, tier]))) {
  test(`${model}, ${tier}: masks equal the native tool's`, async () => {
    const engine = await open(model, tier);
    assert.equal(engine.info.tier, tier);
    let photo;
    for (const one of cases.filter((other) => other.model === model)) {
      if (photo !== one.photo) engine.setImage(photoOf(one));
      photo = one.photo;
      const {pixels, iou, ious, index} = engine.predict(one);
      assert.equal(sha256(pixels.map((value) => value * 255)), one.sha256, `${one.photo} ${JSON.stringify(one)}`);
      assert.equal(iou, ious[index]);
    }
    engine.close();
    assert.throws(() => engine.predict({points: [{x: 1, y: 1}]}), refused(2, /closed/));
  });
}

test('what pages download stays small', () => {
  for (const name of ['intsam-simd', 'intsam-simd-threaded']) {
    const size = brotliCompressSync(readFileSync(join(SITE, `dist/${name}.wasm`))).length;
    assert.ok(size <= 450 * 1024, `${name}.wasm: ${size} bytes with Brotli`);
  }
});

test('the kernels are those for this CPU', async () => {
  const {tier} = (await open(cases[0].model)).info;
  if (process.arch === 'x64') assert.equal(tier, 'simd128dot');
  if (process.arch === 'arm64') assert.equal(tier, 'simd128');
  await assert.rejects(open(cases[0].model, 'avx2'), refused(5, /avx2/));
});

test('one mask in three forms, at two sizes', async () => {
  const [one] = cases;
  const engine = await open(one.model);
  engine.setImage(photoOf(one));
  const prompt = {points: one.points};
  const {pixels, area, box, width, height} = engine.predict(prompt);
  assert.deepEqual([width, height], [one.width, one.height]);
  assert.equal(area, pixels.reduce((sum, value) => sum + value, 0));
  const columns = Array.from(pixels.keys()).filter((i) => pixels[i]).map((i) => i % width);
  assert.deepEqual([box[0], box[0] + box[2] - 1], [columns.reduce((a, b) => Math.min(a, b)), columns.reduce((a, b) => Math.max(a, b))]);

  const {rle} = engine.predict({...prompt, form: 'rle'});
  assert.deepEqual(rle.size, [height, width]);
  assert.equal(typeof rle.counts, 'string');

  // The area of a polygon by its corners: holes count negative.
  const {outlines} = engine.predict({...prompt, form: 'outlines'});
  let twice = 0;
  for (const {corners} of outlines) {
    for (let i = 0; i < corners.length; i += 2) {
      const [x, y] = [corners[(i + 2) % corners.length], corners[(i + 3) % corners.length]];
      twice += corners[i] * y - x * corners[i + 1];
    }
  }
  assert.equal(twice / 2, area);

  const small = engine.predict({...prompt, size: {width: 40, height: 30}});
  assert.deepEqual([small.width, small.height, small.pixels.length], [40, 30, 1200]);
});

test('a prediction refines another, an embedding stands for its photo', async () => {
  const [one] = cases;
  const engine = await open(one.model);
  const photo = photoOf(one);
  engine.setImage(photo);
  const first = engine.predict({points: one.points});
  const refined = engine.predict({points: one.points, maskInput: first.lowRes});
  const saved = engine.saveEmbedding();

  const other = await open(one.model);
  other.loadEmbedding(saved);
  assert.deepEqual(other.imageSize(), {width: one.width, height: one.height});
  other.checkImage(photo);
  assert.deepEqual(other.predict({points: one.points}).pixels, first.pixels);
  assert.deepEqual(other.predict({points: one.points, maskInput: first.lowRes}).lowRes, refined.lowRes);
  photo.data.fill(7);
  assert.throws(() => other.checkImage(photo), refused(2, /image/));
  saved[saved.length - 1] ^= 1;
  assert.throws(() => other.loadEmbedding(saved), refused(4, /./));
});

test('everything mode: masks with their scores, progress, cancel, callbacks that throw', async () => {
  const [one] = cases;
  const engine = await open(one.model);
  engine.setImage(photoOf(one));
  const settings = {pointsPerSide: 6, predIouThresh: 0.3, stabilityScoreThresh: 0.6, stabilityScoreOffset: 0.25};
  const masks = [];
  const steps = [];
  engine.everything(settings, (mask) => void masks.push(mask), (step, all) => void steps.push([step, all]));
  assert.ok(masks.length > 1);
  assert.equal(masks.length, masks[0].count);
  assert.ok(steps.every(([step, all]) => step <= all && all === 36));
  for (const mask of masks) {
    assert.ok(mask.iou > 0.3 && mask.stability >= 0.6 && mask.area > 0);
    assert.equal(typeof mask.rle.counts, 'string');
  }
  assert.throws(() => engine.everything(settings, () => {}, () => true), refused(130, /./));
  assert.throws(() => engine.everything(settings, () => { throw new RangeError('mine'); }), RangeError);
  assert.throws(() => engine.everything({points_per_side: 3}, () => {}), refused(2, /points_per_side/));
  assert.throws(() => engine.everything({pointsPerSide: 0}, () => {}), refused(2, /points_per_side/));
});

test('what is wrong is named', async () => {
  const [one] = cases;
  const model = bytes(SITE, 'models', one.model);
  await assert.rejects(Engine.create({createModule, wasmBinary, model: model.slice(0, 1000)}), refused(4, /./));
  await assert.rejects(Engine.create({createModule, wasmBinary, model: new Uint8Array(0)}), refused(4, /./));
  await assert.rejects(Engine.create({createModule, wasmBinary, model: 'model.isam'}), refused(2, /Uint8Array/));
  const engine = await open(one.model);
  const point = {x: 1, y: 1};
  assert.throws(() => engine.predict({points: [point]}), refused(2, /image/));
  assert.throws(() => engine.saveEmbedding(), refused(2, /./));
  assert.throws(() => engine.setImage({data: new Uint8Array(15), width: 2, height: 2}), refused(2, /15 bytes/));
  assert.throws(() => engine.setImage({data: new Uint8Array(0), width: 0, height: 2}), refused(2, /0 x 2/));
  assert.throws(() => engine.setImage({data: new Uint16Array(16), width: 2, height: 2}), refused(2, /array of bytes/));
  engine.setImage(photoOf(one));
  assert.throws(() => engine.predict({}), refused(2, /prompt/));
  assert.throws(() => engine.predict({points: [{x: NaN, y: 1}]}), refused(2, /NaN/));
  assert.throws(() => engine.predict({points: [{x: 1e12, y: 1}]}), refused(2, /too far/));
  assert.throws(() => engine.predict({points: [{x: 1, y: 1, label: 5}]}), refused(2, /label/));
  assert.throws(() => engine.predict({points: Array(300).fill(point)}), refused(2, /300/));
  assert.throws(() => engine.predict({box: [3, 3, 3, 9]}), refused(2, /box/));
  assert.throws(() => engine.predict({box: [3, 3, 9]}), refused(2, /box/));
  assert.throws(() => engine.predict({points: [point], maskInput: new Int16Array(9)}), refused(2, /maskInput/));
  assert.throws(() => engine.predict({points: [point], select: 9}), refused(2, /select/));
  assert.throws(() => engine.predict({points: [point], form: 'png'}), refused(2, /form/));
  assert.throws(() => engine.predict({points: [point], size: {width: -1, height: 4}}), refused(2, /./));
  engine.predict({points: [point]}); // still well
});
