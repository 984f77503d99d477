#!/usr/bin/env bash
# Prints the table of average precision of docs/accuracy.md: both bundled models, FP32 and every profile, with the boxes
# of human regions as prompts. Needs pycocotools (pip install pycocotools).
#   tests/bench/coco.sh DATA [PROFILE...]
# DATA: a folder with calib/ and val/, as for tests/bench/accuracy.sh. PYTHON: the Python that has pycocotools (python3).
source "$(dirname "${BASH_SOURCE[0]}")/../../cmake/bootstrap.sh"

[ $# -gt 0 ] || die "usage: tests/bench/coco.sh DATA [PROFILE...]"
data=$(realpath -m "$1")
shift
profiles=("$@")
[ ${#profiles[@]} -gt 0 ] || profiles=(w8a8 w7a8 w6a8 w6a6 w4a8 w4a4)
[ -d "$data/calib" ] && [ -d "$data/val" ] || die "$data has no calib and val folders; docs/accuracy.md says what belongs there"
python=${PYTHON:-python3}
"$python" -c "import pycocotools" || die "needs pycocotools: pip install pycocotools, and PYTHON where that is not python3"
build_preset release intsam-convert intsam-compare intsam-batch

bin=build/release/bin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" -B tests/bench/regions_to_coco.py "$data/val" "$work/val.json"
echo "| model | bits | AP | AP50 | AP75 | S | M | L |"
echo "|---|---|---|---|---|---|---|---|"
for model in sam_tiny sam_tiny_mobile; do
  mkdir "$work/$model"
  for profile in "${profiles[@]}"; do
    $bin/intsam-convert "models/$model.safetensors" --calib "$data/calib" --bits "$profile" -o "$work/model.isam" -q
    if [ ! -f "$work/$model/fp32.json" ]; then
      $bin/intsam-compare -m "$work/model.isam" --checkpoint "models/$model.safetensors" --images "$data/val" \
        --coco "$work/val.json" --coco-results "$work/$model" -q
      rm "$work/$model/int.json"  # that of intsam-batch is measured, as users have it
    fi
    $bin/intsam-batch "$work/model.isam" "$data/val" --annotations "$work/val.json" --prompt gt-box \
      --out "$work/$model/$profile" -q
    mv "$work/$model/$profile/results.json" "$work/$model/$profile.json"
  done
  (cd "$work/$model" && "$python" "$OLDPWD/apps/coco/intsam_coco.py" fp32.json "${profiles[@]/%/.json}" \
    --annotations ../val.json --json) |
    "$python" -c '
import json, sys
for row in json.load(sys.stdin)["rows"]:
    name = row["results"].removesuffix(".json").replace("fp32", "FP32")
    figures = (row[key] for key in ("AP", "AP50", "AP75", "S", "M", "L"))
    print("|", " | ".join([sys.argv[1], name, *("-" if v is None else f"{v:.4f}" for v in figures)]), "|")
' "$model"
done
