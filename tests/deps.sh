#!/bin/sh
# Makes sure that what we need from the system is there: deps.sh build|check|valgrind...
# Silent when it is.  Otherwise installs it where apt-get may do so without asking, or
# prints the line for each package manager and fails.  Needs nothing but sh and a compiler.
set -u
cc=${CC:-cc}
python=${PYTHON:-/usr/bin/python3}

header() { # header NAME: can it be included?
    printf '#include <%s>\n' "$1" | $cc -E -I/usr/include/cjson - >/dev/null 2>&1
}
module() {
    "$python" -c "import $1" >/dev/null 2>&1
}

# what is missing | apt | dnf | apk | brew
apt='' dnf='' apk='' brew=''
need() {
    apt="$apt $1" dnf="$dnf $2" apk="$apk $3" brew="$brew $4"
}

for part; do
    case $part in
    build)
        header stdio.h || { echo "deps: no C compiler: install gcc (and libc6-dev), or set CC" >&2; exit 1; }
        header sqlite3.h || need libsqlite3-dev sqlite-devel sqlite-dev sqlite
        header cjson/cJSON.h || need libcjson-dev cjson-devel cjson-dev cjson
        header xxhash.h || need libxxhash-dev xxhash-devel xxhash-dev xxhash
        command -v "${PKG_CONFIG:-pkg-config}" >/dev/null || need pkg-config pkgconf pkgconf pkg-config
        [ -e /usr/share/zoneinfo/Europe/London ] || need tzdata tzdata tzdata ''
        ;;
    check)
        header check.h || need check check-devel check-dev check
        command -v "$python" >/dev/null || need python3 python3 python3 python
        module pytest || need python3-pytest python3-pytest py3-pytest pytest
        module numpy || need python3-numpy python3-numpy py3-numpy numpy
        module mpmath || need python3-mpmath python3-mpmath py3-mpmath ''
        command -v g++ >/dev/null || need g++ gcc-c++ g++ ''
        ;;
    valgrind)
        command -v valgrind >/dev/null || need valgrind valgrind valgrind valgrind
        ;;
    venv) # pip install of the binding, as a user would
        module ensurepip || need python3-venv python3-pip py3-pip ''
        ;;
    *)
        echo "deps: unknown part $part: build, check, valgrind or venv" >&2
        exit 2
        ;;
    esac
done
[ -n "$apt" ] || exit 0

as_root=
[ "$(id -u)" = 0 ] || as_root='sudo -n'
if command -v apt-get >/dev/null && { [ -z "$as_root" ] || sudo -n true 2>/dev/null; }; then
    echo "deps: installing$apt"
    log=$(mktemp)
    # A fresh machine has no package lists, an old one stale ones: update and try again.
    for try in 1 2 3; do
        # shellcheck disable=SC2086
        if { [ $try = 1 ] && [ -n "$(ls /var/lib/apt/lists 2>/dev/null | grep Packages)" ] ||
            $as_root apt-get update -q; } >"$log" 2>&1 &&
            $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
                --no-install-recommends $apt >>"$log" 2>&1; then
            rm -f "$log"
            exit 0
        fi
    done
    tail -n 5 "$log" >&2
    rm -f "$log"
    echo "deps: apt-get could not install them; by hand:" >&2
else
    echo "deps: missing on this machine; install with the line of your system:" >&2
fi
printf '  Debian, Ubuntu:  sudo apt-get install%s\n' "$apt" >&2
printf '  Fedora, RHEL:    sudo dnf install%s\n' "$dnf" >&2
printf '  Alpine:          sudo apk add%s\n' "$apk" >&2
printf '  macOS:           brew install%s\n' "$brew" >&2
exit 1
