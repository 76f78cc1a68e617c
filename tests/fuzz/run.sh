#!/bin/sh
# Runs fuzz targets in a build folder: run.sh [-runs=N|-max_total_time=SECONDS] [TARGET…]. First what lies in seeds and regressions, then
# mutations of it. Inputs that libFuzzer finds worth keeping are kept in the build folder's tests/fuzz/corpus.
# SPDX-License-Identifier: BSD-3-Clause
source=${srcdir:-$(dirname "$0")/../..}/tests/fuzz
limit=-runs=300
case ${1:-} in -*) limit=$1; shift ;; esac
[ $# -gt 0 ] || set -- $(cd "$source/seeds" && ls)
checks=0 failures=0
for target; do
  corpus=tests/fuzz/corpus/$target
  mkdir -p "$corpus"
  set -- "$corpus" "$source/seeds/$target"
  [ ! -d "$source/regressions/$target" ] || set -- "$@" "$source/regressions/$target"
  echo "$target"
  # No input of a few kilobytes justifies more than this at once.
  tests/fuzz/"$target" -seed=1 "$limit" -verbosity=0 -malloc_limit_mb=256 -timeout=60 -max_len=4096 "$@" </dev/null \
    || failures=$((failures + 1))
  checks=$((checks + 1))
done
[ "$failures" -eq 0 ] || echo "what failed lies in $PWD, named crash- or timeout-; give it to the target as a file"
# As the other suites end.
echo "100%: Checks: $checks, Failures: $failures, Errors: 0"
[ "$failures" -eq 0 ]
