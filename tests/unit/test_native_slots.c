/* SPDX-License-Identifier: MIT */
#include "stack/native/native_slots.h"

#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "check_run.h"

/* Held in a word of data. */
static void *(*const volatile in_data)(size_t) = malloc;

static int describe(struct dl_phdr_info *info, size_t size, void *out) {
    struct native_object object;
    (void)size;
    native_object_describe(info, &object);
    native_slots_describe(&object, info->dlpi_phdr, info->dlpi_phnum, out);
    return 1; /* the first is the program */
}

static struct native_slots program(void) {
    struct native_slots slots;
    dl_iterate_phdr(describe, &slots);
    return slots;
}

static unsigned count_named(const char *name, void *value, bool is_data) {
    struct native_slots slots = program();
    struct native_slots_at at = {0};
    struct native_slot slot;
    unsigned count = 0;
    while (native_slots_next(&slots, &at, &slot)) {
        uintptr_t place = (uintptr_t)slot.place;
        ck_assert(place >= slots.start && place < slots.end);
        ck_assert_uint_eq(place % sizeof(void *), 0);
        count += strcmp(slot.name, name) == 0 && slot.is_data == is_data &&
                 *slot.place == value;
    }
    return count;
}

START_TEST(slots_lead_to_what_their_names_say) {
    ck_assert_ptr_eq((void *)in_data, (void *)malloc);
    ck_assert_uint_ge(count_named("malloc", (void *)malloc, true), 1);
    ck_assert_uint_ge(count_named("getauxval", (void *)getauxval, false), 1);
    ck_assert_uint_eq(count_named("no_such_name", NULL, false), 0);
    ck_assert_uint_gt(getauxval(AT_PAGESZ), 0);
}
END_TEST

static int visit(struct dl_phdr_info *info, size_t size, void *counts) {
    struct native_object object;
    struct native_slots slots;
    struct native_slots_at at = {0};
    struct native_slot slot;
    (void)size;
    native_object_describe(info, &object);
    native_slots_describe(&object, info->dlpi_phdr, info->dlpi_phnum, &slots);
    while (native_slots_next(&slots, &at, &slot)) {
        ck_assert_uint_gt(strlen(slot.name), 0);
        ((unsigned *)counts)[0]++;
    }
    bool is_kernels = object.start == getauxval(AT_SYSINFO_EHDR);
    ck_assert(!is_kernels || slots.symbols == NULL);
    ((unsigned *)counts)[1] += is_kernels;
    return 0;
}

START_TEST(the_kernels_own_object_has_none) {
    unsigned counts[2] = {0};
    dl_iterate_phdr(visit, counts);
    ck_assert_uint_gt(counts[0], 20);
    ck_assert_uint_eq(counts[1], getauxval(AT_SYSINFO_EHDR) != 0);
}
END_TEST

/* The loader protects whole pages: the last one may hold data that is written to. */
START_TEST(a_page_in_part_read_only_is_not) {
    static ElfW(Sym) symbols[1];
    static const char names[] = "";
    ElfW(Dyn) dynamic[] = {{DT_SYMTAB, {(uintptr_t)symbols}},
                           {DT_STRTAB, {(uintptr_t)names}},
                           {DT_NULL, {0}}};
    ElfW(Phdr) segment = {.p_type = PT_GNU_RELRO, .p_vaddr = 0x3e10, .p_memsz = 0x1200};
    struct native_object object = {.start = (uintptr_t)names & ~(uintptr_t)4095,
                                   .end = (uintptr_t)names + 4096,
                                   .bias = 0x10000,
                                   .dynamic = dynamic};
    struct native_slots slots;
    native_slots_describe(&object, &segment, 1, &slots);
    ck_assert_uint_eq(slots.read_only, 0x13000);
    ck_assert_uint_eq(slots.read_only_end, 0x15000);
    segment.p_memsz = 0x11f0;
    native_slots_describe(&object, &segment, 1, &slots);
    ck_assert_uint_eq(slots.read_only_end, 0x15000);
    segment.p_memsz = 0x11ef;
    native_slots_describe(&object, &segment, 1, &slots);
    ck_assert_uint_eq(slots.read_only_end, 0x14000);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("native_slots");
    tcase_add_test(tests, slots_lead_to_what_their_names_say);
    tcase_add_test(tests, the_kernels_own_object_has_none);
    tcase_add_test(tests, a_page_in_part_read_only_is_not);
    return check_run("native_slots", tests);
}
