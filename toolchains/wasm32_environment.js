// Linked into programs by wasm32.cmake: the environment of the process is that of the program,
Module['preRun'] = () => {
  if (typeof ENV !== 'undefined') Object.assign(ENV, process.env);
};
// and a program waits for the reader of its output: Node.js makes pipes non-blocking, and a write to a full one fails.
for (const stream of [process.stdout, process.stderr]) {
  if (stream._handle && stream._handle.setBlocking) stream._handle.setBlocking(true);
}
