#!/usr/bin/env bash
# The web package and the page, built and tested: the engine under Node.js, the page in headless Chromium where there is
# one (Debian: chromium). Pictures of the page are left in build/web/shots.
source "$(dirname "${BASH_SOURCE[0]}")/../../../cmake/bootstrap.sh"

here=$root/bindings/web/tests
out=$root/build/web
"$root/bindings/web/build.sh"
build_preset release intsam-segment
step "masks of the native tool" python3 -B "$here/native_masks.py" "$root/build/release/bin" "$out/site" "$out/cases"
export SITE=$out/site CASES=$out/cases SHOTS=$out/shots MODULES=$out CHROMIUM
CHROMIUM=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
mkdir -p "$SHOTS"
cp "$root/tests/golden/data/micro.isam" "$SITE/models/"
node --test "$here/engine_test.mjs"
check_types() {
  npm install --prefix "$out" --no-save --silent typescript@5.9.3 puppeteer-core@25.16.0
  mkdir -p "$out/node_modules/@intsam"
  ln -sfn "$out/package" "$out/node_modules/@intsam/web"
  cp "$here/types_test.ts" "$out/"
  "$out/node_modules/.bin/tsc" --noEmit --strict --target es2022 --module nodenext --moduleResolution nodenext \
    --lib es2022,dom --skipLibCheck "$out/types_test.ts"
}
step "types, and install the browser's driver" check_types
if [ -n "$CHROMIUM" ]; then
  node --test "$here/page_test.mjs"
else
  say "skipped: page_test.mjs needs Chromium"
fi
