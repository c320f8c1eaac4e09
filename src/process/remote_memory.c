/* SPDX-License-Identifier: MIT */
#include "process/remote_memory.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

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
    enum { STEP = 256 };
    if (mappings->count % STEP == 0) {
        size_t size = (mappings->count + STEP) * sizeof *mappings->all;
        struct remote_mapping *grown = realloc(mappings->all, size);
        if (grown == NULL)
            return -ENOMEM;
        mappings->all = grown;
    }
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
    int status = 0;
    while (status == 0 && getline(&line, &size, maps) > 0)
        status = append(out, line);
    free(line);
    fclose(maps);
    return status == 0 && out->count == 0 ? -ESRCH : status;
}

void remote_mappings_free(struct remote_mappings *mappings) {
    for (size_t at = 0; at < mappings->count; at++)
        free(mappings->all[at].path);
    free(mappings->all);
    *mappings = (struct remote_mappings){0};
}

const struct remote_mapping *remote_mappings_at(const struct remote_mappings *mappings,
                                                uint64_t address) {
    for (size_t at = 0; at < mappings->count; at++)
        if (address >= mappings->all[at].start && address < mappings->all[at].end)
            return &mappings->all[at];
    return NULL;
}

const struct remote_mapping *
remote_mappings_file(const struct remote_mappings *mappings, const char *name) {
    for (size_t at = 0; at < mappings->count; at++) {
        const struct remote_mapping *mapping = &mappings->all[at];
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
    int status = remote_memory_read(pid, base, &file, sizeof file);
    if (status < 0)
        return status;
    if (memcmp(file.e_ident, ELFMAG, SELFMAG) != 0 || file.e_phnum > MAX_SEGMENTS ||
        file.e_ident[EI_CLASS] != ELFCLASS64)
        return -ENOEXEC;
    status = remote_memory_read(pid, base + file.e_phoff, segments,
                                file.e_phnum * sizeof *segments);
    *bias = base;
    for (int at = file.e_phnum - 1; status == 0 && at >= 0; at--)
        if (segments[at].p_type == PT_LOAD && segments[at].p_offset == 0)
            *bias = base - segments[at].p_vaddr;
    for (int at = 0; status == 0 && at < file.e_phnum; at++)
        if (segments[at].p_type == PT_DYNAMIC) {
            *out = segments[at];
            return 0;
        }
    return status < 0 ? status : -ENOENT;
}

/* The loader adds the bias to most objects' addresses there, but not to all. */
static uint64_t absolute(const struct tables *tables, uint64_t address) {
    return address < tables->bias ? address + tables->bias : address;
}

static int find_tables(pid_t pid, uint64_t base, struct tables *out) {
    Elf64_Phdr segment;
    Elf64_Dyn entries[MAX_DYNAMIC];
    *out = (struct tables){0};
    int status = find_dynamic(pid, base, &segment, &out->bias);
    if (status < 0)
        return status;
    size_t count = segment.p_memsz / sizeof *entries;
    count = count < MAX_DYNAMIC ? count : MAX_DYNAMIC;
    status = remote_memory_read(pid, out->bias + segment.p_vaddr, entries,
                                count * sizeof *entries);
    for (size_t at = 0; status == 0 && at < count && entries[at].d_tag != DT_NULL;
         at++) {
        uint64_t address = absolute(out, entries[at].d_un.d_ptr);
        if (entries[at].d_tag == DT_GNU_HASH)
            out->hash = address;
        else if (entries[at].d_tag == DT_SYMTAB)
            out->symbols = address;
        else if (entries[at].d_tag == DT_STRTAB)
            out->names = address;
    }
    bool complete = out->hash != 0 && out->symbols != 0 && out->names != 0;
    return status == 0 && !complete ? -ENOENT : status;
}

static bool has_name(pid_t pid, uint64_t address, const char *name) {
    char text[MAX_NAME];
    size_t size = strlen(name) + 1;
    return size <= sizeof text && remote_memory_read(pid, address, text, size) == 0 &&
           memcmp(text, name, size) == 0;
}

static uint32_t hash_name(const char *name) {
    uint32_t hash = 5381;
    for (; *name != '\0'; name++)
        hash = hash * 33 + (unsigned char)*name;
    return hash;
}

/* buckets, first symbol, words of the filter, its shift; the filter, 8 bytes a word;
 * the buckets; the hash of each symbol from the first on, whose lowest bit ends one. */
int remote_symbol_find(pid_t pid, uint64_t base, const char *name, uint64_t *out) {
    struct tables tables;
    uint32_t head[4], index = 0, seen = 0, hash = hash_name(name);
    int status = find_tables(pid, base, &tables);
    if (status == 0)
        status = remote_memory_read(pid, tables.hash, head, sizeof head);
    if (status < 0 || head[0] == 0)
        return status < 0 ? status : -ENOENT;
    uint64_t buckets = tables.hash + sizeof head + 8 * (uint64_t)head[2];
    uint64_t chain = buckets + 4 * (uint64_t)head[0];
    status = remote_memory_read(pid, buckets + 4 * (uint64_t)(hash % head[0]), &index,
                                sizeof index);
    uint32_t end = index + MAX_CHAIN;
    for (; status == 0 && index >= head[1] && index < end && (seen & 1) == 0; index++) {
        Elf64_Sym symbol;
        status = remote_memory_read(pid, chain + 4 * (uint64_t)(index - head[1]), &seen,
                                    sizeof seen);
        if (status < 0 || (seen | 1) != (hash | 1))
            continue;
        status = remote_memory_read(pid, tables.symbols + sizeof symbol * index,
                                    &symbol, sizeof symbol);
        if (status == 0 && symbol.st_shndx != SHN_UNDEF &&
            has_name(pid, tables.names + symbol.st_name, name)) {
            *out = tables.bias + symbol.st_value;
            return 0;
        }
    }
    return status < 0 ? status : -ENOENT;
}
