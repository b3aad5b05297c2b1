# shellcheck shell=bash
# smtp-sink of Debian's postfix, the mail server that the benchmarks send to. Only
# tools/bench asks for it.

# Puts a program smtp-sink on PATH, unless the machine has one.
setup_smtp_sink() {
    local dir="$CACHE/smtp-sink"
    if PATH="$CACHE/bin:$PATH:/usr/sbin" command -v smtp-sink >/dev/null; then
        return 0
    fi
    say "smtp-sink: unpacking it from Debian's package postfix (3 MB)"
    rm -rf "$dir" "$dir.new"
    apt_private system && apt_unpack_missing "$dir.new" postfix || return 1
    mkdir -p "$CACHE/bin"
    cat >"$dir.new/smtp-sink" <<SH
#!/bin/sh
# smtp-sink with the libraries unpacked beside it.
LD_LIBRARY_PATH="$dir/usr/lib/postfix:$(unpacked_libraries "$dir.new" "$dir")" \\
    exec "$dir/usr/sbin/smtp-sink" "\$@"
SH
    chmod +x "$dir.new/smtp-sink"
    mv "$dir.new" "$dir"
    # It has no option that only says its version.
    [ -x "$dir/usr/sbin/smtp-sink" ] && ln -sfn "$dir/smtp-sink" "$CACHE/bin/smtp-sink"
}
