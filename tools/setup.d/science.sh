# shellcheck shell=bash
# numpy, scipy and statsmodels, in a folder of their own in the cache: neither the addon
# nor its tests need them, but tools/statistics-reference and tools/bench do.

# Sets SCIENCE to the folder.
setup_science() {
    local wanted="$ROOT/tools/statistics-reference.d/requirements.txt"
    SCIENCE="$CACHE/science-$(short_hash "$(cat "$wanted") $VENV")"
    [ ! -f "$SCIENCE/complete" ] || return 0
    say "Python: getting numpy, scipy and statsmodels (once)"
    rm -rf "$SCIENCE"
    # Alone: what else they ask for is there, in Odoo's versions.
    "$VENV/bin/python" -m pip install -q --no-deps --target "$SCIENCE" -r "$wanted" \
        >"$CACHE/science.log" 2>&1 || return 1
    touch "$SCIENCE/complete"
}
