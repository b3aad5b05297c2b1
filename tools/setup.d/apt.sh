# shellcheck shell=bash
# Debian packages without touching the system: a private apt configuration
# (own sources, lists and archives), and `dpkg -x` into the cache.

# Base address of the Debian mirror this machine's own apt uses.
debian_mirror() {
    if [ -n "${MARKETING_AUTOMATION_DEBIAN_MIRROR:-}" ]; then
        printf '%s\n' "$MARKETING_AUTOMATION_DEBIAN_MIRROR"
        return 0
    fi
    command -v apt-get >/dev/null || return 1
    apt-get indextargets --format '$(COMPONENT) $(RELEASE) $(REPO_URI)' 2>/dev/null |
        awk -v codename="$(system_codename)" \
            '$1 == "main" && $2 == codename { print $3; found = 1; exit }
             END { exit !found }'
}

system_codename() { sed -n 's/^VERSION_CODENAME=//p' /etc/os-release; }

# apt_private SUITE|system: write the private configuration and update its lists.
# "system" means this machine's own Debian release with its updates.
apt_private() {
    local suite="$1" mirror signed=""
    APT_DIR="$CACHE/apt/$suite"
    export APT_CONFIG="$APT_DIR/apt.conf"
    mirror="$(APT_CONFIG='' debian_mirror)" || return 1
    mkdir -p "$APT_DIR/lists/partial" "$APT_DIR/archives/partial"
    if [ -f /usr/share/keyrings/debian-archive-keyring.gpg ]; then
        signed="[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
    fi
    if [ "$suite" = system ]; then
        APT_CONFIG='' apt-get indextargets \
            --format '$(CREATED_BY) $(COMPONENT) $(RELEASE) $(REPO_URI)' 2>/dev/null |
            awk -v codename="$(system_codename)" -v signed="$signed" \
                '$1 == "Packages" && $2 == "main" &&
                 ($3 == codename || $3 == codename "-updates" || $3 == codename "-security") {
                    print "deb", signed, $4, $3, $2 }' |
            sort -u >"$APT_DIR/sources.list"
    else
        echo "deb $signed $mirror $suite main" >"$APT_DIR/sources.list"
    fi
    cat >"$APT_CONFIG" <<CONF
Dir::Etc::sourcelist "$APT_DIR/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State::lists "$APT_DIR/lists";
Dir::Cache "$APT_DIR";
Dir::Cache::archives "$APT_DIR/archives";
Dir::Log "$APT_DIR";
Debug::NoLocking "1";
APT::Sandbox::User "";
APT::Get::List-Cleanup "1";
APT::Update::Post-Invoke {};
DPkg::Post-Invoke {};
Acquire::Languages "none";
Acquire::Retries "3";
CONF
    say "  reading the package lists of $suite"
    apt-get -qq update
}

# apt_unpack DIR PACKAGE…: download just these packages and unpack them into DIR.
apt_unpack() {
    local dir="$1" deb
    shift
    say "  downloading $*"
    rm -rf "$APT_DIR/download"
    mkdir -p "$APT_DIR/download" "$dir"
    (cd "$APT_DIR/download" && apt-get -qq download "$@" >&2) || return 1
    for deb in "$APT_DIR/download"/*.deb; do
        dpkg -x "$deb" "$dir" || return 1
    done
    rm -rf "$APT_DIR/download"
}

# apt_unpack_missing DIR PACKAGE…: the packages, and those they depend on which
# this machine lacks.
apt_unpack_missing() {
    local dir="$1" deb
    shift
    say "  downloading $* and what they need"
    rm -f "$APT_DIR"/archives/*.deb
    mkdir -p "$dir"
    apt-get -qq install -y --download-only --no-install-recommends \
        "$@" </dev/null >&2 || return 1
    for deb in "$APT_DIR"/archives/*.deb; do
        case "${deb##*/}" in libc6_* | libc-bin_*) continue ;; esac # must fit the machine's
        dpkg -x "$deb" "$dir" || return 1
    done
    rm -f "$APT_DIR"/archives/*.deb
}
