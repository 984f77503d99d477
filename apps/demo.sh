#!/usr/bin/env bash
# From a fresh machine to masks: installs what is missing, builds, converts the two bundled checkpoints (SAM's
# architecture and MobileSAM's) to integer models, segments the bundled photos from boxes and a point, measures the
# distance to the FP32 reference, and prints what a photo takes.
# Results: build/demo/MODEL/mask_*.png and build/demo/MODEL/overlay_*.png.
source "$(dirname "${BASH_SOURCE[0]}")/../cmake/bootstrap.sh"

[ $# -eq 0 ] || die "apps/demo.sh takes no options"
# All tools, also those that nothing below runs: the README goes on with them.
build_preset release intsam-batch intsam-bench intsam-compare intsam-convert intsam-everything intsam-inspect intsam-segment

bin=build/release/bin
out=build/demo
photos=models/photos
models=(sam_tiny sam_tiny_mobile)

# segment model name photo prompt...: a mask for each object and one overlay.
segment() {
  local model=$1 name=$2 photo=$3
  shift 3
  step "$model: segment $photo $*" "$bin/intsam-segment" "$out/$model.isam" "$photos/$photo" "$@" \
    -o "$out/$model/mask_$name.png" --overlay "$out/$model/overlay_$name.png"
}

for model in "${models[@]}"; do
  mkdir -p "$out/$model"
  step "convert models/$model.safetensors to integers" \
    "$bin/intsam-convert" "models/$model.safetensors" -o "$out/$model.isam" --calib "$photos" --bits w8a8
  segment "$model" astronaut astronaut.png --box 150,10,300,190 --box 270,370,460,511
  segment "$model" astronaut_suit astronaut.png --point 160,420
  segment "$model" coffee coffee.png --box 210,85,385,195
  segment "$model" rocket rocket.jpg --box 290,60,350,400
  segment "$model" chelsea_eye chelsea.png --box 110,75,215,165
  step "compare $model with its FP32 form" \
    "$bin/intsam-compare" --model "$out/$model.isam" --checkpoint "models/$model.safetensors" --images "$photos"
done

for model in "${models[@]}"; do
  step "$model: time and memory" "$bin/intsam-bench" "$out/$model.isam" --checkpoint "models/$model.safetensors"
done

say "The pictures to look at, and the masks beside them (mask_*.png):"
ls -1 "$PWD/$out"/*/overlay_*.png
