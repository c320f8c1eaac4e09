/* SPDX-License-Identifier: MIT */
#include "profile/function_shares.h"

#include <errno.h>
#include <stdlib.h>

#include "collection/array.h"

int function_shares_add(struct function_shares *shares, uint32_t line,
                        uint32_t function, uint32_t stack, struct weight weight) {
    int64_t id = id_map_add(&shares->ids, (struct id_pair){line, function});
    if (id < 0 || array_reserve(&shares->shares, &shares->capacity, (size_t)id + 1,
                                sizeof *shares->shares) < 0)
        return -ENOMEM;
    struct function_share *share = &shares->shares[id];
    if ((size_t)id == shares->count) {
        *share = (struct function_share){.line = line, .stack = stack};
        shares->count++;
    }
    share->stack = stack < share->stack ? stack : share->stack;
    weight_add(&share->weight, weight);
    return 0;
}

/* Among equal shares, the lowest stack id comes last. */
static int compare(const void *first, const void *second) {
    const struct function_share *a = first, *b = second;
    int order = weight_compare(a->weight, b->weight);
    return order != 0 ? order : (a->stack < b->stack) - (a->stack > b->stack);
}

void function_shares_sort(struct function_shares *shares) {
    if (shares->count > 0)
        qsort(shares->shares, shares->count, sizeof *shares->shares, compare);
}

void function_shares_close(struct function_shares *shares) {
    id_map_clear(&shares->ids);
    free(shares->shares);
    *shares = (struct function_shares){0};
}
