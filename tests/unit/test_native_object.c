/* SPDX-License-Identifier: MIT */
#include "stack/native/native_object.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "base/hash.h"
#include "suite.h"

static struct native_object object_of(uintptr_t address) {
    struct native_object object;
    ck_assert_int_eq(native_object_prepare(), 0);
    ck_assert_int_eq(native_object_find(address, &object), 0);
    return object;
}

START_TEST(code_leads_to_its_file) {
    struct native_object own = object_of((uintptr_t)object_of);
    struct native_object libc = object_of((uintptr_t)&malloc);
    ck_assert_str_eq(own.name, "");
    ck_assert_ptr_nonnull(strstr(libc.name, "/libc.so."));
    ck_assert_ptr_nonnull(libc.header);
    ck_assert_uint_le(libc.start, (uintptr_t)&malloc);
    ck_assert_uint_gt(libc.end, (uintptr_t)&malloc);
    ck_assert(native_object_is_permanent(&own));
    ck_assert(native_object_is_permanent(&libc));
}
END_TEST

START_TEST(data_elsewhere_belongs_to_no_file) {
    struct native_object object;
    void *block = malloc(1 << 20);
    ck_assert_int_eq(native_object_prepare(), 0);
    ck_assert_int_eq(native_object_find((uintptr_t)block, &object), -ENOENT);
    free(block);
}
END_TEST

static int expect_described(struct dl_phdr_info *info, size_t size, void *data) {
    struct native_object described, found;
    unsigned *seen = data;
    (void)size;
    native_object_describe(info, &described);
    if (native_object_find(described.start, &found) < 0)
        return 0;
    ck_assert_uint_eq(described.start, found.start);
    ck_assert_uint_eq(described.bias, found.bias);
    ck_assert_ptr_eq(described.dynamic, found.dynamic);
    ck_assert_str_eq(described.name, found.name);
    ck_assert_uint_gt(described.end, described.start);
    ++*seen;
    return 0;
}

START_TEST(the_linkers_list_tells_the_same) {
    unsigned seen = 0;
    ck_assert_int_eq(native_object_prepare(), 0);
    dl_iterate_phdr(expect_described, &seen);
    ck_assert_uint_ge(seen, 2);
}
END_TEST

START_TEST(what_is_loaded_later_is_not_permanent) {
    struct native_object libc = object_of((uintptr_t)&malloc), late;
    void *handle = dlopen("libanl.so.1", RTLD_NOW);
    if (handle == NULL)
        return;
    struct link_map *map = handle;
    ck_assert_int_eq(native_object_prepare(), 0);
    ck_assert_int_eq(native_object_find((uintptr_t)map->l_ld, &late), 0);
    ck_assert(native_object_is_permanent(&libc));
    ck_assert(!native_object_is_permanent(&late));
    dlclose(handle);
}
END_TEST

START_TEST(its_code_is_a_part_of_it) {
    struct native_object libc = object_of((uintptr_t)&malloc);
    uintptr_t start, end;
    native_object_code(&libc, &start, &end);
    ck_assert_uint_ge(start, libc.start);
    ck_assert_uint_le(start, (uintptr_t)&malloc);
    ck_assert_uint_gt(end, (uintptr_t)&malloc);
    ck_assert_uint_le(end, libc.end);
}
END_TEST

static void expect_symbol(const struct native_object *object, const char *name) {
    struct native_symbol symbol;
    uint32_t hash = hash_symbol(name);
    ck_assert_int_eq(native_object_symbol(object, name, hash, &symbol), 0);
    ck_assert_uint_eq(symbol.address, (uintptr_t)dlsym(RTLD_DEFAULT, name));
    ck_assert_uint_gt(symbol.size, 0);
}

START_TEST(symbols_are_where_the_linker_finds_them) {
    struct native_object libc = object_of((uintptr_t)&malloc);
    struct native_symbol symbol;
    expect_symbol(&libc, "malloc");
    expect_symbol(&libc, "qsort");
    expect_symbol(&libc, "posix_memalign");
    const char *absent = "_PyEval_EvalFrameDefault";
    ck_assert_int_eq(native_object_symbol(&libc, absent, hash_symbol(absent), &symbol),
                     -ENOENT);
}
END_TEST

START_TEST(a_build_id_is_read) {
    struct native_object libc = object_of((uintptr_t)&malloc);
    size_t length;
    const unsigned char *id = native_object_build_id(&libc, &length);
    ck_assert_ptr_nonnull(id);
    ck_assert_uint_eq(length, 20);
}
END_TEST

START_TEST(the_vdso_is_a_module_without_symbols_to_read) {
    uintptr_t vdso = getauxval(AT_SYSINFO_EHDR);
    struct native_object object;
    struct native_symbol symbol;
    if (vdso == 0) {
        suite_skip("there is no vdso");
        return;
    }
    object = object_of(vdso + 0x400);
    ck_assert_int_eq(strncmp(object.name, "linux-vdso", 10), 0);
    ck_assert_int_eq(
        native_object_symbol(&object, "malloc", hash_symbol("malloc"), &symbol),
        -ENOENT);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        code_leads_to_its_file,
        data_elsewhere_belongs_to_no_file,
        the_linkers_list_tells_the_same,
        what_is_loaded_later_is_not_permanent,
        its_code_is_a_part_of_it,
        symbols_are_where_the_linker_finds_them,
        a_build_id_is_read,
        the_vdso_is_a_module_without_symbols_to_read,
    };
    return suite_run("native_object", tests, sizeof tests / sizeof *tests);
}
