// SPDX-License-Identifier: MIT
// The range of births, beside the timeline: two sliders over the epochs, what they say, and the way back.
import { boundsOf, widen } from "./births.js";

const day = (time) => time.toLocaleDateString();

/** `elements`: born, from, to, text, all. Calls `chosen(range)` when the user has chosen one, null for all times. */
export function makeBorn(elements, data, chosen) {
    const bounds = boundsOf(data.epochs);
    const last = bounds.length - 1;
    const { from, to } = elements;

    function clock(seconds) {
        const time = new Date(data.dump.start + 1000 * seconds);
        const sameDay = day(new Date(data.dump.start + 1000 * bounds[0])) === day(new Date(data.dump.start + 1000 * bounds[last]));
        return sameDay ? time.toLocaleTimeString() : time.toLocaleString();
    }

    function ends(range) {
        const length = bounds[last] - bounds[0];
        const digits = length < 100 ? 2 : 0;
        return `${range.from.toFixed(digits)} s to ${range.to.toFixed(digits)} s (${clock(range.from)} to ${clock(range.to)})`;
    }

    function show(range) {
        from.value = range ? bounds.indexOf(range.from) : 0;
        to.value = range ? bounds.indexOf(range.to) : last;
        from.setAttribute("aria-valuetext", `${bounds[from.value]} s`);
        to.setAttribute("aria-valuetext", `${bounds[to.value]} s`);
        elements.text.textContent = range ? `Allocated ${ends(range)}` : "All times. Drag on the timeline to choose a range.";
        elements.text.classList.toggle("chosen", range !== null);
        elements.all.disabled = range === null;
    }

    /** The other end keeps a distance of one epoch. */
    function slide(moved) {
        let first = Number(from.value);
        let end = Number(to.value);
        if (first >= end && moved === from) first = Math.max(0, end - 1);
        if (first >= end) end = first + 1;
        chosen(widen(bounds, { from: bounds[first], to: bounds[end] }));
    }

    elements.born.hidden = last < 2;
    for (const slider of [from, to]) {
        slider.max = last;
        slider.addEventListener("input", () => slide(slider));
    }
    elements.all.addEventListener("click", () => chosen(null));
    return { show, snap: (range) => range && widen(bounds, range) };
}
