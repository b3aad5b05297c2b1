# shellcheck shell=bash
# Odoo 19 Community, unpacked into the cache.

# Debian ships some of Odoo's web libraries as links into other packages. The
# icon fonts come from bookworm: later ones renamed the files Odoo asks for.
ODOO_UNSTABLE=(odoo-19 libjs-jquery libjs-jquery-form libjs-underscore
    fonts-montserrat fonts-ocr-b fonts-roboto-unhinted)
ODOO_BOOKWORM=(fonts-font-awesome fonts-inconsolata)
# One file Debian strips; without it every backend page logs an error.
SELFIE_PACKAGE=@mediapipe/selfie_segmentation@0.1.1675465747
ODOO_GIT=https://github.com/odoo/odoo.git

# Sets ODOO_PATH: from ODOO_HOME, else an importable Odoo, else the cache's.
setup_odoo() {
    if [ -n "${ODOO_HOME:-}" ]; then
        ODOO_PATH="$(odoo_import_path "$(realpath "$ODOO_HOME")")" ||
            die "ODOO_HOME=$ODOO_HOME holds no Odoo (no odoo/release.py in it)."
        [ "$(odoo_series "$ODOO_PATH")" = 19.0 ] ||
            die "ODOO_HOME=$ODOO_HOME is not Odoo 19.0."
        return 0
    fi
    if ODOO_PATH="$("$PYTHON" -c 'import odoo.release, os
print(os.path.dirname(os.path.dirname(odoo.release.__file__)))' 2>/dev/null)" &&
        [ "$(odoo_series "$ODOO_PATH")" = 19.0 ]; then
        return 0
    fi
    ! ODOO_PATH="$(odoo_import_path "$CACHE/odoo")" || return 0
    say "Odoo 19: getting it (about 150 MB)"
    rm -rf "$CACHE/odoo.new" "$CACHE/odoo"
    if ! odoo_from_debian "$CACHE/odoo.new"; then
        rm -rf "$CACHE/odoo.new"
        say "  not to be had from Debian; trying Odoo's own repository"
        { command -v git >/dev/null &&
            git clone -q --depth 1 --branch 19.0 "$ODOO_GIT" "$CACHE/odoo.new"; } ||
            die "Odoo 19 could not be had. Set ODOO_HOME to a checkout of Odoo 19.0."
    fi
    mv "$CACHE/odoo.new" "$CACHE/odoo"
    ODOO_PATH="$(odoo_import_path "$CACHE/odoo")"
}

odoo_from_debian() {
    local dir="$1" selfie broken
    # First what is small and may fail.
    selfie="$dir/usr/lib/python3/dist-packages/odoo/addons/mail/static/lib/selfie_segmentation"
    say "  downloading $SELFIE_PACKAGE"
    mkdir -p "$selfie"
    npm_file "$SELFIE_PACKAGE" selfie_segmentation.js "$selfie" || return 1
    apt_private unstable && apt_unpack "$dir" "${ODOO_UNSTABLE[@]}" &&
        apt_private bookworm && apt_unpack "$dir" "${ODOO_BOOKWORM[@]}" || return 1
    [ "$(odoo_series "$dir/usr/lib/python3/dist-packages")" = 19.0 ] || {
        say "  Debian's odoo-19 is not Odoo 19.0"
        return 1
    }
    broken="$(find "$dir" -xtype l)"
    [ -z "$broken" ] || {
        say "  links without a target: $broken"
        return 1
    }
}
