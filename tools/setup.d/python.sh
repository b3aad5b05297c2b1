# shellcheck shell=bash
# A Python of a version Odoo 19.0 has pins for, and the virtual environment.

# For these there is a file requirements-odoo-VERSION.txt.
PYTHONS="3.10 3.11 3.12 3.13"

# Sets PYTHON and PYTHON_VERSION (3.13). The machine's own python3 comes first.
find_python() {
    local candidate named="${MARKETING_AUTOMATION_PYTHON:-}" unfit=""
    for candidate in ${named:-python3 python3.13 python3.12 python3.11 python3.10}; do
        # A program of that name may be there and yet start nothing (pyenv's do).
        read -r PYTHON_VERSION PYTHON < <("$candidate" -c 'import sys
print("%s.%s" % sys.version_info[:2], sys.executable)' 2>/dev/null) || continue
        case " $PYTHONS " in *" $PYTHON_VERSION "*) return 0 ;; esac
        unfit="${unfit:+$unfit, }$PYTHON_VERSION ($PYTHON)"
    done
    [ -z "$named" ] || die "MARKETING_AUTOMATION_PYTHON=$named is" \
        "${unfit:-no program that says its version}; Odoo 19.0 runs on Python ${PYTHONS// /, }."
    die "Odoo 19.0 runs on Python ${PYTHONS// /, }; found here: ${unfit:-none}.
  Debian 12 and 13, as root:  apt-get install python3
  Elsewhere: get one of them (your distribution, pyenv, uv) and name it, for example
  MARKETING_AUTOMATION_PYTHON=/path/to/python3.13 make demo"
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
    local odoo="$ROOT/requirements-odoo-$PYTHON_VERSION.txt"
    key="$(short_hash "$(cat "$odoo" "$ROOT"/requirements{,-dev}.txt) $PYTHON $ODOO_PATH")"
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
                -r "$odoo" -r "$ROOT/requirements.txt" -r "$ROOT/requirements-dev.txt" &&
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
