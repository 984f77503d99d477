#!/usr/bin/env bash
# Measures an official checkpoint, by those who have a network: fetches it (checked, models/fetch.py), converts it with
# every profile, and prints how far each is from FP32 on the bundled photos; with a folder of COCO also the table of
# average precision, as papers measure SAM.
#   tests/bench/real.sh vit_b|vit_l|vit_h|mobile_sam [COCO] [PROFILE...]
# COCO: a folder with annotations/instances_val2017.json and val2017/. Where it has train2017/ its first 32 photos
#   calibrate, else the bundled ones do. Where it has detections.json (boxes of a detector as COCO's results), a second
#   table has the masks of those boxes. Needs pycocotools; PYTHON: the Python that has it (python3).
# MANIFEST: in place of models/manifest.json. TO: where checkpoints and models are kept (models/fetched).
source "$(dirname "${BASH_SOURCE[0]}")/../../cmake/bootstrap.sh"
source "$root/tests/bench/precision.sh"

usage="usage: tests/bench/real.sh vit_b|vit_l|vit_h|mobile_sam [COCO] [PROFILE...]"
[ $# -gt 0 ] || die "$usage"
model=$1
shift
coco=
if [ $# -gt 0 ] && [[ ! $1 =~ ^(w[2-8]a[2-8]|mixed) ]]; then
  coco=$(realpath -m "$1")
  shift
fi
profiles=("$@")
[ ${#profiles[@]} -gt 0 ] || profiles=("${all_profiles[@]}")
python=${PYTHON:-python3}
calibration=$root/models/photos
if [ -n "$coco" ]; then
  annotations=$coco/annotations/instances_val2017.json
  [ -d "$coco/val2017" ] && [ -f "$annotations" ] || die "$coco has no val2017 and annotations/instances_val2017.json. $usage"
  [ ! -d "$coco/train2017" ] || calibration=$coco/train2017
  precision_python
fi

# stdout is the tables'.
{
  build_preset release intsam-convert intsam-compare intsam-batch
  to=$(realpath -m "${TO:-models/fetched}")
  checkpoint=$("$python" -B models/fetch.py "$model" --to "$to" --manifest "${MANIFEST:-models/manifest.json}")
  work=$to/$model
  mkdir -p "$work"
  for profile in "${profiles[@]}"; do
    $bin/intsam-convert "$checkpoint" --calib "$calibration" --bits "$profile" -o "$work/$profile.isam"
  done
} >&2

echo "$model, calibrated on ${calibration#"$root/"}; masks of models/photos against FP32 (docs/accuracy.md)"
echo
echo "| bits | MiB | agreement point / box | worst | embedding error | encoder FP32 / integers |"
echo "|---|---|---|---|---|---|"
for profile in "${profiles[@]}"; do
  $bin/intsam-compare -m "$work/$profile.isam" --checkpoint "$checkpoint" --images models/photos --json -q |
    "$python" -c '
import json, os, sys
result, (profile, path) = json.load(sys.stdin), sys.argv[1:]
pair = lambda key: " / ".join("%.3f" % result[kind][key] for kind in ("point", "box"))
print("| %s | %.1f | %s | %s | %.4f | %.2f s / %.2f s |" % (
    profile, os.path.getsize(path) / 2**20, pair("mask_agreement"), pair("worst_agreement"),
    result["embedding_relative_l2"], result["fp32_encode_s"], result["int_encode_s"]))
' "$profile" "$work/$profile.isam"
done
[ -n "$coco" ] || exit 0

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for profile in "${profiles[@]}"; do ln -s "$work/$profile.isam" "$scratch/$profile.isam"; done
echo
echo "COCO val2017, boxes of the annotations"
echo
precision_head
precision_rows "$model" "$checkpoint" "$coco/val2017" "$annotations" "$scratch" "${profiles[@]}"
[ -f "$coco/detections.json" ] || exit 0
echo
echo "COCO val2017, boxes of detections.json, scored by the detector"
echo
precision_head
for profile in "${profiles[@]}"; do
  $bin/intsam-batch "$scratch/$profile.isam" "$coco/val2017" --annotations "$annotations" \
    --detections "$coco/detections.json" --score detector --out "$scratch/detector-$profile" -q
  mv "$scratch/detector-$profile/results.json" "$scratch/$profile.json"
done
(cd "$scratch" && "$python" "$root/apps/coco/intsam_coco.py" "${profiles[@]/%/.json}" --annotations "$annotations" --json) |
  precision_lines "$model"
