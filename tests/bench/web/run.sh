#!/usr/bin/env bash
# Times MobileSAM in headless Chromium: @intsam/web beside onnxruntime-web on the same weights and photo, one thread and
# two, encoder and prompts; and how many previews a second the bundled models give under a moving mouse. Prints Markdown
# for docs/performance.md.
#   tests/bench/web/run.sh [--rounds N]
# The ONNX files are those of tests/bench/peers/run.sh --model mobile_sam, which is to be run before.
source "$(dirname "${BASH_SOURCE[0]}")/../../../cmake/bootstrap.sh"

here=$root/tests/bench/web
out=$root/build/web
rounds=3
if [ "${1-}" = --rounds ] && [[ ${2-} =~ ^[1-9][0-9]?$ ]] && [ $# -eq 2 ]; then
  rounds=$2
elif [ $# -ne 0 ]; then
  die "usage: tests/bench/web/run.sh [--rounds N], N of 1..99"
fi
peers=$(ls -d "$root"/build/peers/mobile_sam-seed1-*/onnx-static 2>/dev/null | head -n 1)
[ -n "$peers" ] || die "no ONNX files; first: tests/bench/peers/run.sh --model mobile_sam --systems ort ort-static"
peers=$(dirname "$peers")
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || die "needs Chromium"

make_site() {
  rm -rf "$out/bench"
  mkdir -p "$out/bench/models"
  cp "$here"/*.html "$here/page.mjs" "$out/bench/"
  cp -r "$out/package/dist" "$out/bench/"
  cp -r "$out/node_modules/onnxruntime-web/dist" "$out/bench/ort"
  cp "$peers/checkpoint/photo.png" "$out/bench/"
  cp "$out"/site/models/sam_tiny*.isam "$out/bench/models/"
  local form
  for form in onnx onnx-static; do cp -r "$peers/$form" "$out/bench/models/"; done
  local bits
  for bits in w8a8 w6a6; do
    "$root/build/release/bin/intsam-convert" "$peers/checkpoint/checkpoint.pth" --bits "$bits" --quiet \
      --calib "$peers/checkpoint/calibration" -o "$out/bench/models/$bits.isam"
  done
}

{
  "$root/bindings/web/build.sh"
  step "install the peer and the browser's driver" npm install --prefix "$out" --no-save --silent \
    puppeteer-core@25.16.0 onnxruntime-web@1.30.0
  step "page" make_site
} >&2
CHROMIUM=$chromium MODULES=$out SITE=$out/bench node "$here/measure.mjs" "$rounds"
