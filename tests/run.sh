#!/bin/sh
# Runs suites side by side and says how each went: run.sh LOGDIR JOBS 'name<tab>command'...
# A line per suite as it ends, the log of each that failed, then the sum.  A suite is any
# command; it passes by exit code 0.
set -u
logs=$1 jobs=$2
shift 2

if [ "$logs" = --one ]; then # the worker: run.sh --one LOGDIR TOTAL SUITE
    logs=$jobs total=$1
    name=${2%%	*} command=${2#*	}
    start=$(date +%s%N)
    if sh -c "$command" >"$logs/$name.log" 2>&1 </dev/null; then word=ok; else word=FAILED; fi
    end=$(date +%s%N)
    echo "$word $name" >>"$logs/results"
    n=$(grep -n "^$word $name\$" "$logs/results" | cut -d: -f1)
    printf '[%*d/%d] %-6s %-40s %6d ms\n' "${#total}" "$n" "$total" "$word" "$name" $(((end - start) / 1000000))
    grep 'SKIP' "$logs/$name.log" # what was left out is said aloud
    if [ $word = FAILED ]; then
        echo "---- $command"
        tail -n 60 "$logs/$name.log"
        echo "---- end of $name, all of it in $logs/$name.log"
    fi
    exit 0
fi

mkdir -p "$logs"
: >"$logs/results"
for suite; do printf '%s\0' "$suite"; done |
    xargs -0 -n 1 -P "$jobs" sh "$0" --one "$logs" $#
passed=$(grep -c '^ok ' "$logs/results")
failed=$(($# - passed))
[ $failed -eq 0 ] || grep '^FAILED' "$logs/results"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
