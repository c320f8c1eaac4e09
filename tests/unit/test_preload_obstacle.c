/* SPDX-License-Identifier: MIT */
#include "process/preload_obstacle.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "suite.h"

static char directory[] = "test_preload_obstacle.XXXXXX";

static const char *write_file(const char *name, const void *content, size_t size) {
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0755);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, content, size), (ssize_t)size);
    close(fd);
    return path;
}

/* An executable whose loader has this name; NULL: none. */
struct image {
    Elf64_Ehdr header;
    Elf64_Phdr segment;
    char loader[64];
};

#ifdef __aarch64__
enum { OWN_MACHINE = EM_AARCH64 };
#else
enum { OWN_MACHINE = EM_X86_64 };
#endif

static struct image image_of(const char *loader) {
    struct image image = {
        .header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1},
                   .e_type = ET_DYN,
                   .e_machine = OWN_MACHINE,
                   .e_phoff = offsetof(struct image, segment),
                   .e_phentsize = sizeof(Elf64_Phdr),
                   .e_phnum = loader != NULL},
        .segment = {.p_type = PT_INTERP, .p_offset = offsetof(struct image, loader)},
    };
    if (loader != NULL) {
        snprintf(image.loader, sizeof image.loader, "%s", loader);
        image.segment.p_filesz = strlen(loader) + 1;
    }
    return image;
}

static enum preload_obstacle found(const struct image *image) {
    return preload_obstacle_find(write_file("program", image, sizeof *image));
}

START_TEST(loaders) {
    struct image image = image_of("/lib64/ld-linux-x86-64.so.2");
    ck_assert_int_eq(found(&image), PRELOAD_WORKS);
    image = image_of("/lib/ld-musl-x86_64.so.1");
    ck_assert_int_eq(found(&image), PRELOAD_MUSL);
    image = image_of(NULL);
    ck_assert_int_eq(found(&image), PRELOAD_STATIC);
    /* the loader itself, with a program as its argument */
    ck_assert_int_eq(
        preload_obstacle_find(write_file("ld-2.36.so", &image, sizeof image)),
        PRELOAD_WORKS);
}
END_TEST

START_TEST(classes_and_machines) {
    struct image image = image_of("/lib64/ld-linux-x86-64.so.2");
    image.header.e_machine = EM_RISCV;
    ck_assert_int_eq(found(&image), PRELOAD_OTHER_MACHINE);
    image.header.e_ident[EI_CLASS] = ELFCLASS32;
    ck_assert_int_eq(found(&image), PRELOAD_32_BIT);
}
END_TEST

START_TEST(scripts) {
    char text[256], *old = strdup(getenv("PATH"));
    struct image image = image_of(NULL);
    found(&image);
    setenv("PATH", directory, 1);
    int length = snprintf(text, sizeof text, "#! %s/program -x\n", directory);
    write_file("script", text, (size_t)length);
    ck_assert_int_eq(preload_obstacle_find("script"), PRELOAD_STATIC);
    length = snprintf(text, sizeof text, "#!/usr/bin/env -S A=1 program\n");
    write_file("script", text, (size_t)length);
    ck_assert_int_eq(preload_obstacle_find("script"), PRELOAD_STATIC);
    length = snprintf(text, sizeof text, "#!%s/script\n", directory);
    write_file("script", text, (size_t)length); /* its own interpreter */
    ck_assert_int_eq(preload_obstacle_find("script"), PRELOAD_WORKS);
    setenv("PATH", old, 1);
    free(old);
}
END_TEST

START_TEST(nothing_is_known) {
    struct image image = image_of("/lib64/ld-linux-x86-64.so.2");
    for (size_t size = 0; size < sizeof image; size += 7)
        preload_obstacle_find(write_file("cut", &image, size));
    ck_assert_int_eq(preload_obstacle_find(write_file("text", "#!", 2)), PRELOAD_WORKS);
    ck_assert_int_eq(preload_obstacle_find(write_file("empty", "", 0)), PRELOAD_WORKS);
    ck_assert_int_eq(preload_obstacle_find("/nonexistent/x"), PRELOAD_WORKS);
    ck_assert_int_eq(preload_obstacle_find("nonexistent"), PRELOAD_WORKS);
    ck_assert_int_eq(preload_obstacle_find(directory), PRELOAD_WORKS);
}
END_TEST

START_TEST(privileges) {
    if (getuid() != 0)
        return;
    struct image image = image_of("/lib64/ld-linux-x86-64.so.2");
    const char *path = write_file("program", &image, sizeof image);
    ck_assert_int_eq(chmod(path, 04755), 0);
    ck_assert_int_eq(preload_obstacle_find(path), PRELOAD_WORKS); /* root's already */
    ck_assert_int_eq(chown(path, 65534, 65534), 0);
    ck_assert_int_eq(chmod(path, 04755), 0);
    ck_assert_int_eq(preload_obstacle_find(path), PRELOAD_PRIVILEGED);
    ck_assert_int_eq(chmod(path, 02755), 0);
    ck_assert_int_eq(preload_obstacle_find(path), PRELOAD_PRIVILEGED);
    ck_assert_int_eq(chmod(path, 02745), 0); /* not setgid: mandatory locking */
    ck_assert_int_eq(preload_obstacle_find(path), PRELOAD_WORKS);
    unlink(path);
}
END_TEST

static void remove_directory(void) {
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", directory);
    if (system(command) != 0)
        perror(directory);
}

int main(void) {
    const TTest *const tests[] = {
        loaders, classes_and_machines, scripts, nothing_is_known, privileges,
    };
    if (mkdtemp(directory) == NULL)
        return 1;
    int status = suite_run("preload_obstacle", tests, sizeof tests / sizeof *tests);
    remove_directory();
    return status;
}
