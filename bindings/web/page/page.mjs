import {Intsam} from './dist/intsam.mjs';
import {Prompts} from './prompts.mjs';
import {View} from './view.mjs';

const LONG_PRESS_MS = 500;
const DRAG_PIXELS = 6; // on the screen; less is a click
const POINTS_PER_SIDE = 16; // half of the default's: a page should answer in seconds
const BUNDLED = /sam_tiny/; // small models are less sure of themselves: docs/tools.md
const SURE_ENOUGH = {predIouThresh: 0.3, stabilityScoreThresh: 0.6, stabilityScoreOffset: 0.25};

const element = (id) => document.getElementById(id);
const canvas = element('canvas');
const view = new View(canvas);
const prompts = new Prompts();

let intsam = null;
let modelName = '';
let photo = null; // {width, height, name}
let mask = null; // the last prediction
let busy = null; // AbortController of what runs long
let rubber = null; // the box while it is drawn
let cross = null; // where the keyboard is
let generation = 0; // of model, photo and prompts: answers to older ones are not shown

function say(text, error = false) {
  element('status').textContent = text;
  element('status').classList.toggle('error', error);
}

function draw() {
  view.draw({points: prompts.points, box: prompts.box, rubber, cross});
  element('undo').disabled = !prompts.canUndo;
  element('clear').disabled = prompts.empty && !view.showsMasks;
  element('everything').disabled = !intsam || !photo || busy !== null;
  element('cutout').disabled = !mask || !photo?.bitmap;
  element('stop').hidden = busy === null;
}

const bytesText = (values) => Array.from(values, (value) => value.toString(16).padStart(2, '0')).join('');

async function hashOf({pixels}) {
  if (!crypto.subtle) return 'needs https or localhost';
  return bytesText(new Uint8Array(await crypto.subtle.digest('SHA-256', pixels.map((value) => value * 255))));
}

// Runs what takes long, with a progress bar and a button that stops it. `true` when it was done.
async function long(what, work) {
  const controller = new AbortController();
  const bar = element('progress');
  busy?.abort();
  busy = controller;
  bar.removeAttribute('value');
  bar.hidden = false;
  say(`${what}…`);
  draw();
  try {
    await work({
      signal: controller.signal,
      onProgress: ({step, steps}) => {
        bar.max = steps;
        bar.value = step;
      },
    });
    return true;
  } catch (error) {
    if (controller.signal.aborted) say(busy === controller ? 'Stopped.' : '');
    else say(error.message, true);
    return false;
  } finally {
    if (busy === controller) {
      busy = null;
      bar.hidden = true;
      draw();
    }
  }
}

// ---------------------------------------------------------------- model and photo

const kDecoderAlone = 'This model has no image encoder: load an embedding that the whole model has saved.';

async function openModel(source, name) {
  intsam?.close();
  intsam = null;
  forget();
  const started = performance.now();
  const done = await long('Loading the model', async ({signal}) => {
    intsam = await Intsam.create({model: source, signal});
  });
  if (!done) return;
  modelName = name;
  const {threads, tier} = intsam.info;
  element('kernels').textContent = `${tier}, ${threads} thread${threads > 1 ? 's' : ''}`;
  say(`Model ready after ${Math.round(performance.now() - started)} ms.`);
  if (!intsam.info.hasEncoder) say(kDecoderAlone);
  else if (photo?.bitmap) await encode();
}

// Answers that are still to come belong to what was before.
function forget() {
  generation++;
  prompts.reset();
  mask = null;
  for (const id of ['iou', 'area', 'time', 'hash', 'command']) element(id).textContent = '–';
}

async function openPhoto(source, name) {
  let bitmap;
  try {
    const blob = typeof source === 'string' ? await (await fetch(source)).blob() : source;
    bitmap = await createImageBitmap(blob, {colorSpaceConversion: 'none', premultiplyAlpha: 'none'});
  } catch {
    return say(`${name}: this browser cannot read it as a photo`, true);
  }
  photo?.bitmap?.close();
  photo = {bitmap, width: bitmap.width, height: bitmap.height, name};
  element('sample').value = typeof source === 'string' ? source : '';
  cross = null;
  view.setPhoto(bitmap, photo.width, photo.height);
  forget();
  draw();
  if (intsam && !intsam.info.hasEncoder) say(kDecoderAlone, true);
  else if (intsam) await encode();
}

async function encode() {
  const started = performance.now();
  forget();
  view.showMask(null);
  const done = await long('Looking at the photo', (options) => intsam.setImage(photo.bitmap, options));
  if (!done) return;
  const seconds = (performance.now() - started) / 1000;
  element('time').textContent = `photo ${seconds.toFixed(2)} s`;
  say(`Ready after ${seconds.toFixed(2)} s: move over the photo, click, drag.`);
  draw();
}

