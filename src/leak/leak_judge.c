/* SPDX-License-Identifier: MIT */
#include "leak/leak_judge.h"

#include <math.h>

#include "leak/leak_sample.h"

enum {
    WINDOW = TRACEMALLOC_DUMP_MAX_EPOCHS / TRACEMALLOC_DUMP_WINDOWS,
    LEAST_EVENTS = 3,   /* for any word */
    ENOUGH_EVENTS = 8,  /* for a verdict */
    ENOUGH_WINDOWS = 5, /* the same, by the bytes that rise */
    FEW_BLOCKS = 3,
    MANY_SAMPLES = 50,
};

/* Shares of the time, of blocks or of bytes. */
static const double startup = 0.15, recent = 0.4, negligible = 0.02, faded = 0.15,
                    unlikely = 0.1;

static double alive_from(const struct leak_history *history, unsigned last,
                         unsigned age) {
    double sum = 0;
    for (unsigned birth = 0; birth + age <= last; birth++)
        sum += history->alive[birth];
    return sum;
}

/* The hazard of each class of age. Those in it now are at risk for half of it. */
static int last_death(const struct leak_history *history, unsigned last) {
    double several = history->is_sampled ? leak_sample_blocks(history) * 3 / 4 : 1;
    int found = -1;
    for (int class = 0; class < TRACEMALLOC_DUMP_AGES; class ++) {
        uint64_t freed = history->freed_late[class], later = 0;
        for (int i = class + 1; i < TRACEMALLOC_DUMP_AGES; i++)
            later += history->freed_late[i];
        double risk = (double)(freed + later) +
                      alive_from(history, last, 2u << class) / 2 +
                      alive_from(history, last, 1u << class) / 2;
        if ((double)freed > several && (double)freed > negligible * risk)
            found = class;
    }
    return found;
}

static unsigned startup_end(unsigned epochs) {
    unsigned end = (unsigned)(startup * epochs);
    return end > 1 ? end : 1;
}

static uint64_t sum_of(const uint64_t *values, unsigned first, unsigned end) {
    uint64_t sum = 0;
    for (unsigned i = first; i < end; i++)
        sum += values[i];
    return sum;
}

/* The survivors, by when they were born. */
struct births {
    unsigned first, last, events, windows;
};

static struct births find_births(const uint64_t *blocks, unsigned first, unsigned end) {
    struct births births = {.first = end};
    unsigned window = TRACEMALLOC_DUMP_WINDOWS;
    for (unsigned i = first; i < end; i++) {
        if (blocks[i] == 0)
            continue;
        if (births.events++ == 0)
            births.first = i;
        births.last = i;
        births.windows += i / WINDOW != window;
        window = i / WINDOW;
    }
    return births;
}

/* Whether no survivor was born lately, though several would have been expected. */
static bool has_stopped(const struct births *births, unsigned end) {
    double gap = (double)(births->last - births->first) / (births->events - 1);
    return end - 1 - births->last > 3 * gap + 2;
}

/* Whether ever fewer survivors are born, as in a cache that has a limit. */
static bool fades(const uint64_t *blocks, unsigned first, unsigned end, double *ratio) {
    unsigned length = end - first;
    uint64_t quarters[4];
    for (unsigned i = 0; i < 4; i++)
        quarters[i] =
            sum_of(blocks, first + length * i / 4, first + length * (i + 1) / 4);
    double early = (double)(quarters[0] + quarters[1]);
    double late = (double)(quarters[2] + quarters[3]), last = (double)quarters[3];
    *ratio = late / (early > 1 ? early : 1);
    if (late + 2 * sqrt(late + 1) < 0.5 * early)
        return true;
    return *ratio < 0.5 && last + sqrt(last) < 0.6 * (double)quarters[2];
}

static int64_t risen_since(const struct leak_history *history, unsigned window) {
    int64_t sum = 0;
    for (unsigned i = window; i < TRACEMALLOC_DUMP_WINDOWS; i++)
        sum += history->risen[i];
    return sum;
}

/* The most bytes that were lost in one window: a table that is replaced by a larger
 * one may be freed in one window and allocated in another. */
static double largest_loss(const struct leak_history *history, unsigned window) {
    int64_t largest = 0;
    for (unsigned i = window; i < TRACEMALLOC_DUMP_WINDOWS; i++)
        largest = history->risen[i] < largest ? history->risen[i] : largest;
    return -(double)largest;
}

/* The part of the growth shown by survivors that the bytes of the line confirm of late.
 * What is in use for a moment is noise, and so is the number of samples. */
