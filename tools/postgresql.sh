# shellcheck shell=bash
# PostgreSQL: the one that PGHOST and friends name, or a private server that
# listens on a socket only and belongs to the cache. Sourced by env.sh.

# PostgreSQL refuses to run as root, and root's home is closed to others, so
# root's server runs as another user, in a folder that user can reach.
if [ "$(id -u)" = 0 ]; then
    PG_OWNER="$(id -un postgres 2>/dev/null || echo nobody)"
    PG_STATE="/var/lib/marketing-automation-$(short_hash "$CACHE")"
else
    PG_OWNER="$(id -un)"
    PG_STATE="$CACHE/postgresql"
fi
PG_SERVER="$PG_STATE/server" # the owner's; the programs beside it are not
# A socket's path may have 107 bytes, so it can't be below the cache.
PG_SOCKET="/tmp/marketing-automation-$(id -u)-$(short_hash "$CACHE")"

pg_external() {
    [ -n "${PGSERVICE:-}${PGHOSTADDR:-}" ] ||
        { [ -n "${PGHOST:-}" ] && [ "$PGHOST" != "$PG_SOCKET" ]; }
}

# Run a program as the server's owner, from a folder that user may be in.
pg_as_owner() (
    cd /
    if [ "$(id -u)" = 0 ]; then
        exec setpriv --reuid "$PG_OWNER" --regid "$(id -g "$PG_OWNER")" \
            --clear-groups env HOME="$PG_SERVER" "$@"
    fi
    exec "$@"
)

pg_major() { "$PG_BIN/postgres" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/'; }

# Make sure that the server answers; needs PG_BIN (empty: an external server).
pg_ensure() {
    if pg_external; then
        psql -Atqc 'SELECT 1' postgres >/dev/null ||
            die "the PostgreSQL server named by PGHOST and friends does not answer."
        return 0
    fi
    export PGHOST="$PG_SOCKET" PGPORT=5432 PGUSER=odoo
    unset PGPASSWORD PGDATABASE
    pg_answers || with_lock postgresql pg_start
}

pg_answers() { "$PG_BIN/psql" -Atqc 'SELECT 1' postgres >/dev/null 2>&1; }

pg_start() {
    local data
    data="$PG_SERVER/data-$(pg_major)"
    pg_answers && return 0 # somebody else was faster
    pg_make_folders
    if [ ! -f "$data/PG_VERSION" ]; then
        pg_create "$data"
    fi
    say "PostgreSQL: starting the private server in $data"
    pg_forget_dead_server "$data"
    pg_launch "$data" || {
        tail -n 20 "$PG_SERVER/server.log" >&2 || true
        die "the private PostgreSQL server did not start (log: $PG_SERVER/server.log)"
    }
}

pg_make_folders() {
    local dir
    mkdir -p "$PG_STATE"
    [ -O "$PG_STATE" ] || die "$PG_STATE belongs to $(stat -c %U "$PG_STATE"); remove it."
    chmod 755 "$PG_STATE"
    for dir in "$PG_SERVER" "$PG_SOCKET"; do
        mkdir -p -m 700 "$dir"
        [ ! -L "$dir" ] || die "$dir is a link; remove it."
        if [ "$(id -u)" = 0 ]; then
            [ "$(stat -c %u "$dir")" = 0 ] ||
                [ "$(stat -c %U "$dir")" = "$PG_OWNER" ] ||
                die "$dir belongs to $(stat -c %U "$dir"); remove it."
            chown "$PG_OWNER" "$dir"
        else
            [ -O "$dir" ] || die "$dir belongs to $(stat -c %U "$dir"); remove it."
        fi
        chmod 700 "$dir"
    done
}

# Trust is safe here: only the owner (and root) gets to the socket.
pg_create() {
    local data="$1"
    say "PostgreSQL: creating a private server in $data"
    rm -rf "$data.new"
    pg_as_owner "$PG_BIN/initdb" -D "$data.new" -U odoo -A trust -E UTF8 \
        --locale=C.UTF-8 --no-sync >/dev/null
    # The databases can be made again at any time: speed before durability.
    pg_as_owner tee -a "$data.new/postgresql.conf" >/dev/null <<CONF

listen_addresses = ''
unix_socket_directories = '$PG_SOCKET'
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = 512MB
work_mem = 32MB
maintenance_work_mem = 128MB
fsync = off
synchronous_commit = off
full_page_writes = off
max_wal_size = 2GB
jit = off
CONF
    mv "$data.new" "$data"
}

# A pid file that outlived its server (power cut, killed container) may name a
# process that is something else by now; PostgreSQL would take it for a server.
pg_forget_dead_server() {
    local pid
    pid="$(head -n 1 "$1/postmaster.pid" 2>/dev/null)" || return 0
    if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != postgres ]; then
        rm -f "$1/postmaster.pid"
    else
        # It runs but does not answer: its socket was cleaned away.
        pg_as_owner "$PG_BIN/pg_ctl" -D "$1" -m fast -w stop >/dev/null 2>&1 || true
    fi
}

# The server must outlive its starter and hold none of its files open, or a
# `make test | tee` would never end. Its time zone is not that of the machine, which
# initdb writes into its configuration.
pg_launch() (
    for fd in /proc/"$BASHPID"/fd/*; do
        fd="${fd##*/}"
        [ "$fd" -le 2 ] || eval "exec $fd>&-"
    done
    pg_as_owner setsid "$PG_BIN/pg_ctl" -D "$1" -l "$PG_SERVER/server.log" \
        -o "-c timezone=UTC -c log_timezone=UTC" -w -t 60 start </dev/null >/dev/null 2>&1
)

pg_stop() {
    local data
    for data in "$PG_SERVER"/data-*; do
        [ ! -f "$data/postmaster.pid" ] ||
            pg_as_owner "$PG_BIN/pg_ctl" -D "$data" -m fast -w stop >/dev/null
    done
}
