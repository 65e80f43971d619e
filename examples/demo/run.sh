#!/bin/sh
# What `make demo` runs: imports a year of a made-up shop, or your own file, and tells what
# is in it.   run.sh BUILD_DIRECTORY
#   DATA=orders.csv   your own file: .csv .jsonl .ndjson .json, also .gz ("make demo DATA=")
#   DEMO_DIR=dir      where files go (BUILD_DIRECTORY/demo)
#   MAP CURRENCY TIME_ZONE GUEST   as in: cjourney import --help
set -eu
build=${1:?usage: run.sh BUILD_DIRECTORY}
program=$build/bin/cjourney
demo=$build/examples/demo
work=${DEMO_DIR:-$build/demo}
mkdir -p "$work"

say() { printf '%s\n' "$@"; }
head_line() {
    if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then printf '\n\033[1m%s\033[0m\n' "$1"
    else printf '\n%s\n' "$1"; fi
}
indent() { sed 's/^./  &/'; }

# Runs the import and tells its numbers; code 3 is "done, with rejects", told below.
import() {
    row=$("$program" --format jsonl -d "$db" import "$@") || [ $? -eq 3 ] || exit 1
    number() {
        say "$row" | sed "s/.*\"$1\":\([0-9]*\).*/\1/" | sed -e :a -e 's/\(.*[0-9]\)\([0-9]\{3\}\)/\1,\2/;ta'
    }
    head_line "What came in"
    printf '  %9s lines read\n' "$(number lines)"
    printf '  %9s messages recorded: %s events\n' "$(number recorded)" "$(number events)"
    printf '  %9s sent before: a message counts once, however often it comes\n' "$(number duplicates)"
    printf '  %9s rejected%s\n' "$(number rejected)" \
        "$([ "$(number rejected)" = 0 ] || say ', and kept with the reason:')"
}

if [ -n "${DATA:-}" ]; then
    [ -r "$DATA" ] || { say "There is no file $DATA: make demo DATA=orders.csv" >&2; exit 1; }
    db=$work/own.db
    set --
    [ -z "${MAP:-}" ] || set -- "$@" --map "$MAP"
    [ -z "${GUEST:-}" ] || set -- "$@" --guest "$GUEST"
    [ -z "${CURRENCY:-}" ] || set -- "$@" --currency "$CURRENCY"
    [ -z "${TIME_ZONE:-}" ] || set -- "$@" --time-zone "$TIME_ZONE"
    case $DATA in
    *.csv.gz) set -- --format csv "$@" - ;;
    *.gz) set -- --format json "$@" - ;;
    *) set -- "$@" "$DATA" ;;
    esac
else
    db=$work/shop.db
    say "Larch & Loom sells things for outside and for home: on the web, in an app, in three" \
        "stores.  Its year 2025 is made up, the way real years are: visitors who log in later," \
        "shared tablets, a till that types its own e-mail, repeated and late messages." \
        "" "The messages: $work/year.ndjson"
    "$demo/generate" >"$work/year.ndjson"
    set -- --time-zone Europe/Berlin "$work/year.ndjson"
fi
rm -f "$db" "$db"-*
case ${DATA:-} in
*.gz) gzip -dc "$DATA" >"$work/own.data" # not a pipe: its failure must not go unseen
    import "$@" <"$work/own.data"
    rm -f "$work/own.data" ;;
*) import "$@" ;;
esac
rejected=$("$program" -q -d "$db" --format table failed --summary)
if [ "$(say "$rejected" | wc -l)" -gt 1 ]; then
    say ""
    say "$rejected" | head -n 12 | cut -c 1-78 | indent
fi

"$demo/report" "$db"

set -- $("$demo/report" "$db" --facts)
as_of=$1 first=$2 second=$3
head_line "Who is worth what, as of $as_of (purchases of nobody known are not in it)"
"$program" -d "$db" rfm --format table --as-of "$as_of" --summary
head_line "The ten best customers"
"$program" -d "$db" rfm --format table --as-of "$as_of" --top 10
title="A customer of many channels, as the file tells it"
if [ "$first" -eq 0 ] && [ "$second" -eq 0 ]; then
    title="The best customer, as the file tells it"
    first=$("$program" -d "$db" --format csv rfm --as-of "$as_of" --top 1 | sed -n '2s/,.*//p')
fi
for person in ${first:-0} "$second"; do
    [ "$person" -eq 0 ] || {
        head_line "$title"
        "$program" -d "$db" profile --format table --last 40 "$person" | head -n 60 | indent
    }
    title="A visitor who became a customer"
done

head_line "Six groups to act on, as of $as_of (one person may be in several)"
"$demo/segments" "$db" "$as_of"
person=$("$demo/segments" "$db" "$as_of" --pick)
[ "$person" -eq 0 ] || {
    head_line "Which of them profile $person is in, and until when"
    "$program" -d "$db" segment of --format table --as-of "$as_of" --all "$person" | indent
    say "" '  A date: from then on it is the other way round, though nothing happens.' \
        '  "something is new": only an order, a visit or a new fact can change it.'
    head_line "Why profile $person is asleep, or is not"
    "$program" -d "$db" segment why --format table --as-of "$as_of" "$person" asleep | indent
}

learn() { # false: there is nothing to learn from yet
    "$program" -q -d "$db" clv fit --as-of "$as_of" --model "$1" --save "$2" --format json |
        grep -q '"status":"\(converged\|dropout_not_identified\)"'
}
if learn mbgnbd buying && learn gammagamma spending; then
    head_line "What the ten best will be worth in a year, less 10 % a year (are they still customers?)"
    "$program" -d "$db" clv predict buying --spend spending --rate 10 --top 10 --format table --as-of "$as_of"
fi

head_line "Try next"
cd_to=$(pwd)
say "  cd $cd_to" \
    "  export CJOURNEY_DB=$db PATH=$build/bin:\$PATH" \
    "  cjourney rfm --class 'At Risk' --format csv" \
    "  cjourney profile ${first:-1}" \
    "  cjourney segment show overdue" \
    "  cjourney segment members asleep --as-of $as_of --identifier email --format csv" \
    "  cjourney clv models" \
    "  cjourney edges --state refused" \
    "  cjourney rfm --help"
[ -n "${DATA:-}" ] || say "" "  Your own orders:" \
    "  make demo DATA=orders.csv MAP=time=Date,order=Number,user_id=Customer,value=Total"
