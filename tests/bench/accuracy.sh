#!/usr/bin/env bash
# Prints the accuracy table of docs/accuracy.md: builds what is needed, converts a bundled model with every profile
# and method, and measures all of them on photos with human masks.
#   tests/bench/accuracy.sh DATA [CHECKPOINT] [options of the accuracy program, see tests/bench/accuracy.cc]
# DATA: a folder with calib/ and val/ (photos NAME.jpg and region maps NAME.labels.0.png).
source "$(dirname "${BASH_SOURCE[0]}")/../../cmake/bootstrap.sh"

[ $# -gt 0 ] || die "usage: tests/bench/accuracy.sh DATA [CHECKPOINT] [options]"
data=$(realpath -m "$1")
shift
checkpoint=models/sam_tiny.safetensors
if [ $# -gt 0 ] && [ "${1#-}" = "$1" ]; then
  checkpoint=$1
  shift
fi
[ -d "$data/calib" ] && [ -d "$data/val" ] || die "$data has no calib and val folders; docs/accuracy.md says what belongs there"
build_preset release accuracy
build/release/bin/accuracy "$checkpoint" "$data/calib" "$data/val" "$@"
