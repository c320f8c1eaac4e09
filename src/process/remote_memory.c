/* SPDX-License-Identifier: MIT */
#include "process/remote_memory.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "base/hash.h"
#include "collection/array.h"

enum { MAX_NAME = 64, MAX_DYNAMIC = 256, MAX_SEGMENTS = 64, MAX_CHAIN = 4096 };

int remote_memory_read(pid_t pid, uint64_t address, void *out, size_t size) {
    struct iovec here = {out, size}, there = {(void *)address, size};
    ssize_t got = process_vm_readv(pid, &here, 1, &there, 1, 0);
    if (got < 0)
        return -errno;
    return (size_t)got == size ? 0 : -EFAULT;
}

int remote_memory_write(pid_t pid, uint64_t address, const void *bytes, size_t size) {
    struct iovec here = {(void *)bytes, size}, there = {(void *)address, size};
    ssize_t got = process_vm_writev(pid, &here, 1, &there, 1, 0);
    if (got < 0)
        return -errno;
    return (size_t)got == size ? 0 : -EFAULT;
}

/* --- mappings --------------------------------------------------------------------- */

static bool parse(char *line, struct remote_mapping *out) {
    char permissions[5];
    int at = 0;
    if (sscanf(line, "%lx-%lx %4s %lx %*s %*s %n", &out->start, &out->end, permissions,
               &out->offset, &at) < 4 ||
        at == 0)
        return false;
    line[strcspn(line, "\n")] = '\0';
    out->is_code = permissions[2] == 'x';
    out->path = strdup(line + at);
    return out->path != NULL;
}

static int append(struct remote_mappings *mappings, char *line) {
    if (array_reserve(&mappings->all, &mappings->capacity, mappings->count + 1,
                      sizeof *mappings->all) < 0)
        return -ENOMEM;
    if (parse(line, &mappings->all[mappings->count]))
        mappings->count++;
    return 0;
}

int remote_mappings_read(pid_t pid, struct remote_mappings *out) {
    char name[64], *line = NULL;
    size_t size = 0;
    *out = (struct remote_mappings){0};
    snprintf(name, sizeof name, "/proc/%d/maps", (int)pid);
    FILE *maps = fopen(name, "re");
    if (maps == NULL)
        return errno == ENOENT ? -ESRCH : -errno;
    int error = 0;
    while (error == 0 && getline(&line, &size, maps) > 0)
        error = append(out, line);
    free(line);
    fclose(maps);
    return error == 0 && out->count == 0 ? -ESRCH : error;
}

void remote_mappings_free(struct remote_mappings *mappings) {
    for (size_t i = 0; i < mappings->count; i++)
        free(mappings->all[i].path);
    free(mappings->all);
    *mappings = (struct remote_mappings){0};
}

const struct remote_mapping *remote_mappings_at(const struct remote_mappings *mappings,
                                                uint64_t address) {
    for (size_t i = 0; i < mappings->count; i++)
        if (address >= mappings->all[i].start && address < mappings->all[i].end)
            return &mappings->all[i];
    return NULL;
}

const struct remote_mapping *
remote_mappings_file(const struct remote_mappings *mappings, const char *name) {
    for (size_t i = 0; i < mappings->count; i++) {
        const struct remote_mapping *mapping = &mappings->all[i];
        const char *slash = strrchr(mapping->path, '/');
        if (slash != NULL && mapping->offset == 0 &&
            strncmp(slash + 1, name, strlen(name)) == 0)
            return mapping;
    }
    return NULL;
}

/* --- symbols ---------------------------------------------------------------------- */

/* Addresses in the process. */
struct tables {
    uint64_t bias, hash, symbols, names;
};

