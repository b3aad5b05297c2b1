# shellcheck shell=bash
# The fonts that the browser sees, the same on every machine: DejaVu for everything but
# what a page brings along. The machine's own fonts and font settings are out of sight.

# Writes CHECKOUT/fonts.conf; needs NODE_MODULES.
setup_fonts() {
    mkdir -p "$CHECKOUT"
    fonts_conf >"$CHECKOUT/fonts.conf.new"
    mv "$CHECKOUT/fonts.conf.new" "$CHECKOUT/fonts.conf"
}

# It includes no other file on purpose.
fonts_conf() {
    cat <<CONF
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>$NODE_MODULES/dejavu-fonts-ttf/ttf</dir>
  <cachedir>$CACHE/fontconfig</cachedir>
  <match target="pattern">
    <edit name="dpi" mode="assign"><double>96</double></edit>
    <edit name="family" mode="append_last"><string>DejaVu Sans</string></edit>
  </match>
  <match target="font">
    <edit name="antialias" mode="assign"><bool>true</bool></edit>
    <edit name="autohint" mode="assign"><bool>false</bool></edit>
    <edit name="hinting" mode="assign"><bool>false</bool></edit>
    <edit name="hintstyle" mode="assign"><const>hintnone</const></edit>
    <edit name="rgba" mode="assign"><const>none</const></edit>
    <edit name="lcdfilter" mode="assign"><const>lcdnone</const></edit>
  </match>
CONF
    fonts_stand_in "DejaVu Sans" sans-serif system-ui ui-sans-serif cursive fantasy \
        emoji Arial Helvetica "Helvetica Neue" Verdana Tahoma
    fonts_stand_in "DejaVu Serif" serif ui-serif Georgia Times "Times New Roman"
    fonts_stand_in "DejaVu Sans Mono" monospace ui-monospace Courier "Courier New" \
        Consolas Menlo
    echo "</fontconfig>"
}

# fonts_stand_in FAMILY NAME…: a page that asks for one of the names gets the family.
fonts_stand_in() {
    local family="$1" name
    shift
    for name in "$@"; do
        cat <<CONF
  <match target="pattern">
    <test name="family"><string>$name</string></test>
    <edit name="family" mode="assign" binding="same"><string>$family</string></edit>
  </match>
CONF
    done
}
