#!/usr/bin/env bash
# The backend of examples/label_studio against a real Label Studio: two environments (the server and label-studio-ml
# cannot share one), the package's own tests in the backend's, and label_studio_server.py. Needs a package registry.
#   bindings/python/tests/label_studio.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../../cmake/bootstrap.sh"

cd "$root"
scratch=$(mktemp -d)
trap 'status=$?; rm -rf "$scratch"; (exit "$status") || report_failure' EXIT
step "environments" python3 -m venv "$scratch/server"
python3 -m venv "$scratch/backend"
step "Label Studio" "$scratch/server/bin/python" -m pip install --quiet label-studio
# label-studio-ml does not name two of the packages that it imports.
step "the package and label-studio-ml" "$scratch/backend/bin/python" -m pip install --quiet '.[image,test]' \
  label-studio-ml redis rq
step "tests" "$scratch/backend/bin/python" -B -m pytest -q -p no:cacheprovider bindings/python/tests/test_label_studio.py
step "a real server" "$scratch/backend/bin/python" -B bindings/python/tests/label_studio_server.py \
  --server "$scratch/server/bin/python" --backend "$scratch/backend/bin/python" \
  --model tests/golden/data/micro.isam models/photos/rocket.jpg
