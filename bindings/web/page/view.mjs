// Draws the photo, masks over it, and what was clicked. Coordinates outside are pixels of the photo.
const MAX_SIDE = 1024; // of the canvas, in its own pixels
const COLORS = ['#ff4d6d', '#2ec4ff', '#ffd23f', '#7ae582', '#c77dff', '#ff9f1c', '#00c9a7', '#f15bb5', '#9bf6ff',
  '#e9ff70', '#8093f1', '#ff8fab'];

const canvasOf = (width, height) => Object.assign(document.createElement('canvas'), {width, height});

// The mask's pixels in one colour, everything else transparent.
function shapeOf({width, height, pixels}, color) {
  const shape = canvasOf(width, height);
  const context = shape.getContext('2d');
  const image = context.createImageData(width, height);
  const words = new Uint32Array(image.data.buffer);
  for (let i = 0; i < pixels.length; ++i) if (pixels[i]) words[i] = 0xffffffff;
  context.putImageData(image, 0, 0);
  context.globalCompositeOperation = 'source-in';
  context.fillStyle = color;
  context.fillRect(0, 0, width, height);
  return shape;
}

export class View {
  #canvas;
  #context;
  #photo = null;
  #layers = []; // [{shape, alpha}] and [{path, color}]
  #scale = 1;

  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext('2d');
  }

  /** photo: an ImageBitmap, or null with a size where only the embedding is known. */
  setPhoto(photo, width, height) {
    this.#photo = photo;
    this.#scale = Math.min(1, MAX_SIDE / Math.max(width, height));
    this.#canvas.width = Math.max(1, Math.round(width * this.#scale));
    this.#canvas.height = Math.max(1, Math.round(height * this.#scale));
    this.#layers = [];
  }

  /** Size that masks need here. */
  get size() {
    return {width: this.#canvas.width, height: this.#canvas.height};
  }

  get showsMasks() {
    return this.#layers.length > 0;
  }

  /** Where on the photo an event of the mouse or a finger is, in whole pixels within it. */
  at(event, {width, height}) {
    const frame = this.#canvas.getBoundingClientRect();
    const within = (value, end) => Math.min(end - 1, Math.max(0, Math.floor(value)));
    return {
      x: within(((event.clientX - frame.left) / frame.width) * width, width),
      y: within(((event.clientY - frame.top) / frame.height) * height, height),
    };
  }

  /** One mask with `pixels`, or none. A preview is paler. */
  showMask(mask, preview = false) {
    this.#layers = mask ? [{shape: shapeOf(mask, COLORS[0]), preview}] : [];
  }

  /** Masks with `outlines` of the photo's size, large ones below. */
  showAll(masks) {
    this.#layers = [...masks].sort((a, b) => b.area - a.area).map((mask) => {
      const path = new Path2D();
      for (const {corners} of mask.outlines) {
        for (let i = 0; i < corners.length; i += 2) {
          path[i ? 'lineTo' : 'moveTo'](corners[i] * this.#scale, corners[i + 1] * this.#scale);
        }
        path.closePath();
      }
      return {path, color: COLORS[mask.index % COLORS.length]};
    });
  }

  draw({points = [], box, rubber, cross} = {}) {
    const context = this.#context;
    const {width, height} = this.size;
    context.globalAlpha = 1;
    context.fillStyle = '#888';
    context.fillRect(0, 0, width, height);
    if (this.#photo) context.drawImage(this.#photo, 0, 0, width, height);
    for (const layer of this.#layers) {
      if (layer.path) this.#drawPath(layer);
      else this.#drawShape(layer);
    }
    for (const corners of [box, rubber]) if (corners) this.#drawBox(corners);
    for (const point of points) this.#drawPoint(point);
    if (cross) this.#drawCross(cross);
  }

  #drawShape({shape, preview}) {
    const {width, height} = this.size;
    const context = this.#context;
    context.globalAlpha = preview ? 0.35 : 0.5;
    context.drawImage(shape, 0, 0, width, height);
    // The contour: the shape a bit larger, in white, less the shape.
    const rim = canvasOf(width, height);
    const pen = rim.getContext('2d');
    for (const [x, y] of [[-2, 0], [2, 0], [0, -2], [0, 2], [-1, -1], [1, 1], [-1, 1], [1, -1]]) {
      pen.drawImage(shape, x, y, width, height);
    }
    pen.globalCompositeOperation = 'destination-out';
    pen.drawImage(shape, 0, 0, width, height);
    pen.globalCompositeOperation = 'source-in';
    pen.fillStyle = '#fff';
    pen.fillRect(0, 0, width, height);
    context.globalAlpha = preview ? 0.7 : 1;
    context.drawImage(rim, 0, 0);
    context.globalAlpha = 1;
  }

  #drawPath({path, color}) {
    const context = this.#context;
    context.globalAlpha = 0.5;
    context.fillStyle = color;
    context.fill(path, 'evenodd');
    context.globalAlpha = 1;
    context.strokeStyle = '#fff';
    context.lineWidth = 1.5;
    context.stroke(path);
  }

  #drawPoint({x, y, label}) {
    const context = this.#context;
    context.beginPath();
    context.arc((x + 0.5) * this.#scale, (y + 0.5) * this.#scale, 7, 0, 2 * Math.PI);
    context.fillStyle = label ? '#00b341' : '#e0003c';
    context.fill();
    context.lineWidth = 2;
    context.strokeStyle = '#fff';
    context.stroke();
  }

  #drawBox([x0, y0, x1, y1]) {
    const context = this.#context;
    context.lineWidth = 3;
    context.strokeStyle = '#000';
    context.strokeRect(x0 * this.#scale, y0 * this.#scale, (x1 - x0) * this.#scale, (y1 - y0) * this.#scale);
    context.lineWidth = 1.5;
    context.strokeStyle = '#00e05a';
    context.strokeRect(x0 * this.#scale, y0 * this.#scale, (x1 - x0) * this.#scale, (y1 - y0) * this.#scale);
  }

  #drawCross({x, y}) {
    const context = this.#context;
    const [u, v] = [(x + 0.5) * this.#scale, (y + 0.5) * this.#scale];
    for (const [width, color] of [[4, '#000'], [2, '#fff']]) {
      context.lineWidth = width;
      context.strokeStyle = color;
      context.beginPath();
      context.moveTo(u - 12, v);
      context.lineTo(u + 12, v);
      context.moveTo(u, v - 12);
      context.lineTo(u, v + 12);
      context.stroke();
    }
  }
}
