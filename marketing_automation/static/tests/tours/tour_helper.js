/** Choose a value of a selection in a dialog. */
export function choose(field, label) {
    return [
        {
            trigger: `.modal .o_field_widget[name=${field}] input`,
            run: "click",
        },
        {
            trigger: `.o_select_menu_item:contains('${label}')`,
            run: "click",
        },
    ];
}
