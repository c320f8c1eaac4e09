/* SPDX-License-Identifier: MIT */
#include "leak/leak_sample.h"

#include <math.h>

/* The cube root of a Poisson variable is nearly normal (Wilson and Hilferty). */
double leak_sample_least(double count) {
    static const double one_in_twenty = 1.645;
    if (count <= 0)
        return 0;
    double root = 1 - 1 / (9 * count) - one_in_twenty / (3 * sqrt(count));
    return root > 0 ? count * root * root * root : 0;
}

double leak_sample_sure_share(const struct leak_history *history, unsigned first,
                              unsigned end) {
    double sum = 0, squares = 0;
    for (unsigned i = first; i < end; i++) {
        if (history->blocks[i] == 0)
            continue;
        double bytes = (double)history->bytes[i];
        sum += bytes;
        squares += bytes * bytes / (double)history->blocks[i];
    }
    if (squares <= 0)
        return 0;
    double count = sum * sum / squares;
    return leak_sample_least(count) / count;
}

/* Bayes' rule. If the samples stopped at a time t, where 1 is the end, all n of them
 * came before t, which is t^-n times as likely as if they went on. Every t after the
 * last sample is assumed to be equally likely, and so are stopping and going on. */
double leak_sample_goes_on(uint64_t count, unsigned first, unsigned last,
                           unsigned end) {
    if (count == 0 || last + 1 >= end || last < first)
        return 1;
    double before = (double)(last + 1 - first) / (double)(end - first);
    double power = (double)count - 1;
    double stopped = power < 0.5 ? -log(before) : (pow(before, -power) - 1) / power;
    return 1 / (1 + stopped);
}

double leak_sample_blocks(const struct leak_history *history) {
    double live = 0, alive = 0;
    for (unsigned i = 0; i < TRACEMALLOC_DUMP_MAX_EPOCHS; i++) {
        live += (double)history->blocks[i];
        alive += history->alive[i];
    }
    return live > 0 ? alive / live : 1;
}