static int find_dynamic(pid_t pid, uint64_t base, Elf64_Phdr *out, uint64_t *bias) {
    Elf64_Ehdr file;
    Elf64_Phdr segments[MAX_SEGMENTS];
    int error = remote_memory_read(pid, base, &file, sizeof file);
    if (error < 0)
        return error;
    if (memcmp(file.e_ident, ELFMAG, SELFMAG) != 0 || file.e_phnum > MAX_SEGMENTS ||
        file.e_ident[EI_CLASS] != ELFCLASS64)
        return -ENOEXEC;
    error = remote_memory_read(pid, base + file.e_phoff, segments,
                               file.e_phnum * sizeof *segments);
    *bias = base;
    for (int i = file.e_phnum - 1; error == 0 && i >= 0; i--)
        if (segments[i].p_type == PT_LOAD && segments[i].p_offset == 0)
            *bias = base - segments[i].p_vaddr;
    for (int i = 0; error == 0 && i < file.e_phnum; i++)
        if (segments[i].p_type == PT_DYNAMIC) {
            *out = segments[i];
            return 0;
        }
    return error < 0 ? error : -ENOENT;
}

/* The loader adds the bias to most objects' addresses there, but not to all. */
static uint64_t absolute(const struct tables *tables, uint64_t address) {
    return address < tables->bias ? address + tables->bias : address;
}

static int find_tables(pid_t pid, uint64_t base, struct tables *out) {
    Elf64_Phdr segment;
    Elf64_Dyn entries[MAX_DYNAMIC];
    *out = (struct tables){0};
    int error = find_dynamic(pid, base, &segment, &out->bias);
    if (error < 0)
        return error;
    size_t count = segment.p_memsz / sizeof *entries;
    count = count < MAX_DYNAMIC ? count : MAX_DYNAMIC;
    error = remote_memory_read(pid, out->bias + segment.p_vaddr, entries,
                               count * sizeof *entries);
    for (size_t i = 0; error == 0 && i < count && entries[i].d_tag != DT_NULL; i++) {
        uint64_t address = absolute(out, entries[i].d_un.d_ptr);
        if (entries[i].d_tag == DT_GNU_HASH)
            out->hash = address;
        else if (entries[i].d_tag == DT_SYMTAB)
            out->symbols = address;
        else if (entries[i].d_tag == DT_STRTAB)
            out->names = address;
    }
    bool complete = out->hash != 0 && out->symbols != 0 && out->names != 0;
    return error == 0 && !complete ? -ENOENT : error;
}

static bool has_name(pid_t pid, uint64_t address, const char *name) {
    char text[MAX_NAME];
    size_t size = strlen(name) + 1;
    return size <= sizeof text && remote_memory_read(pid, address, text, size) == 0 &&
           memcmp(text, name, size) == 0;
}

/* buckets, first symbol, words of the filter, its shift; the filter, 8 bytes a word;
 * the buckets; the hash of each symbol from the first on, whose lowest bit ends one. */
int remote_symbol_find(pid_t pid, uint64_t base, const char *name, uint64_t *out) {
    struct tables tables;
    uint32_t head[4], index = 0, seen = 0, hash = hash_symbol(name);
    int error = find_tables(pid, base, &tables);
    if (error == 0)
        error = remote_memory_read(pid, tables.hash, head, sizeof head);
    if (error < 0 || head[0] == 0)
        return error < 0 ? error : -ENOENT;
    uint64_t buckets = tables.hash + sizeof head + 8 * (uint64_t)head[2];
    uint64_t chain = buckets + 4 * (uint64_t)head[0];
    error = remote_memory_read(pid, buckets + 4 * (uint64_t)(hash % head[0]), &index,
                               sizeof index);
    uint32_t end = index + MAX_CHAIN;
    for (; error == 0 && index >= head[1] && index < end && (seen & 1) == 0; index++) {
        Elf64_Sym symbol;
        error = remote_memory_read(pid, chain + 4 * (uint64_t)(index - head[1]), &seen,
                                   sizeof seen);
        if (error < 0 || (seen | 1) != (hash | 1))
            continue;
        error = remote_memory_read(pid, tables.symbols + sizeof symbol * index, &symbol,
                                   sizeof symbol);
        if (error == 0 && symbol.st_shndx != SHN_UNDEF &&
            has_name(pid, tables.names + symbol.st_name, name)) {
            *out = tables.bias + symbol.st_value;
            return 0;
        }
    }
    return error < 0 ? error : -ENOENT;
}
