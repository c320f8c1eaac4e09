/* SPDX-License-Identifier: MIT */
#include "show/summary_advice.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "profile/heap_history.h"
#include "profile/import_frames.h"
#include "show/frame_text.h"

/* From when something stands out: the share of one line or of imports, and the ratios
 * of peak to now, of the last quarter to the first, of allocated to peak. */
static const double large_share = 0.4, high_peak = 1.5, growth = 1.25, churn = 50;
/* Bytes: less code, or less of the tracer's own, says nothing about the program. */
static const uint64_t remarkable = (uint64_t)64 << 20;
/* Nanoseconds: growth in a shorter run is not remarkable. */
static const uint64_t min_growth_time = (uint64_t)10 * 1000000000;
enum {
    QUARTERS = 4,
    HALF_SAMPLES = 40,
    MAX_NAME = 50,
    NAME_SIZE = 128,
    SIZE_TEXT = 40
};

static struct weight total_of(const struct summary *summary, enum summary_view view) {
    return summary->profiles[view].total;
}

static int min(size_t first, size_t second) {
    return (int)(first < second ? first : second);
}

/* Writes `main, app.py:12`, each part cut to MAX_NAME bytes. */
static void name_line(const struct statistic *top, char name[NAME_SIZE]) {
    const struct profile *profile = top->grouping->profile;
    if (top->frame.name == FRAME_NAMES_UNKNOWN) {
        snprintf(name, NAME_SIZE, "%s", frame_text_unknown(profile).bytes);
        return;
    }
    struct dump_text function = profile_function(profile, top->stack);
    struct dump_text file = profile_filename(profile, top->frame);
    const char *slash = memrchr(file.bytes, '/', file.length);
    const char *base = slash == NULL ? file.bytes : slash + 1;
    size_t length = (size_t)(file.bytes + file.length - base);
    snprintf(name, NAME_SIZE, "%.*s%s%.*s:%" PRIu32, min(function.length, MAX_NAME),
             function.bytes, function.length > 0 ? ", " : "", min(length, MAX_NAME),
             base, top->frame.line);
}

/* The share of the first of these lines in a view; 0 if there is none. A line of the
 * import system, shown with --all-frames, says nothing about the program. */
static double share_of(const struct summary *summary, enum summary_view view,
                       const struct statistics *top) {
    double total = (double)total_of(summary, view).size;
    if (top->shown == 0 || total == 0 ||
        import_frames_match(
            profile_filename(top->entries[0].grouping->profile, top->entries[0].frame)))
        return 0;
    return (double)top->entries[0].weight.size / total;
}

/* Whether one line has a large share, either of all blocks or of those that imports did
 * not allocate. */
static bool has_large_line(const struct summary *summary, enum summary_view view) {
    return share_of(summary, view, &summary->later[view].top) >= large_share ||
           share_of(summary, view, &summary->tops[view]) >= large_share;
}

/* Whether the heap grew in each quarter of the second half of its life. */
static bool keeps_growing(const struct summary *summary) {
    double values[HALF_SAMPLES], means[QUARTERS] = {0};
    uint64_t end = heap_history_end(summary->reader);
    if (summary->reader->timeline_count < HALF_SAMPLES || end < min_growth_time)
        return false;
    heap_history_sample(summary->reader, HEAP_HISTORY_TRACED, end / 2, end, values,
                        HALF_SAMPLES);
    for (size_t i = 0; i < HALF_SAMPLES; i++)
        means[i * QUARTERS / HALF_SAMPLES] += values[i];
    for (size_t i = 1; i < QUARTERS; i++)
        if (means[i] <= means[i - 1])
            return false;
    return means[QUARTERS - 1] > growth * means[0];
}

