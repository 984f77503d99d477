#!/usr/bin/env bash
# Prints the table of average precision of docs/accuracy.md: both bundled models, FP32 and every profile, with the boxes
# of human regions as prompts. Needs pycocotools (pip install pycocotools).
#   tests/bench/coco.sh DATA [PROFILE...]
# DATA: a folder with calib/ and val/, as for tests/bench/accuracy.sh. PYTHON: the Python that has pycocotools (python3).
source "$(dirname "${BASH_SOURCE[0]}")/../../cmake/bootstrap.sh"
source "$root/tests/bench/precision.sh"

[ $# -gt 0 ] || die "usage: tests/bench/coco.sh DATA [PROFILE...]"
data=$(realpath -m "$1")
shift
profiles=("$@")
[ ${#profiles[@]} -gt 0 ] || profiles=("${all_profiles[@]}")
[ -d "$data/calib" ] && [ -d "$data/val" ] || die "$data has no calib and val folders; docs/accuracy.md says what belongs there"
precision_python
build_preset release intsam-convert intsam-compare intsam-batch

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" -B tests/bench/regions_to_coco.py "$data/val" "$work/val.json"
precision_head
for model in sam_tiny sam_tiny_mobile; do
  mkdir "$work/$model"
  for profile in "${profiles[@]}"; do
    $bin/intsam-convert "models/$model.safetensors" --calib "$data/calib" --bits "$profile" \
      -o "$work/$model/$profile.isam" -q
  done
  precision_rows "$model" "models/$model.safetensors" "$data/val" "$work/val.json" "$work/$model" "${profiles[@]}"
done
