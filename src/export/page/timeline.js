// SPDX-License-Identifier: MIT
// The heap over time, as a plot of uPlot.
import uPlot from "uplot";
import { formatBytes } from "./format.js";

const HEIGHT = 150;

/** Steps of the axis of bytes: powers of two. */
const STEPS = Array.from({ length: 50 }, (_, power) => 2 ** power);

/** Four numbers for each moment: milliseconds, and bytes. */
function columnsOf(timeline) {
    const columns = [[], [], [], []];
    timeline.forEach((value, i) => columns[i % 4].push(i % 4 === 0 ? value / 1000 : value));
    return columns;
}

function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** At the cursor; without one, the most. */
function legendText(plot, value, number) {
    if (value !== null && value !== undefined) return formatBytes(value);
    return `up to ${formatBytes(Math.max(...plot.data[number].filter(Number.isFinite)))}`;
}

function timeText(plot, value) {
    const time = plot.data[0];
    return value === null || value === undefined ? `${time[time.length - 1].toFixed(2)} s` : `${value.toFixed(2)} s`;
}

function series(label, name, filled) {
    const stroke = colour(name);
    return {
        label,
        stroke,
        width: 1.5,
        fill: filled ? `${stroke}2e` : undefined,
        points: { show: false },
        value: (plot, value, number) => legendText(plot, value, number),
    };
}

function axis(size, values) {
    const stroke = colour("--faint");
    const lines = { stroke: colour("--line"), width: 1 };
    return { stroke, grid: lines, ticks: lines, size, values, font: "11px system-ui, sans-serif" };
}

function optionsOf(host) {
    return {
        width: Math.max(160, host.clientWidth),
        height: HEIGHT,
        scales: { x: { time: false }, y: { range: (plot, least, most) => [0, most * 1.05 || 1] } },
        series: [
            { label: "Time", value: timeText },
            series("RSS", "--rss", false),
            series("Python", "--python", true),
            series("Native", "--native", true),
        ],
        axes: [
            axis(28, (plot, values) => values.map((value) => `${value} s`)),
            { ...axis(66, (plot, values) => values.map((value) => formatBytes(value))), incrs: STEPS },
        ],
        cursor: { drag: { x: true, y: false } },
        legend: { live: true },
    };
}

export function makeTimeline(host, timeline) {
    const [time, python, native, rss] = columnsOf(timeline);
    let plot = null;

    function draw() {
        if (plot) plot.destroy();
        plot = new uPlot(optionsOf(host), [time, rss, python, native], host);
    }

    function resize() {
        if (plot && host.clientWidth > 0) plot.setSize({ width: Math.max(160, host.clientWidth), height: HEIGHT });
    }

    if (time.length < 2) {
        host.textContent = "This dump does not hold the heap over time.";
        return { draw: () => {}, resize: () => {} };
    }
    return { draw, resize };
}
