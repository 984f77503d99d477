# Sourced by coco.sh and real.sh: the table of average precision with the boxes of annotations as prompts.

bin=build/release/bin
all_profiles=(w8a8 w7a8 w6a8 w6a6 w4a8 w4a4)

precision_python() {
  python=${PYTHON:-python3}
  "$python" -c "import pycocotools" || die "needs pycocotools: pip install pycocotools, and PYTHON where that is not python3"
}

precision_head() {
  echo "| model | bits | AP | AP50 | AP75 | S | M | L |"
  echo "|---|---|---|---|---|---|---|---|"
}

# precision_rows NAME CHECKPOINT PHOTOS ANNOTATIONS FOLDER PROFILE...: FOLDER holds PROFILE.isam, and gets the results.
precision_rows() {
  local name=$1 checkpoint=$2 photos=$3 annotations=$4 folder=$5 profile
  shift 5
  $bin/intsam-compare -m "$folder/$1.isam" --checkpoint "$checkpoint" --images "$photos" --coco "$annotations" \
    --coco-results "$folder" -q
  rm "$folder/int.json" # that of intsam-batch is measured, as users have it
  for profile in "$@"; do
    $bin/intsam-batch "$folder/$profile.isam" "$photos" --annotations "$annotations" --prompt gt-box \
      --out "$folder/$profile" -q
    mv "$folder/$profile/results.json" "$folder/$profile.json"
  done
  (cd "$folder" && "$python" "$root/apps/coco/intsam_coco.py" fp32.json "${@/%/.json}" --annotations "$annotations" --json) |
    precision_lines "$name"
}

# precision_lines NAME: what intsam-coco --json prints, as lines of the table.
precision_lines() {
  "$python" -c '
import json, sys
for row in json.load(sys.stdin)["rows"]:
    name = row["results"].removesuffix(".json").replace("fp32", "FP32")
    figures = (row[key] for key in ("AP", "AP50", "AP75", "S", "M", "L"))
    print("|", " | ".join([sys.argv[1], name, *("-" if v is None else f"{v:.4f}" for v in figures)]), "|")
' "$1"
}
