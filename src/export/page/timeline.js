// SPDX-License-Identifier: MIT
// Plots the heap over time with uPlot. A range of time can be drawn on it.
import uPlot from "uplot";
import { formatBytes } from "./format.js";

const HEIGHT = 150;

/** Distances between the ticks of the byte axis: powers of two. */
const STEPS = Array.from({ length: 50 }, (_, power) => 2 ** power);

/** The timeline has four numbers for each sample: milliseconds and three of bytes. */
function columnsOf(timeline) {
    const columns = [[], [], [], []];
    timeline.forEach((value, i) => columns[i % 4].push(i % 4 === 0 ? value / 1000 : value));
    return columns;
}

function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** The value at the cursor, or the maximum if the cursor is outside the plot. */
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

function optionsOf(host, drawn) {
    return {
        width: Math.max(160, host.clientWidth),
        height: HEIGHT,
        scales: { x: { time: false }, y: { range: (plot, min, max) => [0, max * 1.05 || 1] } },
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
        cursor: {
            drag: { x: true, y: false, setScale: false },
            bind: { dblclick: () => () => drawn(null) },
        },
        hooks: {
            setSelect: [({ select, posToVal }) => select.width > 0 &&
                drawn({ from: posToVal(select.left, "x"), to: posToVal(select.left + select.width, "x") })],
        },
        legend: { live: true },
    };
}

/** Calls `drawn(range)`, in seconds, with null to go back to all times. */
export function makeTimeline(host, timeline, drawn) {
    const [time, python, native, rss] = columnsOf(timeline);
    let plot = null;
    let range = null;

    /** A click removes the library's rectangle. */
    function mark() {
        if (!plot) return;
        const width = plot.over.clientWidth;
        const at = (value) => Math.min(width, Math.max(0, plot.valToPos(value, "x")));
        const left = range ? at(range.from) : 0;
        plot.setSelect({ left, width: range ? at(range.to) - left : 0, top: 0, height: range ? plot.over.clientHeight : 0 }, false);
    }

    function draw() {
        if (plot) plot.destroy();
        plot = new uPlot(optionsOf(host, drawn), [time, rss, python, native], host);
        plot.over.addEventListener("click", mark);
        mark();
    }

    function resize() {
        if (!plot || host.clientWidth === 0) return;
        plot.setSize({ width: Math.max(160, host.clientWidth), height: HEIGHT });
        mark();
    }

    /** Shows a range; null for all times. */
    function show(chosen) {
        range = chosen;
        mark();
    }

    if (time.length < 2) {
        host.textContent = "This dump has no heap timeline.";
        return { draw: () => {}, resize: () => {}, show: () => {} };
    }
    return { draw, resize, show };
}
