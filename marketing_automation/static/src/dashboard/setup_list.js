import {Component} from "@odoo/owl";
import {useService} from "@web/core/utils/hooks";

/** What has to be there before carts are recovered, with links to what is missing. */
export class SetupList extends Component {
    static template = "marketing_automation.SetupList";
    static props = {items: Array};

    setup() {
        this.action = useService("action");
    }
}
