# shellcheck shell=bash
# prettier [OPTION…]: over the XML, JavaScript and style sheets of the addons.
# The plugin lies in the cache, so .prettierrc can't name it.

prettier() {
    PATH="${NODE_BIN:+$NODE_BIN:}$PATH" node "$NODE_MODULES/prettier/bin/prettier.cjs" \
        --plugin "$NODE_MODULES/@prettier/plugin-xml/src/plugin.js" \
        --no-error-on-unmatched-pattern "$@" "$ADDON*/**/*.{xml,js,css,scss}"
}
