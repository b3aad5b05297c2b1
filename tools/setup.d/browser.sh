# shellcheck shell=bash
# Chromium, for the browser tours. Sets BROWSER, or leaves it empty, saying why.

setup_browser() {
    local name
    for name in google-chrome chromium chromium-browser google-chrome-stable; do
        if BROWSER="$(PATH="$CACHE/bin:$PATH" command -v "$name")"; then
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
    apt_private system && apt_unpack_missing "$dir.new" \
        chromium fonts-dejavu-core fontconfig-config || return 1
    mkdir -p "$dir.new/fonts-cache" "$CACHE/bin"
    cat >"$dir.new/fonts.conf" <<CONF
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>$dir/usr/share/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>$dir/fonts-cache</cachedir>
</fontconfig>
CONF
    cat >"$dir.new/chromium" <<SH
#!/bin/sh
# Chromium from the packages unpacked beside it.
export LD_LIBRARY_PATH="$(unpacked_libraries "$dir.new" "$dir")"
export FONTCONFIG_FILE="$dir/fonts.conf"
exec "$dir/usr/lib/chromium/chromium" "\$@"
SH
    chmod +x "$dir.new/chromium"
    mv "$dir.new" "$dir"
    "$dir/chromium" --headless --no-sandbox --disable-gpu --dump-dom \
        'data:text/html,<p>it runs</p>' 2>"$CACHE/chromium.log" </dev/null |
        grep -q 'it runs' || return 1
    ln -sfn "$dir/chromium" "$CACHE/bin/chromium"
}