static double confirmed_share(const struct leak_judgement *judgement,
                              const struct leak_history *history,
                              const struct leak_history *line,
                              const struct leak_time *time) {
    unsigned windows = time->count / WINDOW, back = windows / 4;
    back = back > 3 ? back : 3;
    unsigned window = windows > back ? windows - back : 0;
    double expected =
        judgement->bytes_rate * leak_time_between(time, window * WINDOW, time->count);
    unsigned young = time->count > 2 ? time->count - 2 : 0;
    double noise = (double)sum_of(history->bytes, young, time->count) -
                   judgement->bytes_rate * leak_time_between(time, young, time->count);
    noise = noise > 0 ? noise : 0;
    if (history->is_sampled) {
        double blocks = (double)sum_of(history->blocks, 0, time->count);
        double each = (double)sum_of(history->bytes, 0, time->count) / blocks;
        noise += each * sqrt(expected / each) + largest_loss(history, window) / 2;
    }
    double change = (double)risen_since(line != NULL ? line : history, window);
    return (change + 2 * noise) / (expected > 1 ? expected : 1);
}

/* Whether the births go on. `ratio`: those in the later half of the time to those in
 * the earlier half. */
static bool goes_on(const struct leak_judgement *judgement,
                    const struct leak_history *history, const struct births *births,
                    unsigned begin, double ratio) {
    unsigned end = judgement->end;
    if (history->is_sampled && births->events < ENOUGH_EVENTS)
        return leak_sample_goes_on(judgement->survivors, begin, births->last, end) >
               unlikely;
    return births->windows >= LEAST_EVENTS && ratio >= faded &&
           !has_stopped(births, end);
}

/* Returns whether the survivors were judged: there is no other evidence then. */
static bool judge_survivors(struct leak_judgement *judgement,
                            const struct leak_history *history,
                            const struct leak_time *time,
                            const struct leak_history *line) {
    unsigned begin = startup_end(time->count), end = judgement->end;
    struct births births = find_births(history->blocks, begin, end);
    double ratio;
    judgement->events = births.events;
    if (births.events < (history->is_sampled ? 1 : LEAST_EVENTS))
        return false;
    judgement->first = births.first;
    judgement->survivors = sum_of(history->blocks, begin, end);
    judgement->slows = fades(history->blocks, births.first, end, &ratio);
    if (!goes_on(judgement, history, &births, begin, ratio))
        return false;
    unsigned back = (unsigned)(recent * time->count) + 1;
    unsigned since =
        end > back && end - back > births.first ? end - back : births.first;
    since = history->is_sampled && judgement->survivors < MANY_SAMPLES ? begin : since;
    double seconds = leak_time_between(time, since, end);
    judgement->bytes_rate = (double)sum_of(history->bytes, since, end) / seconds;
    judgement->blocks_rate = (double)sum_of(history->blocks, since, end) / seconds;
    judgement->sure_rate = judgement->bytes_rate;
    if (history->is_sampled)
        judgement->sure_rate *= leak_sample_sure_share(history, since, end) *
                                leak_sample_goes_on(sum_of(history->blocks, since, end),
                                                    since, births.last, end) *
                                (judgement->slows ? fmax(ratio, faded) : 1);
    double share = confirmed_share(judgement, history, line, time);
    if (share < (history->is_sampled ? 0.9 : 0.3))
        return true;
    bool sure = births.events >= ENOUGH_EVENTS && !judgement->slows && share >= 0.5;
    judgement->word = sure ? LEAK_LEAK : LEAK_WATCH;
    return true;
}

struct rise {
    unsigned first, end; /* windows */
    unsigned up;         /* windows in which the bytes rose */
    double gained, lost, largest;
};

/* The least rise of a window that counts for a trend, as a share of the mean. */
static const double least_rise = 0.2;

static struct rise find_rise(const struct leak_history *history, unsigned first,
                             unsigned end) {
    struct rise rise = {.first = first, .end = end};
    for (unsigned i = first; i < end; i++) {
        double bytes = (double)history->risen[i];
        rise.gained += bytes > 0 ? bytes : 0;
        rise.lost += bytes < 0 ? -bytes : 0;
        rise.largest = bytes > rise.largest ? bytes : rise.largest;
    }
    for (unsigned i = first; i < end; i++)
        rise.up +=
            history->risen[i] > 0 &&
            (double)history->risen[i] >= least_rise * rise.gained / (end - first);
    return rise;
}

static double net(const struct rise *rise) {
    return rise->gained - rise->lost;
}

/* Rose in nearly all windows, in the last ones as much as before. */
static bool rises_steadily(const struct leak_history *history,
                           const struct rise *rise) {
    unsigned count = rise->end - rise->first;
    double least_up = (count < ENOUGH_WINDOWS ? 1 : 0.7) * count;
    if (count <= LEAST_EVENTS || rise->up < least_up ||
        rise->lost > 0.1 * rise->gained || rise->largest > 0.5 * rise->gained)
        return false;
    struct rise late = find_rise(history, rise->end - 3, rise->end);
    struct rise before = find_rise(history, rise->first, rise->end - 3);
    struct rise half = find_rise(history, rise->first, rise->first + count / 2);
    struct rise rest = find_rise(history, rise->end - count / 2, rise->end);
    return late.up >= (history->is_sampled ? 3 : 2) && net(&rest) >= 0.4 * net(&half) &&
           net(&late) / 3 >= 0.6 * net(&before) / (count - 3);
}

