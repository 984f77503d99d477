// Linked into programs by wasm32.cmake: the environment of the process is that of the program.
Module['preRun'] = () => {
  if (typeof ENV !== 'undefined') Object.assign(ENV, process.env);
};
