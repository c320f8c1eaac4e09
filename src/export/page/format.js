// SPDX-License-Identifier: MIT
// Formats numbers as the reports in the terminal do.

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** Chooses the unit as Python's tracemalloc does: up to 10240 of a unit, no decimals from 100 on. */
export function formatBytes(bytes, sign = "") {
    let value = bytes;
    for (const unit of UNITS) {
        if (Math.abs(value) < 100 && unit !== "B") return `${sign}${value.toFixed(1)} ${unit}`;
        if (Math.abs(value) < 10240 || unit === "TiB") return `${sign}${Math.round(value)} ${unit}`;
        value /= 1024;
    }
    return "";
}

export function formatCount(count) {
    return Math.round(count).toString().replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
}

export function formatMeasure(measure, value) {
    return measure === "bytes" ? formatBytes(value) : formatCount(value);
}

/** With a sign, which is ± for 0. */
export function formatDifference(measure, value) {
    const sign = value > 0 ? "+" : value < 0 ? "\u2212" : "\u00b1";
    return sign + formatMeasure(measure, Math.abs(value));
}

export function formatShare(part, whole) {
    if (!(whole > 0)) return "";
    const percent = (100 * part) / whole;
    if (percent > 0 && percent < 0.001) return "<0.001\u202f%";
    return `${percent >= 10 || percent === 0 ? percent.toFixed(percent >= 99.95 || percent === 0 ? 0 : 1) : percent.toPrecision(2)}\u202f%`;
}
