// What was clicked and drawn so far, and how it is taken back.
export class Prompts {
  points = [];
  box = null;
  #before = [];

  addPoint(x, y, label) {
    this.#keep();
    this.points = [...this.points, {x, y, label}];
  }

  setBox(corners) {
    this.#keep();
    this.box = corners;
  }

  clear() {
    if (this.empty) return;
    this.#keep();
    this.points = [];
    this.box = null;
  }

  /** For another photo: nothing is left to take back. */
  reset() {
    this.points = [];
    this.box = null;
    this.#before = [];
  }

  undo() {
    const before = this.#before.pop();
    if (before) Object.assign(this, before);
  }

  get empty() {
    return this.points.length === 0 && !this.box;
  }

  get canUndo() {
    return this.#before.length > 0;
  }

  /** The same prompt for intsam-segment. */
  get options() {
    const words = this.points.map(({x, y, label}) => `--point ${x},${y}${label ? '' : ',0'}`);
    if (this.box) words.push(`--box ${this.box.join(',')}`);
    return words.join(' ');
  }

  #keep() {
    this.#before.push({points: this.points, box: this.box});
  }
}
