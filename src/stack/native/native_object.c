/* SPDX-License-Identifier: MIT */
#include "stack/native/native_object.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "base/machine.h"

enum { MAX_PERMANENT = 256 };

static bool prepared;
static int (*find_object)(void *address, struct dl_find_object *out);

/* Biases of the objects that the program began with, written once. */
static uintptr_t permanent[MAX_PERMANENT];
static size_t permanent_count;

static int note_permanent(struct dl_phdr_info *info, size_t size, void *data) {
    (void)size;
    (void)data;
    if (permanent_count < MAX_PERMANENT)
        permanent[permanent_count++] = info->dlpi_addr;
    return 0;
}

int native_object_prepare(void) {
    if (!prepared) {
        void *found = dlsym(RTLD_DEFAULT, "_dl_find_object");
        memcpy(&find_object, &found, sizeof found);
        dl_iterate_phdr(note_permanent, NULL);
        prepared = true;
    }
    return find_object != NULL ? 0 : -ENOSYS;
}

bool native_object_is_permanent(const struct native_object *object) {
    for (size_t i = 0; i < permanent_count; i++)
        if (permanent[i] == object->bias)
            return true;
    return false;
}

int native_object_find(uintptr_t address, struct native_object *out) {
    struct dl_find_object found;
    if (find_object == NULL || find_object((void *)address, &found) != 0)
        return -ENOENT;
    *out = (struct native_object){
        .start = (uintptr_t)found.dlfo_map_start,
        .end = (uintptr_t)found.dlfo_map_end,
        .bias = found.dlfo_link_map->l_addr,
        .name = found.dlfo_link_map->l_name,
        .header = found.dlfo_eh_frame,
        .dynamic = found.dlfo_link_map->l_ld,
    };
    return 0;
}

void native_object_describe(const struct dl_phdr_info *info,
                            struct native_object *out) {
    *out = (struct native_object){
        .start = UINTPTR_MAX, .bias = info->dlpi_addr, .name = info->dlpi_name};
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + segment->p_vaddr;
        if (segment->p_type == PT_DYNAMIC)
            out->dynamic = (const void *)start;
        if (segment->p_type != PT_LOAD)
            continue;
        out->start = start < out->start ? start : out->start;
        out->end =
            start + segment->p_memsz > out->end ? start + segment->p_memsz : out->end;
    }
}

/* The first page of a file is mapped in front of all others by every linker; its
 * program headers follow there. NULL where that is not so. */
const ElfW(Phdr) *
    native_object_segments(const struct native_object *object, size_t *count) {
    const ElfW(Ehdr) *file = (const void *)object->start;
    *count = 0;
    if (memcmp(file->e_ident, ELFMAG, SELFMAG) != 0 ||
        file->e_phoff + file->e_phnum * sizeof(ElfW(Phdr)) > machine_page_size())
        return NULL;
    *count = file->e_phnum;
    return (const void *)(object->start + file->e_phoff);
}

void native_object_code(const struct native_object *object, uintptr_t *start,
                        uintptr_t *end) {
    size_t count;
    const ElfW(Phdr) *segment = native_object_segments(object, &count);
    *start = UINTPTR_MAX;
    *end = 0;
    for (; count > 0; count--, segment++) {
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_X) == 0)
            continue;
        uintptr_t first = object->bias + segment->p_vaddr;
        *start = first < *start ? first : *start;
        *end = first + segment->p_memsz > *end ? first + segment->p_memsz : *end;
    }
    if (*end == 0) {
        *start = object->start;
        *end = object->end;
    }
}

/* Notes are 4-byte aligned: sizes of name and description, type, both texts. */
static const unsigned char *find_id(const unsigned char *at, size_t size,
                                    size_t *length) {
    ElfW(Nhdr) note;
    while (size >= sizeof note) {
        memcpy(&note, at, sizeof note);
        size_t name = (note.n_namesz + 3u) & ~(size_t)3;
        size_t whole = sizeof note + name + ((note.n_descsz + 3u) & ~(size_t)3);
        if (whole > size)
            break;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
            memcmp(at + sizeof note, "GNU", 4) == 0) {
            *length = note.n_descsz;
            return at + sizeof note + name;
        }
        at += whole;
        size -= whole;
    }
    return NULL;
}

const unsigned char *native_object_build_id(const struct native_object *object,
                                            size_t *length) {
    size_t count;
    const unsigned char *id = NULL;
    const ElfW(Phdr) *segment = native_object_segments(object, &count);
    *length = 0;
    for (; count > 0 && id == NULL; count--, segment++)
        if (segment->p_type == PT_NOTE && segment->p_align <= 4)
            id = find_id((const void *)(object->bias + segment->p_vaddr),
                         segment->p_memsz, length);
    return id;
}

/* What the dynamic section leads to. The loader has added the bias to its addresses,
 * but not in the vdso's. */
struct symbols {
    const uint32_t *hash;
    const ElfW(Sym) * table;
    const char *names;
};

static bool read_dynamic(const struct native_object *object, struct symbols *out) {
    *out = (struct symbols){0};
    const ElfW(Dyn) *entry = object->dynamic;
    for (; entry != NULL && entry->d_tag != DT_NULL; entry++) {
        const void *at = (const void *)entry->d_un.d_ptr;
        if (entry->d_tag == DT_GNU_HASH)
            out->hash = at;
        else if (entry->d_tag == DT_SYMTAB)
            out->table = at;
        else if (entry->d_tag == DT_STRTAB)
            out->names = at;
    }
    uintptr_t hash = (uintptr_t)out->hash;
    return out->table != NULL && out->names != NULL && hash >= object->start &&
           hash < object->end;
}

/* The index of the first symbol of the name's bucket, 0 without one.
 *
 *   buckets, first symbol, words of the filter, its shift: 4 bytes each
 *   the filter, 8 bytes a word
 *   the buckets, then the hash of each symbol from the first on: 4 bytes each
 */
static uint32_t first_of_bucket(const uint32_t *table, uint32_t hash,
                                const uint32_t **chain) {
    uint32_t buckets = table[0], words = table[2], shift = table[3];
    uint64_t word;
    memcpy(&word, table + 4 + 2 * (size_t)(hash / 64 % words), sizeof word);
    const uint32_t *bucket = table + 4 + 2 * (size_t)words;
    *chain = bucket + buckets;
    if (buckets == 0 || (word >> (hash % 64) & word >> ((hash >> shift) % 64) & 1) == 0)
        return 0;
    return bucket[hash % buckets];
}

int native_object_symbol(const struct native_object *object, const char *name,
                         uint32_t hash, struct native_symbol *out) {
    struct symbols symbols;
    const uint32_t *chain;
    if (!read_dynamic(object, &symbols))
        return -ENOENT;
    uint32_t index = first_of_bucket(symbols.hash, hash, &chain);
    uint32_t first = symbols.hash[1], seen = 0;
    for (; index >= first && index != 0 && (seen & 1) == 0; index++) {
        const ElfW(Sym) *symbol = symbols.table + index;
        seen = chain[index - first];
        if ((seen | 1) != (hash | 1) || symbol->st_shndx == SHN_UNDEF ||
            strcmp(symbols.names + symbol->st_name, name) != 0)
            continue;
        *out = (struct native_symbol){object->bias + symbol->st_value, symbol->st_size};
        return 0;
    }
    return -ENOENT;
}
