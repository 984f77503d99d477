#!/usr/bin/env bash
# How much slower intsam-compare (the float reference and the integer model on the bundled photos) becomes when other
# work shares the machine: one busy process per core, which leaves it half of each. Twice the time is what is fair.
#   tests/bench/under_load.sh [ROUNDS]
# Prints the seconds of every round, alone and beside the busy processes, and the ratio of the medians; exit status 1
# above 2.5. Worth something only where nothing else runs.
source "$(dirname "${BASH_SOURCE[0]}")/../../cmake/bootstrap.sh"

rounds=${1:-3}
[[ $rounds =~ ^[1-9][0-9]?$ ]] || die "ROUNDS is a number from 1 to 99"
build_preset release intsam-compare intsam-convert
model=$root/build/under_load.isam
step "convert the bundled model" build/release/bin/intsam-convert models/sam_tiny.safetensors -o "$model" \
  --calib models/photos --bits w8a8 --quiet

busy=()
stop_busy() {
  [ "${#busy[@]}" -eq 0 ] || kill "${busy[@]}" 2>/dev/null || true
  busy=()
}
trap 'stop_busy; report_failure' EXIT
start_busy() {
  local i
  for ((i = 0; i < jobs; ++i)); do
    (while :; do :; done) &
    busy+=($!)
  done
}

# compare: its milliseconds go to `elapsed`.
compare() {
  local start=$EPOCHREALTIME
  build/release/bin/intsam-compare --model "$model" --checkpoint models/sam_tiny.safetensors --images models/photos \
    --quiet || die "intsam-compare failed"
  elapsed=$(((${EPOCHREALTIME/[.,]/} - ${start/[.,]/}) / 1000))
}
median() { printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"; }

alone=() beside=()
for ((round = 1; round <= rounds; ++round)); do
  compare
  alone+=("$elapsed")
  start_busy
  compare
  stop_busy
  beside+=("$elapsed")
  say "round $round: ${alone[-1]} ms alone, ${beside[-1]} ms beside $jobs busy processes"
done
ratio=$((100 * $(median "${beside[@]}") / $(median "${alone[@]}")))
printf 'slowdown: %d.%02d\n' $((ratio / 100)) $((ratio % 100))
[ "$ratio" -le 250 ]
