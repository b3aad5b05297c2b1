# shellcheck shell=bash
# Chromium, for the browser tours. Sets BROWSER, or leaves it empty, saying why.

setup_browser() {
    local name
    for name in google-chrome chromium chromium-browser google-chrome-stable; do
        if BROWSER="$(PATH="$CACHE/bin:$PATH" command -v "$name")"; then
            [ "$BROWSER" != "$CACHE/bin/chromium" ] || browser_wrapper "$CACHE/chromium"
            return 0
        fi
    done
    say "Browser: no chromium on this machine; unpacking one (about 120 MB)"
    BROWSER="$CACHE/bin/chromium"
    if browser_unpack; then
        return 0
    fi
    BROWSER=""
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "  that failed; installing Debian's package chromium into the system"
        if apt-get update -qq </dev/null >&2 &&
            DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
                --no-install-recommends chromium </dev/null >&2; then
            BROWSER="$(command -v chromium)"
            return 0
        fi
    fi
    say "Browser: none to be had, so browser tours can't run. As root:" \
        "apt-get install chromium"
}

browser_unpack() {
    local dir="$CACHE/chromium"
    rm -rf "$dir" "$dir.new"
    apt_private system && apt_unpack_missing "$dir.new" chromium || return 1
    mkdir -p "$CACHE/bin"
    mv "$dir.new" "$dir"
    browser_wrapper "$dir"
    FONTCONFIG_FILE="$CHECKOUT/fonts.conf" "$dir/chromium" --headless --no-sandbox --disable-gpu --dump-dom \
        'data:text/html,<p>it runs</p>' 2>"$CACHE/chromium.log" </dev/null |
        grep -q 'it runs' || return 1
    ln -sfn "$dir/chromium" "$CACHE/bin/chromium"
}

# browser_wrapper DIR: the program that starts the Chromium unpacked there. Written anew
# by every set-up, so that an older cache gets today's.
browser_wrapper() {
    cat >"$1/chromium.new" <<SH
#!/bin/sh
# Chromium from the packages unpacked beside it. FONTCONFIG_FILE names its fonts.
export LD_LIBRARY_PATH="$(unpacked_libraries "$1" "$1")"
exec "$1/usr/lib/chromium/chromium" "\$@"
SH
    chmod +x "$1/chromium.new"
    mv "$1/chromium.new" "$1/chromium"
}
