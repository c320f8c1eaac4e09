// SPDX-License-Identifier: MIT
// The view: what is shown and how. It is kept in the page's address, so that a link
// opens the same view.

import { boundsOf, readRange, widen, writeRange } from "./births.js";

export const LAYOUTS = ["flame", "icicle"];

export function defaultView(data) {
    return {
        search: "",
        measure: "bytes",
        moment: data.moment,
        layout: "",
        inverted: false,
        imports: true,
        hide: "",
        domains: new Set(data.domains.keys()),
        sort: data.compared ? "size_diff" : "size",
        descending: true,
        zoom: "",
        born: null, // a range, see births.js; null for all times
    };
}

function readDomains(data, text) {
    const wanted = text.split(",").map(Number);
    const domains = new Set(data.domains.keys());
    for (const domain of [...domains]) if (!wanted.includes(data.domains[domain].number)) domains.delete(domain);
    return domains.size > 0 ? domains : new Set(data.domains.keys());
}

/** The view of an address; missing or invalid values have their defaults. */
export function readAddress(data, hash) {
    const view = defaultView(data);
    const words = new URLSearchParams(hash.replace(/^#/, ""));
    const choose = (key, from) => {
        if (from.includes(words.get(key))) view[key] = words.get(key);
    };
    choose("measure", data.measures);
    choose("moment", data.moments);
    choose("layout", LAYOUTS);
    for (const key of ["search", "hide", "zoom"]) view[key] = words.get(key) || "";
    for (const key of ["inverted", "imports"]) if (words.has(key)) view[key] = words.get(key) === "1";
    if (words.has("born")) view.born = widen(boundsOf(data.epochs), readRange(words.get("born")) || {});
    if (words.has("domains")) view.domains = readDomains(data, words.get("domains"));
    return view;
}

/** The part of the address after the `#`, with the values that are not the defaults. */
export function writeAddress(data, view) {
    const base = defaultView(data);
    const words = new URLSearchParams();
    for (const key of ["search", "measure", "moment", "layout", "hide", "zoom"]) {
        if (view[key] !== base[key]) words.set(key, view[key]);
    }
    for (const key of ["inverted", "imports"]) if (view[key] !== base[key]) words.set(key, view[key] ? "1" : "0");
    if (view.born) words.set("born", writeRange(view.born));
    if (view.domains.size < data.domains.length) {
        words.set("domains", [...view.domains].map((domain) => data.domains[domain].number).join(","));
    }
    return words.toString();
}
