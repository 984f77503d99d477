#!/usr/bin/env bash
# Builds the package @intsam/web (build/web/package) and the page (build/web/site), which any static server can serve:
#   bindings/web/build.sh && bindings/web/serve.py build/web/site
# Needs Emscripten 3.1.6 or later (Debian, Ubuntu: emscripten) and, for the models, the converter.
source "$(dirname "${BASH_SOURCE[0]}")/../../cmake/bootstrap.sh"

here=$root/bindings/web
out=$root/build/web
# Distributions keep the packages of JavaScript that emcc calls where only their own Node.js looks.
export NODE_PATH=${NODE_PATH-/usr/share/nodejs}

build() {
  local name=$1
  shift
  emcmake cmake -S "$here" -B "$out/$name" -G Ninja -DCMAKE_BUILD_TYPE=Release "$@"
  cmake --build "$out/$name" --parallel "$jobs"
}

make_package() {
  rm -rf "$out/package"
  mkdir -p "$out/package/dist"
  cp "$here"/src/*.mjs "$out"/{simd,threads}/dist/* "$out/package/dist/"
  cp -r "$here"/{package.json,README.md,types} "$root/LICENSE" "$out/package/"
}

make_site() {
  rm -rf "$out/site"
  mkdir -p "$out/site"/{models,photos}
  cp "$here"/page/* "$out/site/"
  cp -r "$out/package/dist" "$out/site/"
  cp "$root"/models/photos/*.{png,jpg} "$out/site/photos/"
  local model
  for model in sam_tiny sam_tiny_mobile; do
    "$root/build/release/bin/intsam-convert" "$root/models/$model.safetensors" -o "$out/site/models/$model.isam" \
      --calib "$root/models/photos" --bits w8a8 --quiet
  done
}

# In bytes, as they are and as servers send them.
print_sizes() {
  node -e '
    const {readFileSync} = require("fs"), {brotliCompressSync} = require("zlib");
    for (const path of process.argv.slice(1)) {
      const bytes = readFileSync(path);
      console.log(`${path.split("/").pop()}: ${bytes.length}, with Brotli ${brotliCompressSync(bytes).length}`);
    }' "$out"/package/dist/*.wasm
}

use_targets wasm32
build_preset release intsam-convert
step "build (one thread)" build simd
step "build (threads)" build threads -DINTSAM_WEB_THREADS=ON
step "package" make_package
step "sizes" print_sizes
step "page" make_site
