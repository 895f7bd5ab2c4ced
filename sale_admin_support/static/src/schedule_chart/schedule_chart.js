import { Component, onWillStart, useEffect, useRef, useState } from "@odoo/owl";
import { loadBundle } from "@web/core/assets";
import { cookie } from "@web/core/browser/cookie";
import { getCustomColor } from "@web/core/colors/colors";
import { formatCurrency } from "@web/core/currency";
import { deserializeDate, formatDate } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { useRecordObserver } from "@web/model/relational_model/utils";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

const DAY = 24 * 60 * 60 * 1000;
const COLORS = { delivered: "#0f6fb5", invoiced: "#b35c00", collected: "#2b7a3d" };
const scheme = cookie.get("color_scheme");
const GRID_COLOR = getCustomColor(scheme, "#d8dadd", "#3C3E4B");
const TEXT_COLOR = getCustomColor(scheme, "#111827", "#E4E4E4");

const toTime = (date) => deserializeDate(date).toMillis();

/** Planned against actual value of a contract over time, one colour for each measure. */
export class ScheduleChart extends Component {
    static template = "sale_admin_support.ScheduleChart";
    static props = { ...standardWidgetProps };

    setup() {
        this.orm = useService("orm");
        this.canvas = useRef("canvas");
        this.state = useState({ data: null });
        onWillStart(() => loadBundle("web.chartjs_lib"));
        // Runs again whenever the form's record was saved or read anew.
        useRecordObserver((record) => this.load(record.resId, record.data.write_date));
        useEffect(
            () => {
                if (!this.canvas.el) {
                    return;
                }
                // eslint-disable-next-line no-undef
                const chart = new Chart(this.canvas.el, this.getConfig());
                return () => chart.destroy();
            },
            () => [this.state.data]
        );
    }

    async load(contractId) {
        this.state.data = contractId
            ? await this.orm.call("sale.admin.milestone", "get_chart_data", [contractId])
            : { measures: [] };
    }

    get hasCurves() {
        return Boolean(this.state.data?.measures.length);
    }

    get figures() {
        return this.state.data.measures.map((measure) => ({
            measure: measure.measure,
            color: COLORS[measure.measure],
            text: _t("%(measure)s: %(actual)s of %(planned)s", {
                measure: measure.label,
                actual: this.format(this.last(measure.actual)),
                planned: this.format(this.last(measure.planned)),
            }),
        }));
    }

    /** What a screen reader says instead of the drawing. */
    get summary() {
        return [_t("Planned and actual value over time."), ...this.figures.map((f) => f.text)].join(" ");
    }

    last(curve) {
        return curve.length ? curve[curve.length - 1][1] : 0;
    }

    format(amount) {
        return formatCurrency(amount, this.state.data.currency_id);
    }

    /** The earliest and latest day of all curves and today, a little wider. */
    getRange(today) {
        const times = this.state.data.measures.flatMap((measure) =>
            [...measure.planned, ...measure.baseline, ...measure.actual]
                .filter(([date]) => date)
                .map(([date]) => toTime(date))
        );
        const min = Math.min(today, ...times);
        const max = Math.max(today, ...times);
        const margin = Math.max((max - min) * 0.03, DAY);
        return { min: min - margin, max: max + margin };
    }

    /** A staircase from zero at `start` to `end`; what bears no date counts up to the end. */
    getPoints(curve, start, end) {
        const points = curve.map(([date, amount]) => ({ x: date ? toTime(date) : end, y: amount }));
        return [{ x: start, y: 0 }, ...points, { x: end, y: this.last(curve) }];
    }

    getDatasets(today, range) {
        const line = { stepped: true, pointRadius: 0, pointHitRadius: 8, fill: false };
        return this.state.data.measures.flatMap((measure, index) => {
            const color = COLORS[measure.measure];
            const isReplanned =
                measure.baseline.length &&
                JSON.stringify(measure.baseline) !== JSON.stringify(measure.planned);
            const datasets = [
                {
                    ...line,
                    label: _t("%s, planned", measure.label),
                    data: this.getPoints(measure.planned, range.min, range.max),
                    borderColor: color,
                    backgroundColor: color,
                    borderWidth: 2,
                    // Interleaved: curves often run on top of each other.
                    borderDash: [6, 12],
                    borderDashOffset: -6 * index,
                },
                {
                    ...line,
                    label: _t("%s, actual", measure.label),
                    data: this.getPoints(measure.actual, range.min, today),
                    borderColor: color,
                    backgroundColor: color,
                    borderWidth: 3,
                },
            ];
            if (isReplanned) {
                datasets.push({
                    ...line,
                    label: _t("%s, agreed at the start", measure.label),
                    data: this.getPoints(measure.baseline, range.min, range.max),
                    borderColor: color,
                    backgroundColor: color,
                    borderWidth: 1,
                    borderDash: [1, 3],
                });
            }
            return datasets;
        });
    }

    /** Draws a vertical line through today. */
    getTodayPlugin(today) {
        return {
            id: "today",
            afterDatasetsDraw: ({ ctx, chartArea, scales }) => {
                const x = scales.x.getPixelForValue(today);
                ctx.save();
                ctx.strokeStyle = ctx.fillStyle = TEXT_COLOR;
                ctx.setLineDash([2, 2]);
                ctx.beginPath();
                ctx.moveTo(x, chartArea.top);
                ctx.lineTo(x, chartArea.bottom);
                ctx.stroke();
                ctx.textAlign = "center";
                ctx.fillText(_t("Today"), x, chartArea.top - 4);
                ctx.restore();
            },
        };
    }

    getConfig() {
        const today = toTime(this.state.data.today);
        const range = this.getRange(today);
        const formatTime = (time) => formatDate(luxon.DateTime.fromMillis(time));
        const ticks = { color: TEXT_COLOR };
        return {
            type: "line",
            data: { datasets: this.getDatasets(today, range) },
            plugins: [this.getTodayPlugin(today)],
            options: {
                animation: false,
                maintainAspectRatio: false,
                layout: { padding: { top: 16 } },
                interaction: { mode: "nearest", intersect: false },
                plugins: {
                    legend: {
                        position: "bottom",
                        // Without height the box is a stroke in the curve's own dashes.
                        labels: { color: TEXT_COLOR, boxWidth: 36, boxHeight: 0 },
                    },
                    tooltip: {
                        callbacks: {
                            title: ([item]) => formatTime(item.parsed.x),
                            label: (item) => `${item.dataset.label}: ${this.format(item.parsed.y)}`,
                        },
                    },
                },
                scales: {
                    x: {
                        type: "linear",
                        ...range,
                        grid: { color: GRID_COLOR },
                        ticks: { ...ticks, maxTicksLimit: 8, maxRotation: 0, callback: formatTime },
                    },
                    y: {
                        beginAtZero: true,
                        grid: { color: GRID_COLOR },
                        ticks: {
                            ...ticks,
                            maxTicksLimit: 6,
                            callback: (amount) =>
                                formatCurrency(amount, this.state.data.currency_id, {
                                    humanReadable: true,
                                }),
                        },
                    },
                },
            },
        };
    }
}

registry.category("view_widgets").add("sale_admin_schedule_chart", {
    component: ScheduleChart,
    extractProps: () => ({}),
    fieldDependencies: [{ name: "write_date", type: "datetime" }],
});
