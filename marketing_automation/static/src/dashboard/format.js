import {formatDate} from "@web/core/l10n/dates";
import {_t} from "@web/core/l10n/translation";
import {formatCurrency} from "@web/core/currency";
import {formatInteger, formatPercentage as format} from "@web/views/fields/formatters";

const {DateTime} = luxon;

/**
 * Write a figure as people read it.
 *
 * @param {number|null} value null: it cannot be known
 * @param {string} unit "number", "money" or "share" (of 1)
 * @param {number} currencyId of money
 * @returns {string}
 */
export function formatFigure(value, unit, currencyId) {
    if (value === null || value === undefined) {
        return "–";
    }
    if (unit === "money") {
        // Nobody counts the cents of thousands.
        const digits = Math.abs(value) >= 10000 ? [false, 0] : undefined;
        return formatCurrency(value, currencyId, {digits});
    }
    return unit === "share" ? formatPercentage(value) : formatInteger(value);
}

/**
 * @param {number} value share of 1
 * @returns {string}
 */
export function formatPercentage(value) {
    return format(value, {digits: [false, Math.abs(value) < 0.1 ? 1 : 0]});
}

/**
 * @param {string} day ISO date
 * @returns {string}
 */
export function formatDay(day) {
    return formatDate(DateTime.fromISO(day));
}

/**
 * @param {string[]} days first and last day, ISO dates
 * @returns {string}
 */
export function formatDays([first, last]) {
    return first === last
        ? formatDay(first)
        : _t("%(first)s to %(last)s", {first: formatDay(first), last: formatDay(last)});
}