static void advise_line(struct summary *summary, enum summary_view view,
                        const char *when, const char *command) {
    char name[NAME_SIZE];
    const struct statistics *later = &summary->later[view].top;
    bool is_later = share_of(summary, view, later) >= large_share;
    const struct statistics *top = is_later ? later : &summary->tops[view];
    name_line(&top->entries[0], name);
    snprintf(summary->advice, sizeof summary->advice,
             "One line holds %.0f%% of the memory%s%s: %s. `%s` shows its callers.",
             100 * share_of(summary, view, top), when,
             is_later ? "" : ", most of it from imports at start-up", name, command);
}

/* Little can be done about the size of modules, so the largest line after the imports
 * is named too. */
static void advise_imports(struct summary *summary) {
    const struct statistics *later = &summary->later[SUMMARY_NOW].top;
    double share =
        (double)summary->imports.size / (double)total_of(summary, SUMMARY_NOW).size;
    char size[SIZE_TEXT], name[NAME_SIZE] = "", rest[NAME_SIZE + SIZE_TEXT * 2] = "";
    if (later->shown > 0) {
        name_line(&later->entries[0], name);
        statistics_format_size(size, sizeof size, (double)later->entries[0].weight.size,
                               false);
        snprintf(rest, sizeof rest, " Of the rest, %s holds most: %s.", name, size);
    }
    snprintf(
        summary->advice, sizeof summary->advice,
        "Modules hold %.0f%% of the memory, most of it since they were imported at "
        "start-up; `tracemalloc tree` shows which.%s",
        100 * share, rest);
}

static void advise_peak(struct summary *summary) {
    char peak[SIZE_TEXT], now[SIZE_TEXT];
    statistics_format_size(peak, sizeof peak,
                           (double)total_of(summary, SUMMARY_PEAK).size, false);
    statistics_format_size(now, sizeof now, (double)total_of(summary, SUMMARY_NOW).size,
                           false);
    snprintf(summary->advice, sizeof summary->advice,
             "The peak of %s is well above the %s that remain; `tracemalloc tree --at "
             "peak` shows what caused it.",
             peak, now);
}

static void advise_churn(struct summary *summary) {
    char name[NAME_SIZE], size[SIZE_TEXT];
    name_line(&summary->tops[SUMMARY_ALLOCATED].entries[0], name);
    statistics_format_size(size, sizeof size,
                           (double)total_of(summary, SUMMARY_ALLOCATED).size, false);
    snprintf(summary->advice, sizeof summary->advice,
             "The program allocated %s in all, many times its peak: that costs time "
             "rather than memory. %s allocated most.",
             size, name);
}

/* The largest part of the resident memory that is in no block; code and the tracer only
 * if they are much. */
static enum resident_part largest_other(const struct resident *rss) {
    enum resident_part largest = RESIDENT_REST;
    for (int part = 0; part < RESIDENT_REST; part++) {
        bool is_block =
            part == RESIDENT_PYTHON || part == RESIDENT_LIBC || part == RESIDENT_MMAP;
        bool is_small = (part == RESIDENT_FILES || part == RESIDENT_TRACER) &&
                        rss->parts[part] < remarkable;
        if (!is_block && !is_small && rss->parts[part] > rss->parts[largest])
            largest = (enum resident_part)part;
    }
    return largest;
}

/* Whether the resident memory is mostly something that no line of the program says. */
static bool is_elsewhere(const struct resident *rss) {
    uint64_t other = rss->parts[largest_other(rss)];
    return other > resident_blocks(rss) && 4 * other > rss->whole && rss->whole > 0;
}

/* Each heap of threads keeps what was freed in it; the heap of the break only what is
 * below a block that lives. */
static const char *advise_libc(const struct resident *rss) {
    if (rss->arenas > 1)
        return "ctypes.CDLL(None).malloc_trim(0) returns it to the system, and "
               "MALLOC_ARENA_MAX=2 in the environment keeps less of it: each thread "
               "has a heap of its own.";
    return "ctypes.CDLL(None).malloc_trim(0) returns it to the system; mallopt's "
           "M_MMAP_THRESHOLD and M_TRIM_THRESHOLD (MALLOC_MMAP_THRESHOLD_ and "
           "MALLOC_TRIM_THRESHOLD_ in the environment) keep less of it.";
}

