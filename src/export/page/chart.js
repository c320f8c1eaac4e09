// SPDX-License-Identifier: MIT
// The flame graph: adds keys, a zoom that an address can name, and two layouts to d3-flame-graph.
import flamegraph from "d3-flame-graph";
import { select } from "d3-selection";
import { colourOf } from "./colours.js";

const ROW = 19;
const MIN_WIDTH = 1.2; // pixels; narrower frames are not drawn

/** Draws into the element `host`; calls `zoomed(node)` and `hovered(event, node)`, with null for no node. */
export function makeChart(host, { zoomed, hovered }) {
    const still = window.matchMedia("(prefers-reduced-motion: reduce)");
    const frame = select(host);
    let chart = null;
    let root = null; // of d3's hierarchy; its `data` are our nodes
    let focus = null;
    let selected = null;
    let layout = "flame";
    let shown = {};

    const tip = () => {};
    tip.show = (event, d) => hovered(event, d.data);
    tip.hide = () => hovered(null, null);

    function isDrawn(d) {
        return d.x1 > d.x0 && (d.x1 - d.x0) * host.clientWidth > MIN_WIDTH;
    }

    /** Removes the two empty rows that the library leaves, and scales the graph for print. */
    function finish() {
        const svg = frame.select("svg");
        const width = chart.width();
        const drawn = chart.height();
        const height = drawn - 2 * ROW;
        svg.attr("height", height)
            .attr("viewBox", `0 ${layout === "flame" ? 2 * ROW : 0} ${width} ${height}`)
            .attr("preserveAspectRatio", "none")
            .attr("aria-hidden", "true");
        markSelected();
    }

    function markSelected() {
        frame.selectAll("g.frame").classed("selected", (d) => d === selected);
    }

    function setFocus(d) {
        focus = d && d.parent ? d : null;
        host.dataset.focus = focus ? focus.data.name : "";
        selected = selected && isDrawn(selected) ? selected : focus;
        finish();
        zoomed(focus ? focus.data : null);
    }

    function make() {
        chart = flamegraph()
            .width(Math.max(200, host.clientWidth))
            .cellHeight(ROW)
            .minFrameSize(MIN_WIDTH)
            .resetHeightOnZoom(true)
            .inverted(layout === "icicle")
            .tooltip(tip)
            .setColorMapper((d) => colourOf(d.data, d.highlight, shown.compared, shown.measure))
            .setSearchMatch((d, matches) => Boolean(matches) && matches(d.data.frame))
            .setSearchHandler(() => {})
            .onClick((d) => {
                selected = d;
                setFocus(d);
            });
    }

    /** Turns animation on again: only zooming is animated. */
    function animateAgain() {
        window.requestAnimationFrame(() => chart.transitionDuration(still.matches ? 0 : 200));
    }

    /** Draws another tree. `options`: compared, measure (its number), layout, matches. */
    function draw(tree, options) {
        shown = options;
        layout = options.layout;
        frame.selectAll("svg").remove();
        make();
        chart.transitionDuration(0);
        frame.datum(tree).call(chart);
        root = frame.datum();
        focus = selected = null;
        if (options.matches) chart.search(options.matches);
        host.dataset.focus = "";
        finish();
        animateAgain();
    }

    function search(matches) {
        shown.matches = matches;
        if (matches) chart.search(matches);
        else chart.clear();
        finish();
    }

    function reset() {
        if (focus) chart.resetZoom();
        selected = null;
        finish();
    }

    function zoomTo(d) {
        selected = d;
        if (d.parent) chart.zoomTo(d);
        else reset();
    }

    /** Zooms to one of our nodes. */
    function zoomToNode(node) {
        const found = root.find((d) => d.data === node);
        if (found) zoomTo(found);
    }

    function resize() {
        if (!chart || host.clientWidth === 0 || chart.width() === host.clientWidth) return;
        chart.transitionDuration(0).width(Math.max(200, host.clientWidth)).update();
        finish();
        animateAgain();
    }

    function neighbour(d, step) {
        const row = d.parent ? d.parent.children.filter(isDrawn) : [d];
        return row[row.indexOf(d) + step] || d;
    }

    function follow(key) {
        const inwards = layout === "flame" ? "ArrowUp" : "ArrowDown";
        const from = selected || focus || root;
        if (key === "ArrowLeft") return neighbour(from, -1);
        if (key === "ArrowRight") return neighbour(from, 1);
        if (key === inwards) return (from.children || []).find(isDrawn) || from;
        return from.parent || from;
    }

    function move(key) {
        selected = follow(key);
        markSelected();
        const g = frame.select("g.selected").node();
        if (!g) return;
        g.scrollIntoView({ block: "nearest", inline: "nearest" });
        hovered(g, selected.data);
    }

    function press(event) {
        if (event.altKey || event.ctrlKey || event.metaKey) return;
        if (event.key.startsWith("Arrow")) move(event.key);
        else if (event.key === "Enter" && selected) zoomTo(selected);
        else if (event.key === "Backspace" && focus) zoomTo(focus.parent);
        else return;
        event.preventDefault();
    }

    host.addEventListener("keydown", press);
    host.addEventListener("blur", () => hovered(null, null));
    return { draw, search, reset, resize, zoomToNode };
}
