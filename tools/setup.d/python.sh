# shellcheck shell=bash
# A Python of a version Odoo 19.0 has pins for, and the virtual environment.

# Sets PYTHON and PIP (an array that runs some pip with it).
find_python() {
    local candidate
    PYTHON=""
    for candidate in "${MARKETING_AUTOMATION_PYTHON:-}" python3.11 python3 python3.10; do
        [ -n "$candidate" ] || continue
        PYTHON="$("$candidate" -c 'import sys
assert (3, 10) <= sys.version_info[:2] <= (3, 11)
print(sys.executable)' 2>/dev/null)" && return 0
        [ "$candidate" != "${MARKETING_AUTOMATION_PYTHON:-}" ] ||
            die "MARKETING_AUTOMATION_PYTHON=$candidate is no Python 3.10 or 3.11."
    done
    die "Python 3.11 (or 3.10) is needed: install it (as root: apt-get install" \
        "python3), or name one in MARKETING_AUTOMATION_PYTHON."
}

# make_venv DIR: an empty virtual environment with pip, also where Debian's
# python3-venv is not installed.
make_venv() {
    local wheels
    if "$PYTHON" -c 'import ensurepip' 2>/dev/null; then
        "$PYTHON" -m venv "$1"
        return
    fi
    say "  this Python has no ensurepip: taking pip from Debian's package"
    apt_private system && apt_unpack "$CACHE/pip.new" python3-pip-whl ||
        die "pip could not be had. As root: apt-get install python3-venv"
    "$PYTHON" -m venv --without-pip "$1"
    wheels="$CACHE/pip.new/usr/share/python-wheels"
    "$1/bin/python" "$(echo "$wheels"/pip-*.whl)/pip" install -q --no-index \
        --find-links "$wheels" pip
    rm -rf "$CACHE/pip.new"
}

# Sets VENV; one per set of requirements, Python and Odoo, shared by checkouts.
setup_python() {
    local key log="$CACHE/venv.log"
    key="$(short_hash "$(cat "$ROOT"/requirements*.txt) $PYTHON $ODOO_PATH")"
    VENV="$CACHE/venv/$key"
    [ ! -f "$VENV/complete" ] || return 0
    say "Python: creating the virtual environment (about a minute)"
    rm -rf "$VENV"
    mkdir -p "$CACHE/venv"
    make_venv "$VENV"
    {
        "$VENV/bin/python" -m pip install -q 'pip==25.2' 'setuptools==80.9.0' \
            'wheel==0.45.1' &&
            "$VENV/bin/python" -m pip install -q \
                -r "$ROOT/requirements-odoo.txt" -r "$ROOT/requirements.txt" \
                -r "$ROOT/requirements-dev.txt" &&
            "$VENV/bin/python" -m pip check
    } >"$log" 2>&1 </dev/null || {
        tail -n 20 "$log" >&2
        die "pip could not install the requirements (log: $log)"
    }
    # Odoo is not installed but looked up where it lies.
    printf '%s\n' "$ODOO_PATH" >"$("$VENV/bin/python" -c \
        'import sysconfig; print(sysconfig.get_path("purelib"))')/odoo.pth"
    "$VENV/bin/python" -c 'import odoo.release' || die "Odoo can't be imported from $ODOO_PATH"
    touch "$VENV/complete"
}