static void describe_other(const struct resident *rss, enum resident_part part,
                           char *text, size_t size) {
    static const char *const texts[RESIDENT_PARTS] = {
        [RESIDENT_ARENAS_FREE] = "free room in the interpreter's arenas: objects that "
                                 "live are spread over them. `tracemalloc tree --at "
                                 "peak` shows what once filled them.",
        [RESIDENT_OVERHEAD] = "what the allocators add to many small blocks: fewer and "
                              "larger objects take less.",
        [RESIDENT_SHARED] =
            "shared memory, or pages of files that the process changed: "
            "it is in no traced block.",
        [RESIDENT_FILES] = "code and mapped files. The modules that are imported "
                           "decide how much it is.",
        [RESIDENT_TRACER] = "the tracer's own: `--sample=512K` or a smaller "
                            "PYTHONTRACEMALLOC takes less.",
    };
    if (part == RESIDENT_LIBC_FREE)
        snprintf(text, size, "free, but kept by libc. %s", advise_libc(rss));
    else if (part == RESIDENT_STACKS)
        snprintf(text, size,
                 "the stacks of %u threads: threading.stack_size() makes them smaller, "
                 "and fewer threads need fewer.",
                 rss->stacks);
    else if (part == RESIDENT_FILES && !rss->is_live)
        snprintf(text, size,
                 "code, mapped files and shared memory: it is in no traced "
                 "block. While the process runs, summary can tell them "
                 "apart.");
    else if (part == RESIDENT_REST && rss->is_live)
        snprintf(text, size,
                 "private memory in no traced block: memory from before "
                 "tracing began, or of code that calls the kernel itself.");
    else if (part == RESIDENT_REST)
        snprintf(text, size,
                 "in no traced block: freed memory that libc keeps, thread "
                 "stacks, or memory from before tracing began. While the "
                 "process runs, summary can tell them apart.");
    else
        snprintf(text, size, "%s", texts[part]);
}

static void advise_other(struct summary *summary) {
    const struct resident *rss = &summary->rss;
    enum resident_part part = largest_other(rss);
    char size[SIZE_TEXT], text[SUMMARY_ADVICE_SIZE - 96];
    statistics_format_size(size, sizeof size, (double)rss->parts[part], false);
    describe_other(rss, part, text, sizeof text);
    snprintf(summary->advice, sizeof summary->advice,
             "%s of the resident memory (%d%%) is %s", size,
             (int)(100 * (double)rss->parts[part] / (double)rss->whole + 0.5), text);
}

static void advise(struct summary *summary, const char *text) {
    snprintf(summary->advice, sizeof summary->advice, "%s", text);
}

void summary_advice_give(struct summary *summary) {
    double now = (double)total_of(summary, SUMMARY_NOW).size;
    double peak = (double)total_of(summary, SUMMARY_PEAK).size;
    double ever = (double)total_of(summary, SUMMARY_ALLOCATED).size;
    if (now == 0 && peak == 0)
        advise(summary, "Nothing was allocated while the program was traced.");
    else if (keeps_growing(summary))
        advise(summary,
               "The heap was still growing at the end. Take two snapshots some "
               "time apart; `tracemalloc compare` shows what grows.");
    else if (is_elsewhere(&summary->rss))
        advise_other(summary);
    else if (peak > high_peak * now && has_large_line(summary, SUMMARY_PEAK))
        advise_line(summary, SUMMARY_PEAK, " at the peak",
                    "tracemalloc tree --inverted --at peak");
    else if (peak > high_peak * now)
        advise_peak(summary);
    else if (has_large_line(summary, SUMMARY_NOW))
        advise_line(summary, SUMMARY_NOW, "", "tracemalloc tree --inverted");
    else if ((double)summary->imports.size >= large_share * now)
        advise_imports(summary);
    else if (ever > churn * peak)
        advise_churn(summary);
    else
        advise(summary, "No single line stands out: `tracemalloc tree` and "
                        "`tracemalloc flamegraph` show which calls add up.");
}
