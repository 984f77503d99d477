#!/usr/bin/env bash
# Measures what users would pick instead of intsam, side by side with it on this machine, and prints one table.
#   tests/bench/peers/run.sh [options, see --help]
# What the rows mean and what makes them comparable: docs/performance.md. Everything made here is below build/peers:
# the first run installs the peers there (5 GB, most of it libraries that PyTorch's wheel is linked to).
source "$(dirname "${BASH_SOURCE[0]}")/../../../cmake/bootstrap.sh"

here=$root/tests/bench/peers
venv=$root/build/peers/venv
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || die "the peers need Python 3.11 or later"
# Options are checked before anything is installed. What that prints is the answer to --help.
help=$(python3 -B "$here/peers.py" --check-options "$@") || exit
if [ -n "$help" ]; then
  say "$help"
  exit
fi

pip=("$venv/bin/python" -m pip --quiet --disable-pip-version-check install)
everybodys=("$here"/requirements{-cuda,-torch,}.txt)

install_peers() {
  if [ -f "$venv/complete" ] && cat "${everybodys[@]}" | cmp -s - "$venv/complete"; then
    say "nothing is missing"
    return
  fi
  python3 -m venv --clear "$venv"
  "${pip[@]}" -r "$here/requirements.txt"
  "${pip[@]}" --no-deps -r "$here/requirements-torch.txt"
  "$venv/bin/python" -c "import torch" 2>/dev/null || "${pip[@]}" --no-deps -r "$here/requirements-cuda.txt"
  "$venv/bin/python" -c "import torch, torchvision, segment_anything, mobile_sam, onnxruntime, openvino, nncf"
  cat "${everybodys[@]}" >"$venv/complete"
}

# install_further NAME: what a system needs that is measured only where it is named.
install_further() {
  local requirements=$here/requirements-$1.txt
  cmp -s "$requirements" "$venv/complete-$1" && return
  "${pip[@]}" --no-deps -r "$requirements"
  cp "$requirements" "$venv/complete-$1"
}

# stdout is the table's: what is installed and built goes to stderr.
{
  build_preset release float_embedding intsam-bench intsam-convert intsam-everything \
    intsam-inspect intsam-segment
  step "install the peers" install_peers
  for name in $(python3 -B "$here/peers.py" --list-requirements "$@"); do
    step "install $name" install_further "$name"
  done
} >&2
"$venv/bin/python" -B "$here/peers.py" "$@"
