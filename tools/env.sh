# shellcheck shell=bash
# Where things are, and how a tool gets into the environment. Sourced by every
# tool; by itself it changes nothing on disk.

# Whatever the machine speaks and wherever it stands: numbers, sorting, messages and days
# are the same for every tool and every test.
export LC_ALL=C.UTF-8 LANG=C.UTF-8 TZ=UTC
unset LANGUAGE

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
ADDON=marketing_automation
: "${HOME:=$(getent passwd "$(id -u)" | cut -d: -f6)}"
CACHE="${MARKETING_AUTOMATION_HOME:-$HOME/.cache/marketing-automation}"
case "$CACHE" in /*) ;; *) CACHE="$PWD/$CACHE" ;; esac

say() { printf '%s\n' "$*" >&2; }
die() {
    say "error: $*"
    exit 1
}

# Short, stable names for this checkout and this cache: there may be several.
short_hash() { printf '%s' "$1" | sha256sum | cut -c1-8; }
CHECKOUT_ID="$(short_hash "$ROOT")"
CHECKOUT="$CACHE/checkouts/$CHECKOUT_ID"
LOGS="$CHECKOUT/log"

# with_lock NAME COMMAND…: one at a time per cache.
with_lock() {
    local lock="$CACHE/locks/$1" lock_fd
    shift
    mkdir -p "$CACHE/locks"
    exec {lock_fd}>"$lock"
    if ! flock -n "$lock_fd"; then
        say "waiting for another run to finish ($lock)"
        flock "$lock_fd"
    fi
    "$@"
    exec {lock_fd}>&-
}

# Where the `odoo` package can be imported from, in any of the known layouts:
# a source checkout, an unpacked Debian package, a site-packages folder.
odoo_import_path() {
    local dir
    for dir in "$1" "$1/usr/lib/python3/dist-packages"; do
        if [ -f "$dir/odoo/release.py" ]; then
            printf '%s\n' "$dir"
            return 0
        fi
    done
    return 1
}

# Odoo's series (19.0), read without importing it.
odoo_series() {
    sed -n "s/^version_info *= *(\([0-9]*\), *\([0-9]*\),.*/\1.\2/p" \
        "$1/odoo/release.py" 2>/dev/null
}

# What the prepared environment was made from. Another key: set up again.
setup_key() {
    {
        cat "$ROOT"/tools/env.sh "$ROOT"/tools/postgresql.sh "$ROOT"/tools/setup \
            "$ROOT"/tools/setup.d/*.sh "$ROOT"/requirements*.txt \
            "$ROOT"/package.json "$ROOT"/package-lock.json
        printf '%s\n' "${ODOO_HOME:-}" "${MARKETING_AUTOMATION_PYTHON:-}" \
            "${MARKETING_AUTOMATION_PG_BIN:-}" "$(pg_external && echo external)"
    } | sha256sum | cut -c1-16
}

# Read what `tools/setup` recorded; 1 if there is nothing or it is out of date.
read_environment() {
    [ -f "$CHECKOUT/environment" ] || return 1
    # shellcheck disable=SC1091
    . "$CHECKOUT/environment"
    [ "${ENV_KEY:-}" = "$(setup_key)" ] && [ -x "$VENV/bin/python" ] &&
        [ -f "$ODOO_PATH/odoo/release.py" ] && [ -d "$NODE_MODULES" ] &&
        [ -f "$CHECKOUT/fonts.conf" ] &&
        { [ -z "$PG_BIN" ] || [ -x "$PG_BIN/psql" ]; } &&
        { [ -z "$BROWSER" ] || [ -x "$BROWSER" ]; }
}

# enter_environment: set up what is missing, start PostgreSQL, and put all of it
# into this process's environment.
enter_environment() {
    if ! read_environment; then
        "$ROOT/tools/setup" >&2
        read_environment || die "the set-up left no environment in $CHECKOUT"
    fi
    # The cache's bin comes first: chromium and PostgreSQL's programs, if the
    # machine has none of its own.
    export PATH="$VENV/bin:$CACHE/bin:${PG_BIN:+$PG_BIN:}$PATH"
    export ODOO_RC="$CHECKOUT/odoo.conf"
    # Where tests find axe-core and fonts; the browser sees those fonts alone.
    export MARKETING_AUTOMATION_NODE_MODULES="$NODE_MODULES"
    export FONTCONFIG_FILE="$CHECKOUT/fonts.conf"
    pg_ensure
}

# shellcheck source=tools/postgresql.sh
. "$ROOT/tools/postgresql.sh"
