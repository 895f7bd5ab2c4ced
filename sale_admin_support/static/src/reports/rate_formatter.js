import { registry } from "@web/core/registry";
import { formatPercentage } from "@web/views/fields/formatters";

/**
 * A share as a percentage; a rate of nothing is left empty, it is not 0 %.
 *
 * @param {number|false} value
 * @returns {string}
 */
export function formatRate(value) {
    return value === false || value === null || value === undefined
        ? ""
        : formatPercentage(value, { digits: [16, 1] });
}

registry.category("formatters").add("sale_admin_rate", formatRate);
