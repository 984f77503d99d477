#!/usr/bin/env bash
# What this CPU does on each kernel tier that it has: SAM ViT-B and MobileSAM with random weights beside FP32 on oneDNN,
# the peaks of its multipliers, where the encoder's time goes, and the SHA-256 of a mask, equal on all of them. Prints
# Markdown for docs/performance.md. Minutes: the scalar tier is left out.
#   tests/bench/tiers.sh [options, see --help]
source "$(dirname "${BASH_SOURCE[0]}")/../../cmake/bootstrap.sh"

# Options are checked before anything is built. What that prints is the answer to --help.
help=$(python3 -B "$root/tests/bench/tiers.py" --check-options "$@") || exit
if [ -n "$help" ]; then
  say "$help"
  exit
fi
build_preset release intsam-bench intsam-convert intsam-inspect intsam-segment >&2
python3 -B tests/bench/tiers.py --bin build/release/bin "$@"
