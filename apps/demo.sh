#!/usr/bin/env bash
# From a fresh machine to masks: installs what is missing, builds, converts the bundled checkpoint to an integer model,
# segments the bundled photos from boxes and a point, and measures the distance to the FP32 reference.
# Results: build/demo/mask_*.png and build/demo/overlay_*.png.
source "$(dirname "${BASH_SOURCE[0]}")/../cmake/bootstrap.sh"

[ $# -eq 0 ] || die "apps/demo.sh takes no options"
build_preset release intsam-convert intsam-segment intsam-compare intsam-inspect intsam-bench

bin=build/release/bin
out=build/demo
model=$out/sam_tiny.isam
photos=models/photos
mkdir -p "$out"

# segment name photo prompt...: a mask for each object and one overlay.
segment() {
  local name=$1 photo=$2
  shift 2
  step "segment $photo $*" "$bin/intsam-segment" "$model" "$photos/$photo" "$@" \
    -o "$out/mask_$name.png" --overlay "$out/overlay_$name.png"
}

step "convert models/sam_tiny.safetensors to integers" \
  "$bin/intsam-convert" models/sam_tiny.safetensors -o "$model" --calib "$photos" --bits w8a8
segment astronaut astronaut.png --box 150,10,300,190 --box 270,370,460,511
segment astronaut_suit astronaut.png --point 160,420
segment coffee coffee.png --box 210,85,385,195
segment rocket rocket.jpg --box 290,60,350,400
segment chelsea_eye chelsea.png --box 110,75,215,165
step "compare with the FP32 reference" \
  "$bin/intsam-compare" --model "$model" --checkpoint models/sam_tiny.safetensors --images "$photos"

say "The pictures to look at, and the masks beside them (mask_*.png):"
ls -1 "$PWD/$out"/overlay_*.png