async function openEmbedding(file) {
  if (!intsam) return;
  const done = await long('Loading the embedding', async ({signal}) => {
    await intsam.loadEmbedding(file, {signal});
    const size = await intsam.imageSize();
    const same = photo?.bitmap && photo.width === size.width && photo.height === size.height
      && await intsam.checkImage(photo.bitmap).then(() => true, () => false);
    if (!same) {
      photo = {...size, name: file.name, bitmap: null};
      view.setPhoto(null, size.width, size.height);
    }
    forget();
  });
  if (done) say('Embedding loaded: click, drag.');
  draw();
}

// ---------------------------------------------------------------- masks

const ready = () => intsam && photo && !busy;

let decoding = false;
let pending = null;

// One decode at a time; of the previews that wait only the newest counts.
async function decode(prompt, show) {
  if (decoding) {
    if (!pending || prompt.final || !pending.prompt.final) pending = {prompt, show};
    return;
  }
  decoding = true;
  const asked = generation;
  try {
    const {final, ...rest} = prompt;
    const started = performance.now();
    const answer = await intsam.predict(rest);
    if (asked === generation) await show(answer, performance.now() - started);
  } catch (error) {
    if (asked === generation) say(error.message, true);
  }
  decoding = false;
  const next = pending;
  pending = null;
  if (next && ready()) decode(next.prompt, next.show);
}

function preview({x, y}) {
  if (!ready() || !prompts.empty) return;
  decode({points: [{x, y, label: 1}], size: view.size}, (answer, ms) => {
    if (!prompts.empty) return;
    view.showMask(answer, true);
    element('iou').textContent = answer.iou.toFixed(3);
    element('time').textContent = `preview ${ms.toFixed(0)} ms`;
    draw();
  });
}

function answerPrompts() {
  generation++;
  if (prompts.empty) {
    mask = null;
    view.showMask(null);
    for (const id of ['iou', 'area', 'hash', 'command']) element(id).textContent = '–';
    say('');
    return draw();
  }
  draw();
  if (!ready()) return;
  decode({points: prompts.points, box: prompts.box ?? undefined, final: true}, async (answer, ms) => {
    mask = answer;
    view.showMask(mask);
    element('iou').textContent = mask.iou.toFixed(3);
    element('area').textContent = `${mask.area} pixels`;
    element('time').textContent = `${ms.toFixed(0)} ms`;
    element('command').textContent = `intsam-segment ${modelName} ${photo.name} ${prompts.options} -o mask.png`;
    say(`Mask of ${mask.area} pixels, predicted IoU ${mask.iou.toFixed(3)}.`);
    draw();
    const asked = generation;
    const hash = await hashOf(answer);
    if (asked === generation) element('hash').textContent = hash;
  });
}

async function everything() {
  if (!ready()) return;
  prompts.clear();
  mask = null;
  generation++;
  view.showMask(null);
  const started = performance.now();
  const settings = BUNDLED.test(modelName) ? SURE_ENOUGH : {};
  await long('Searching the photo', async (options) => {
    const masks = await intsam.everything({pointsPerSide: POINTS_PER_SIDE, ...settings, form: 'outlines', ...options});
    view.showAll(masks);
    say(`${masks.length} masks after ${((performance.now() - started) / 1000).toFixed(1)} s.`);
  });
}

function download(blob, name) {
  const link = Object.assign(document.createElement('a'), {href: URL.createObjectURL(blob), download: name});
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href));
}

async function cutout() {
  if (!mask || !photo?.bitmap) return;
  const {width, height} = mask;
  const picture = new OffscreenCanvas(width, height);
  const context = picture.getContext('2d');
  context.drawImage(photo.bitmap, 0, 0);
  const image = context.getImageData(0, 0, width, height);
  for (let i = 0; i < mask.pixels.length; ++i) if (!mask.pixels[i]) image.data.fill(0, 4 * i, 4 * i + 4);
  context.putImageData(image, 0, 0);
  download(await picture.convertToBlob({type: 'image/png'}), `${photo.name.replace(/\.\w+$/, '')}-cutout.png`);
}

// ---------------------------------------------------------------- mouse, finger, keyboard

function addPoint({x, y}, label) {
  prompts.addPoint(x, y, label);
  answerPrompts();
}

let press = null; // {id, start, screen, timer, spent}

canvas.addEventListener('pointerdown', (event) => {
  if (!photo || event.button !== 0) return;
  press = {id: event.pointerId, start: view.at(event, photo), screen: [event.clientX, event.clientY], spent: false};
  if (event.pointerType !== 'mouse') {
    const current = press;
    press.timer = setTimeout(() => {
      if (rubber || press !== current) return;
      current.spent = true;
      addPoint(current.start, 0);
    }, LONG_PRESS_MS);
  } else {
    canvas.setPointerCapture(event.pointerId);
  }
});

