/* SPDX-License-Identifier: MIT */
#include "stack/native/native_slots.h"

#include <sys/mman.h>

#include "base/machine.h"
#include "base/sys.h"
#include "stack/native/native_relocation.h"

/* The loader has added the bias to the addresses of the dynamic section. */
static void read_dynamic(const ElfW(Dyn) * entry, struct native_slots *out) {
    for (; entry->d_tag != DT_NULL; entry++) {
        const void *at = (const void *)entry->d_un.d_ptr;
        size_t count = entry->d_un.d_val / sizeof(ElfW(Rela));
        switch (entry->d_tag) {
        case DT_GNU_HASH:
            out->hash = at;
            break;
        case DT_SYMTAB:
            out->symbols = at;
            break;
        case DT_STRTAB:
            out->names = at;
            break;
        case DT_JMPREL:
            out->entries[0] = at;
            break;
        case DT_PLTRELSZ:
            out->counts[0] = count;
            break;
        case DT_RELA:
            out->entries[1] = at;
            break;
        case DT_RELASZ:
            out->counts[1] = count;
            break;
        default:
            break;
        }
    }
}

/* It has not in the kernel's own object. */
static bool has_bias(const struct native_slots *slots) {
    uintptr_t names = (uintptr_t)slots->names;
    return names >= slots->start && names < slots->end;
}

void native_slots_describe(const struct native_object *object,
                           const ElfW(Phdr) * segments, size_t count,
                           struct native_slots *out) {
    *out = (struct native_slots){
        .bias = object->bias, .start = object->start, .end = object->end};
    if (object->dynamic != NULL)
        read_dynamic(object->dynamic, out);
    if (out->symbols == NULL || !has_bias(out)) {
        *out = (struct native_slots){
            .bias = object->bias, .start = object->start, .end = object->end};
        return;
    }
    for (; count > 0; count--, segments++) {
        uintptr_t start = object->bias + segments->p_vaddr;
        if (segments->p_type != PT_GNU_RELRO)
            continue;
        out->read_only = machine_page_of(start);
        out->read_only_end = machine_page_of(start + segments->p_memsz);
    }
}

static bool read_slot(const struct native_slots *slots, const ElfW(Rela) * entry,
                      struct native_slot *out) {
    uint64_t type = ELF64_R_TYPE(entry->r_info);
    uint64_t index = ELF64_R_SYM(entry->r_info);
    out->is_call = type == NATIVE_RELOCATION_CALL;
    out->is_data = type == NATIVE_RELOCATION_DATA;
    if (index == 0 || (!out->is_call && type != NATIVE_RELOCATION_ADDRESS &&
                       (!out->is_data || entry->r_addend != 0)))
        return false;
    const ElfW(Sym) *symbol = slots->symbols + index;
    out->place = (void **)(slots->bias + entry->r_offset);
    out->name = slots->names + symbol->st_name;
    out->is_undefined = symbol->st_shndx == SHN_UNDEF;
    return true;
}

bool native_slots_next(const struct native_slots *slots, struct native_slots_at *at,
                       struct native_slot *out) {
    for (; at->table < 2; at->table++, at->entry = 0)
        while (at->entry < slots->counts[at->table])
            if (read_slot(slots, &slots->entries[at->table][at->entry++], out))
                return true;
    return false;
}

static int protect(uintptr_t page, int protection) {
    return (int)sys_call(SYS_mprotect, page, machine_page_size(), protection);
}

int native_slots_set(const struct native_slots *slots, void **place, void *to) {
    uintptr_t page = machine_page_of((uintptr_t)place);
    bool read_only = page >= slots->read_only && page < slots->read_only_end;
    int error = read_only ? protect(page, PROT_READ | PROT_WRITE) : 0;
    if (error < 0)
        return error;
    __atomic_store_n(place, to, __ATOMIC_RELEASE);
    return read_only ? protect(page, PROT_READ) : 0;
}
