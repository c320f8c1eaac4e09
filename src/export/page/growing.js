// SPDX-License-Identifier: MIT
// The lines that grow, each with what survives of the blocks it allocated over time.
import { formatBytes, formatCount, formatShare } from "./format.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 320;
const HEIGHT = 44;
const UNITS = [["s", 1], ["min", 60], ["h", 3600], ["day", 86400]];
const LEAST = 10240; // bytes: a number to remember

export function formatRate(rate) {
    const [unit, seconds] = UNITS.find(([, length]) => rate * length >= LEAST) ?? UNITS[UNITS.length - 1];
    return `+${formatBytes(rate * seconds)}/${unit}`;
}

export function formatSeconds(seconds) {
    if (seconds < 10) return `${seconds.toFixed(1)} s`;
    if (seconds < 120) return `${Math.round(seconds)} s`;
    if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
    return `${Math.round(seconds / 3600)} h`;
}

/** What was ever freed, and what still lives. */
function sentence(entry) {
    const freed = entry.freed_late_share > 0
        ? `${formatShare(entry.freed_late_share, 1)} of those that got old were freed`
        : "none that got old was ever freed";
    const processes = entry.by_process.filter((process) => process.growth_bytes_per_second > 0).length;
    const several = entry.by_process.length > 1 ? `; grows in ${processes} of ${entry.by_process.length} processes` : "";
    return `${formatCount(entry.live_blocks)} blocks live, ${formatBytes(entry.live_bytes)}, ` +
        `the oldest ${formatSeconds(entry.oldest_seconds)}; ${freed}${several}`;
}

function svg(kind, attributes) {
    const element = document.createElementNS(SVG, kind);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
}

/** A bar for each epoch: blocks that were allocated then, in each second, and live now. */
function survival({ times, alive }) {
    const start = times[0];
    const length = Math.max(1, times[times.length - 1] - start);
    const rates = alive.map((count, i) => count / Math.max(1, times[i + 1] - times[i]));
    const most = Math.max(...rates, Number.MIN_VALUE);
    const total = alive.reduce((sum, count) => sum + count, 0);
    const text = `Live blocks by when they were allocated: ${formatCount(total)} in ${formatSeconds(length / 1000)}`;
    const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": text, class: "survival" });
    const title = svg("title", {});
    title.textContent = text;
    picture.append(title, svg("line", { x1: 0, x2: WIDTH, y1: HEIGHT - 0.5, y2: HEIGHT - 0.5 }));
    rates.forEach((rate, i) => {
        const x = (WIDTH * (times[i] - start)) / length;
        const width = (WIDTH * (times[i + 1] - times[i])) / length;
        const height = rate > 0 ? Math.max(1.5, ((HEIGHT - 4) * rate) / most) : 0;
        if (height > 0) picture.append(svg("rect", { x, y: HEIGHT - height, width: Math.max(0.5, width - 0.8), height }));
    });
    return picture;
}

function span(name, text) {
    const element = document.createElement("span");
    element.className = name;
    element.textContent = text;
    return element;
}

function makeEntry(growing, search) {
    const { entry } = growing;
    const item = document.createElement("li");
    const head = document.createElement("p");
    const place = document.createElement("button");
    place.type = "button";
    place.className = "place";
    place.textContent = `${entry.file}:${entry.line}`;
    place.title = "Search for this line";
    place.addEventListener("click", () => search(place.textContent));
    head.append(span(`word ${entry.word}`, entry.word), place);
    if (entry.function) head.append(span("function", entry.function));
    head.append(span("rate", formatRate(entry.growth_bytes_per_second)), span("share", `${formatShare(entry.share, 1)} of what grows`));
    const text = document.createElement("div");
    text.append(head, span("evidence", sentence(entry)));
    item.append(text, survival(growing));
    return item;
}

/** `elements`: section, note, list. A click on a line calls `search(text)`. */
export function showGrowing(elements, data, search) {
    elements.section.hidden = data.growing.length === 0;
    elements.note.textContent = "Bars: blocks that live now, by when they were allocated. " +
        "Of a cache only the young ones live; what leaks lives from the beginning to the end.";
    elements.list.replaceChildren(...data.growing.map((growing) => makeEntry(growing, search)));
}
