# shellcheck shell=bash
# Sets PG_BIN: PostgreSQL's programs, from the machine or unpacked.

setup_postgresql() {
    local dir unpacked="$PG_STATE/unpacked"
    PG_BIN=""
    if pg_external && command -v psql >/dev/null; then
        return 0
    fi
    for dir in ${MARKETING_AUTOMATION_PG_BIN:-$(
        # shellcheck disable=SC2012  # version sort; the names are Debian's
        ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV
        dirname "$(command -v postgres || echo none)"
    )} "$unpacked"/bin; do
        if [ -x "$dir/initdb" ] && [ -x "$dir/psql" ] && PG_BIN="$dir" &&
            [ "$(pg_major)" -ge 13 ]; then
            return 0
        fi
    done
    PG_BIN="$unpacked/bin"
    say "PostgreSQL: no server on this machine; unpacking one into $unpacked"
    mkdir -p "$PG_STATE"
    rm -rf "$unpacked" "$PG_STATE/unpacked.new"
    apt_private system && apt_unpack_missing "$PG_STATE/unpacked.new" postgresql ||
        die "PostgreSQL could not be had. As root: apt-get install postgresql;" \
            "or name a running server with PGHOST, PGUSER and PGPASSWORD."
    pg_wrappers "$PG_STATE/unpacked.new" "$unpacked"
    chmod -R go+rX "$PG_STATE/unpacked.new"
    mv "$PG_STATE/unpacked.new" "$unpacked"
    "$PG_BIN/postgres" --version >/dev/null || die "the unpacked PostgreSQL does not run"
}

# pg_wrappers BUILT FINAL: programs in bin/ that find the libraries which were
# unpacked beside them.
pg_wrappers() {
    local program real lib
    real="$(cd "$1"/usr/lib/postgresql && ls | sort -rV | head -n 1)"
    lib="$(unpacked_libraries "$1" "$2")"
    mkdir "$1/bin"
    for program in "$1/usr/lib/postgresql/$real/bin"/*; do
        program="${program##*/}"
        printf '#!/bin/sh\nLD_LIBRARY_PATH="%s" exec "%s" "$@"\n' \
            "$lib" "$2/usr/lib/postgresql/$real/bin/$program" >"$1/bin/$program"
        chmod +x "$1/bin/$program"
    done
}

# unpacked_libraries BUILT FINAL: the value of LD_LIBRARY_PATH for a tree that
# is being built in one folder and will be moved to another.
unpacked_libraries() {
    (cd "$1" && ls -d usr/lib/*-linux-gnu* lib/*-linux-gnu* \
        usr/lib/*-linux-gnu*/{pulseaudio,blas,lapack} 2>/dev/null || true) |
        sed "s|^|$2/|" | paste -sd:
}
