// SPDX-License-Identifier: MIT
// The tooltip of the frame that the pointer is on or that is selected by keyboard.
import { formatDifference, formatMeasure, formatShare } from "./format.js";
import { OWN } from "./data.js";

function explain(frame, data) {
    if (frame.number === OWN.all) return "All stacks.";
    if (frame.number === OWN.other) return "Calls too small to be shown.";
    if (frame.number === OWN.cut) return `The stacks have more frames than the ${data.nframe} that are shown.`;
    const place = frame.place === frame.name ? "" : frame.place;
    if (!frame.native) return place;
    return place ? `${place} (native code)` : "native code";
}

function line(kind, text) {
    const element = document.createElement(kind);
    element.textContent = text;
    return element;
}

function cells(texts) {
    const row = document.createElement("tr");
    row.append(...texts.map((text) => line("td", text)));
    return row;
}

function numbers(node, root, data) {
    const table = document.createElement("table");
    data.measures.forEach((measure, m) => {
        const texts = [measure, formatMeasure(measure, node.now[m]), formatShare(node.now[m], root.now[m])];
        if (data.compared) texts.push(formatDifference(measure, node.now[m] - node.old[m]));
        table.append(cells(texts));
    });
    return table;
}

function place(tip, at) {
    const box = at instanceof Element ? at.getBoundingClientRect() : null;
    const x = box ? box.left : at.clientX;
    const y = box ? box.bottom : at.clientY;
    const left = Math.min(x + 12, window.innerWidth - tip.offsetWidth - 8);
    const below = y + 14 + tip.offsetHeight < window.innerHeight;
    tip.style.left = `${Math.max(4, left)}px`;
    tip.style.top = `${below ? y + 14 : Math.max(4, y - tip.offsetHeight - (box ? box.height : 0) - 10)}px`;
}

/** `spoken` is the element that screen readers read aloud; it is set if a key selected the frame. */
export function makeTip(tip, spoken, data) {
    function hide() {
        tip.hidden = true;
    }

    function show(at, node, root) {
        if (!node) {
            hide();
            return;
        }
        const { frame } = node;
        const parts = [line("b", frame.name), line("span", explain(frame, data))];
        if (frame.source) parts.push(line("code", frame.source));
        tip.replaceChildren(...parts, numbers(node, root, data));
        tip.hidden = false;
        place(tip, at);
        if (at instanceof Element) spoken.textContent = `${frame.label}, ${formatMeasure("bytes", node.now[0])}, ${formatShare(node.now[0], root.now[0])}`;
    }

    return { show, hide };
}
