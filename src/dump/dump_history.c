/* SPDX-License-Identifier: MIT */
#include "dump/dump_history.h"

#include "dump/sample_weight.h"

enum { MAX_UNIT = 31, EPOCHS_PER_WINDOW = 4 };
static_assert(TRACEMALLOC_DUMP_WINDOWS * EPOCHS_PER_WINDOW ==
                  TRACEMALLOC_DUMP_MAX_EPOCHS,
              "the windows cover all epochs");
static_assert(1 << TRACEMALLOC_DUMP_AGES == TRACEMALLOC_DUMP_MAX_EPOCHS,
              "the ages cover all epochs");

uint32_t dump_history_epoch(struct dump_epochs epochs, uint32_t stamp) {
    size_t low = 0, high = epochs.count;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (dump_history_is_older(stamp, epochs.entries[middle].stamp))
            high = middle;
        else
            low = middle;
    }
    return (uint32_t)low;
}

static void double_unit(struct tracemalloc_dump_site *site) {
    site->risen_unit++;
    for (unsigned i = 0; i < TRACEMALLOC_DUMP_WINDOWS; i++)
        site->risen[i] /= 2;
}

void dump_history_add_bytes(struct tracemalloc_dump_site *site, uint32_t epoch,
                            int64_t bytes) {
    uint32_t window = epoch / EPOCHS_PER_WINDOW % TRACEMALLOC_DUMP_WINDOWS;
    int64_t sum;
    for (;;) {
        sum = site->risen[window] + bytes / ((int64_t)1 << site->risen_unit);
        if ((sum >= INT32_MIN && sum <= INT32_MAX) || site->risen_unit >= MAX_UNIT)
            break;
        double_unit(site);
    }
    sum = sum < INT32_MIN ? INT32_MIN : sum;
    site->risen[window] = (int32_t)(sum > INT32_MAX ? INT32_MAX : sum);
}

static void add_freed(struct tracemalloc_dump_site *site, uint32_t age,
                      uint32_t blocks) {
    uint32_t *sum = &site->freed_late[31 - __builtin_clz(age)];
    if (__builtin_add_overflow(*sum, blocks, sum))
        *sum = UINT32_MAX;
}

/* The blocks that sampled ones stand for. */
static uint32_t scale_blocks(uint64_t blocks, uint64_t size, uint64_t weight) {
    if (weight == size)
        return (uint32_t)blocks;
    __extension__ unsigned __int128 all = (unsigned __int128)blocks * weight + size / 2;
    __extension__ unsigned __int128 scaled = all / size;
    return scaled < UINT32_MAX ? (uint32_t)scaled : UINT32_MAX;
}

/* Bytes that are too many for 63 bits are no real ones. */
static int64_t bytes_of(int64_t blocks, uint64_t size) {
    int64_t bytes;
    if (size > INT64_MAX || __builtin_mul_overflow(blocks, (int64_t)size, &bytes))
        return 0;
    return bytes;
}

void dump_history_add(struct tracemalloc_dump_site *site,
                      const struct tracemalloc_dump_bucket *bucket, uint32_t distance,
                      uint32_t epoch) {
    int64_t change = (int64_t)bucket->live - bucket->live_before;
    if (change == 0 || epoch >= TRACEMALLOC_DUMP_MAX_EPOCHS)
        return;
    uint64_t weight = sample_weight(bucket->size, distance);
    dump_history_add_bytes(site, epoch, bytes_of(change, weight));
    if (change < 0 && epoch > bucket->birth)
        add_freed(site, epoch - bucket->birth,
                  scale_blocks((uint64_t)-change, bucket->size, weight));
}

/* Of what was freed at an age of one epoch, half is in the same epoch now. */
void dump_history_halve(struct tracemalloc_dump_site *site) {
    enum { HALF = TRACEMALLOC_DUMP_WINDOWS / 2, LAST = TRACEMALLOC_DUMP_AGES - 1 };
    uint32_t halved = site->freed_late[0] / 2;
    for (unsigned i = 0; i < LAST; i++)
        site->freed_late[i] = site->freed_late[i + 1];
    site->freed_late[LAST] = 0;
    if (__builtin_add_overflow(site->freed_late[0], halved, &site->freed_late[0]))
        site->freed_late[0] = UINT32_MAX;
    for (unsigned i = 0; i < HALF; i++) {
        int64_t sum = (int64_t)site->risen[2 * i] + site->risen[2 * i + 1];
        if (sum < INT32_MIN || sum > INT32_MAX) {
            double_unit(site);
            i--;
            continue;
        }
        site->risen[i] = (int32_t)sum;
    }
    for (unsigned i = HALF; i < TRACEMALLOC_DUMP_WINDOWS; i++)
        site->risen[i] = 0;
}