canvas.addEventListener('pointermove', (event) => {
  if (!photo) return;
  const at = view.at(event, photo);
  if (!press) {
    if (event.pointerType === 'mouse') preview(at);
    return;
  }
  const moved = Math.hypot(event.clientX - press.screen[0], event.clientY - press.screen[1]) > DRAG_PIXELS;
  if (press.spent || (!rubber && !moved)) return;
  const {start} = press;
  rubber = [Math.min(start.x, at.x), Math.min(start.y, at.y), Math.max(start.x, at.x), Math.max(start.y, at.y)];
  draw();
});

canvas.addEventListener('pointerup', (event) => {
  if (!press || event.pointerId !== press.id) return;
  clearTimeout(press.timer);
  const {start, spent} = press;
  const box = rubber;
  press = rubber = null;
  if (spent) return;
  if (!box) return addPoint(start, 1);
  if (box[2] > box[0] && box[3] > box[1]) prompts.setBox(box);
  answerPrompts();
});

canvas.addEventListener('pointercancel', () => {
  clearTimeout(press?.timer);
  press = rubber = null;
  draw();
});

canvas.addEventListener('pointerleave', () => {
  if (prompts.empty && !mask && !busy && photo) {
    pending = null;
    generation++;
    view.showMask(null);
    draw();
  }
});

canvas.addEventListener('contextmenu', (event) => {
  event.preventDefault();
  if (photo && !press) addPoint(view.at(event, photo), 0);
});

function moveCross(dx, dy) {
  cross ??= {x: photo.width >> 1, y: photo.height >> 1};
  cross = {
    x: Math.min(photo.width - 1, Math.max(0, cross.x + dx)),
    y: Math.min(photo.height - 1, Math.max(0, cross.y + dy)),
  };
  draw();
  preview(cross);
}

const ARROWS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};

canvas.addEventListener('keydown', (event) => {
  if (!photo || event.ctrlKey || event.metaKey || event.altKey) return;
  const step = event.shiftKey ? 1 : Math.max(1, Math.round(Math.max(photo.width, photo.height) / 64));
  if (ARROWS[event.key]) moveCross(...ARROWS[event.key].map((unit) => unit * step));
  else if (event.key === 'Enter' && cross) addPoint(cross, 1);
  else if ((event.key === 'Delete' || event.key === 'Backspace') && cross) addPoint(cross, 0);
  else return;
  event.preventDefault();
});

addEventListener('keydown', (event) => {
  if (event.target.matches?.('select, input')) return;
  if ((event.ctrlKey || event.metaKey) && event.key === 'z') {
    event.preventDefault();
    undo();
  } else if (event.key === 'Escape') clear();
  else if (event.key === 'e' && !event.ctrlKey && !event.metaKey && !event.altKey) everything();
});

function undo() {
  prompts.undo();
  answerPrompts();
}

function clear() {
  busy?.abort();
  prompts.clear();
  answerPrompts();
}

element('undo').addEventListener('click', undo);
element('clear').addEventListener('click', clear);
element('everything').addEventListener('click', everything);
element('cutout').addEventListener('click', cutout);
element('stop').addEventListener('click', () => busy?.abort());

// ---------------------------------------------------------------- sources

const nameOf = (path) => path.split('/').pop();

element('model').addEventListener('change', ({target}) => {
  if (target.value === 'file') element('model-file').click();
  else openModel(target.value, nameOf(target.value));
});
element('model-file').addEventListener('change', ({target}) => {
  if (target.files[0]) openModel(target.files[0], target.files[0].name);
});
element('sample').addEventListener('change', ({target}) => openPhoto(target.value, nameOf(target.value)));
for (const id of ['photo', 'camera']) {
  element(id).addEventListener('change', ({target}) => {
    if (target.files[0]) openPhoto(target.files[0], target.files[0].name);
    target.value = '';
  });
}
element('embedding').addEventListener('change', ({target}) => {
  if (target.files[0]) openEmbedding(target.files[0]);
  target.value = '';
});

addEventListener('dragover', (event) => {
  event.preventDefault();
  element('stage').classList.add('dropping');
});
addEventListener('dragleave', () => element('stage').classList.remove('dropping'));
addEventListener('drop', (event) => {
  event.preventDefault();
  element('stage').classList.remove('dropping');
  const file = event.dataTransfer.files[0];
  if (file) openPhoto(file, file.name);
});
addEventListener('paste', (event) => {
  const file = [...event.clipboardData.files].find(({type}) => type.startsWith('image/'));
  if (file) openPhoto(file, file.name || 'pasted.png');
});

element('sources').addEventListener('submit', (event) => event.preventDefault());
await openPhoto(element('sample').value, nameOf(element('sample').value));
await openModel(element('model').value, nameOf(element('model').value));
