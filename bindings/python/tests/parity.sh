#!/usr/bin/env bash
# The Python package against the original one, in full: makes an environment with PyTorch, converts the bundled model,
# and runs parity.py on the bundled photos, then the tests of the package with PyTorch at hand.
#   bindings/python/tests/parity.sh [PHOTO...]
# Debian's PyTorch serves where it is installed (python3-torch, python3-torchvision), for /usr/bin/python3; else pip
# fetches the one for CPUs. Takes about ten minutes on two cores, most of them the original's everything mode.
source "$(dirname "${BASH_SOURCE[0]}")/../../../cmake/bootstrap.sh"

python=python3
if /usr/bin/python3 -c 'import torch, torchvision' 2>/dev/null; then python=/usr/bin/python3; fi
cd "$root"
[ $# -gt 0 ] || set -- models/photos/*.png models/photos/*.jpg
build_preset release intsam intsam-convert everything_dump
scratch=$(mktemp -d)
trap 'status=$?; rm -rf "$scratch"; (exit "$status") || report_failure' EXIT
step "a virtual environment" "$python" -m venv --system-site-packages "$scratch/env"
export PATH=$scratch/env/bin:$PATH
step "pip" pip install --quiet --upgrade pip
# Debian's PyTorch was built for the first numpy, and so were its companions.
step "packages" pip install --quiet torch torchvision segment-anything safetensors pytest pycocotools pillow cffi \
  "numpy<2" "opencv-python-headless<4.9" "scikit-build-core>=0.10" "cmake>=3.26" ninja
step "the package" pip install --quiet --no-deps --no-build-isolation .
step "convert the bundled model" build/release/bin/intsam-convert models/sam_tiny.safetensors -o "$scratch/sam_tiny.isam" \
  --calib models/photos --bits w8a8 -q
step "everything mode on the same logits" python -B tests/everything/parity_test.py build/release/bin/everything_dump \
  tests/golden/data/micro.isam
step "the package's own tests, with PyTorch" python -B -m pytest -q -p no:cacheprovider bindings/python/tests
step "against the original" python -B bindings/python/tests/parity.py --model "$scratch/sam_tiny.isam" \
  --checkpoint models/sam_tiny.safetensors --config models/sam_tiny.json "$@"
