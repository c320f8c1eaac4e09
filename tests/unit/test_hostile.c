/* SPDX-License-Identifier: MIT */
/* Dumps that are cut or changed: everything is done with them that the command does.
 * What counts is that it ends. */
#include <stdlib.h>
#include <string.h>

#include "check_run.h"
#include "random_dump.h"
#include "read_dump.h"

enum { ROUNDS = 600, MOST_CHANGES = 6 };

static unsigned char *image, *copy;
static size_t size;

static void set_up(void) {
    struct dump_maker maker;
    dump_maker_open(&maker);
    random_dump_fill(&maker, 1);
    image = dump_maker_image(&maker, &size);
    copy = malloc(size);
    dump_maker_close(&maker);
}

static void tear_down(void) {
    free(image);
    free(copy);
}

static unsigned char strange_byte(void) {
    static const unsigned char bytes[] = {0, 0xff, 0x7f, 0x80};
    int choice = rand() % 5;
    return choice < 4 ? bytes[choice] : (unsigned char)rand();
}

START_TEST(changed_bytes) {
    srand(2);
    for (int round = 0; round < ROUNDS; round++) {
        size_t where = round % 2 == 0 ? sizeof(struct tracemalloc_dump_header) : size;
        memcpy(copy, image, size);
        for (int changes = rand() % MOST_CHANGES; changes >= 0; changes--)
            copy[(size_t)rand() % where] = strange_byte();
        read_dump(copy, size);
    }
}
END_TEST

START_TEST(cut_short) {
    for (size_t length = 0; length < size; length += 97)
        read_dump(image, length);
}
END_TEST

START_TEST(overwritten_from_some_byte_on) {
    static const int fillers[] = {0, 0xff, 0x7f, 1};
    for (size_t i = 0; i < sizeof fillers / sizeof *fillers; i++)
        for (size_t from = 8; from < size; from += 509) {
            memcpy(copy, image, size);
            memset(copy + from, fillers[i], size - from);
            read_dump(copy, size);
        }
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("hostile");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, changed_bytes);
    tcase_add_test(tests, cut_short);
    tcase_add_test(tests, overwritten_from_some_byte_on);
    return check_run("hostile", tests);
}