/* Whether the rise is no more than chance: while each new block replaces an old one,
 * the sum of their sizes still varies by about this much. */
static bool is_fluctuation(const struct leak_history *history, const struct rise *rise,
                           unsigned last) {
    double live = alive_from(history, last, 0);
    double bytes = (double)sum_of(history->bytes, 0, last + 1);
    return live > FEW_BLOCKS && net(rise) < 3 * bytes / sqrt(live);
}

/* The same for samples, in the later half of the time: how many blocks were sampled is
 * chance too. */
static bool is_chance(const struct leak_history *history, const struct rise *rise,
                      unsigned last) {
    if (!history->is_sampled)
        return false;
    unsigned half = rise->end - (rise->end - rise->first) / 2;
    struct rise late = find_rise(history, half, rise->end);
    double born = (double)sum_of(history->blocks, half * WINDOW, last + 1);
    double each = (double)sum_of(history->bytes, 0, last + 1) /
                  (double)sum_of(history->blocks, 0, last + 1);
    double change = net(&late) / each;
    double gone = born > change ? born - change : 0;
    return change < 3 * sqrt(born + gone);
}

/* Whether blocks are freed late, and some are waiting to be. */
static bool is_queue(const struct leak_judgement *judgement,
                     const struct leak_history *history, unsigned last) {
    double each = history->is_sampled ? leak_sample_blocks(history) : 1;
    return judgement->last_death >= 2 &&
           alive_from(history, last, 4) >= ENOUGH_EVENTS &&
           (double)history->freed_late[judgement->last_death] >= ENOUGH_EVENTS * each;
}

static void judge_rise(struct leak_judgement *judgement,
                       const struct leak_history *history,
                       const struct leak_time *time) {
    unsigned windows = time->count / WINDOW, last = time->count - 1;
    unsigned begin = (startup_end(time->count) + WINDOW - 1) / WINDOW;
    if (begin >= windows)
        return;
    struct rise rise = find_rise(history, begin, windows);
    if (!rises_steadily(history, &rise) || is_fluctuation(history, &rise, last))
        return;
    if (history->ignores_floats && 2 * (double)history->float_bytes > net(&rise))
        return;
    unsigned back = (unsigned)(recent * windows);
    back = back > 3 ? back : 3;
    struct rise late = find_rise(history, windows - back, windows);
    judgement->first = begin * WINDOW;
    judgement->bytes_rate =
        net(&late) /
        leak_time_between(time, (windows - back) * WINDOW, windows * WINDOW);
    double live = alive_from(history, last, 0);
    judgement->is_one_block =
        live <= FEW_BLOCKS && alive_from(history, last, WINDOW) >= live;
    if (rise.end - rise.first < ENOUGH_WINDOWS)
        judgement->word = LEAK_WATCH;
    else if (judgement->is_one_block)
        judgement->word = LEAK_LEAK;
    else if (is_queue(judgement, history, last) && !is_chance(history, &rise, last))
        judgement->word = LEAK_BACKLOG;
    else
        judgement->word = LEAK_WATCH;
    /* A few samples that were not freed yet prove nothing about the others. */
    bool sure = !history->is_sampled || judgement->word >= LEAK_BACKLOG;
    judgement->sure_rate = sure ? judgement->bytes_rate : 0;
}

struct leak_judgement leak_judge(const struct leak_history *history,
                                 const struct leak_time *time,
                                 const struct leak_history *line) {
    struct leak_judgement judgement = {.last_death = -1};
    if (time->count < WINDOW)
        return judgement;
    unsigned last = time->count - 1;
    judgement.last_death = last_death(history, last);
    if (line != NULL && history->is_sampled) {
        /* By chance, none of a caller's few samples may have died yet though others of
         * the line have. */
        int of_line = last_death(line, last);
        if (of_line > judgement.last_death)
            judgement.last_death = of_line;
    }
    judgement.age = judgement.last_death < 0 ? 2 : 4u << judgement.last_death;
    judgement.end = judgement.age <= last ? time->count - judgement.age : 0;
    bool judged = judge_survivors(&judgement, history, time, line);
    if (!judged)
        judgement.survivors = judgement.events = 0;
    if (!judged && line == NULL)
        judge_rise(&judgement, history, time);
    if (judgement.word == LEAK_NONE)
        judgement.bytes_rate = judgement.blocks_rate = judgement.sure_rate = 0;
    return judgement;
}

uint64_t leak_judge_survivors(const struct leak_judgement *judgement,
                              const struct leak_history *history) {
    if (judgement->survivors == 0)
        return sum_of(history->blocks, 0, TRACEMALLOC_DUMP_MAX_EPOCHS);
    unsigned end = judgement->end;
    unsigned begin = judgement->first < end ? judgement->first : end;
    return sum_of(history->blocks, begin, end);
}
