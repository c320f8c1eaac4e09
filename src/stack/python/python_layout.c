/* SPDX-License-Identifier: MIT */
#include "stack/python/python_layout.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

enum { OLDEST_MINOR = 6, OLDEST_DESCRIBED_MINOR = 13, NEWEST_MINOR = 15 };

enum { RELEASE_LEVEL_FINAL = 0xf, NO_OWNER = UINT8_MAX };

/* One row per minor version. From 3.13 on a row holds what the debug offsets lack:
 * they overwrite the rest. tests/e2e/check_layout.py holds each row against the
 * headers of the interpreters at hand. */
/* clang-format off */
static const struct python_layout rows[] = {
    {
        .version = 0x306, .frames = PYTHON_FRAMES_OBJECT, .lines = PYTHON_LINES_LNOTAB,
        .tstate_frame = 24, .tstate_interp = 16, .tstate_thread_id = 152,
        .frame_previous = 24, .frame_code = 32, .frame_ip = 120, .ip_unit = 1,
        .owner_skip = NO_OWNER,
        .code_filename = 96, .code_name = 104, .code_first_line = 36,
        .code_line_table = 112, .code_bytecode = 40,
    },
    {
        .version = 0x307, .frames = PYTHON_FRAMES_OBJECT, .lines = PYTHON_LINES_LNOTAB,
        .tstate_frame = 24, .tstate_interp = 16, .tstate_thread_id = 176,
        .frame_previous = 24, .frame_code = 32, .frame_ip = 104, .ip_unit = 1,
        .owner_skip = NO_OWNER,
        .code_filename = 96, .code_name = 104, .code_first_line = 36,
        .code_line_table = 112, .code_bytecode = 40,
        .runtime_finalizing = 8, .runtime_tstate_current = 1480,
    },
    {
        .version = 0x308, .frames = PYTHON_FRAMES_OBJECT, .lines = PYTHON_LINES_LNOTAB,
        .tstate_frame = 24, .tstate_interp = 16, .tstate_thread_id = 176,
        .frame_previous = 24, .frame_code = 32, .frame_ip = 104, .ip_unit = 1,
        .owner_skip = NO_OWNER,
        .code_filename = 104, .code_name = 112, .code_first_line = 40,
        .code_line_table = 120, .code_bytecode = 48,
        .runtime_finalizing = 16, .runtime_tstate_current = 1368,
    },
    {
        .version = 0x309, .frames = PYTHON_FRAMES_OBJECT, .lines = PYTHON_LINES_LNOTAB,
        .tstate_frame = 24, .tstate_interp = 16, .tstate_thread_id = 176,
        .frame_previous = 24, .frame_code = 32, .frame_ip = 104, .ip_unit = 1,
        .owner_skip = NO_OWNER,
        .code_filename = 104, .code_name = 112, .code_first_line = 40,
        .code_line_table = 120, .code_bytecode = 48,
        .runtime_finalizing = 16, .runtime_tstate_current = 568,
    },
    {
        .version = 0x30a, .frames = PYTHON_FRAMES_OBJECT,
        .lines = PYTHON_LINES_LINETABLE,
        .tstate_cframe = 48, .cframe_previous = 8,
        .tstate_frame = 24, .tstate_interp = 16, .tstate_thread_id = 176,
        .frame_previous = 24, .frame_code = 32, .frame_ip = 96, .ip_unit = 2,
        .owner_skip = NO_OWNER,
        .code_filename = 104, .code_name = 112, .code_first_line = 40,
        .code_line_table = 120, .code_bytecode = 48,
        .runtime_finalizing = 16, .runtime_tstate_current = 568,
    },
    {
        .version = 0x30b, .frames = PYTHON_FRAMES_CFRAME,
        .lines = PYTHON_LINES_LOCATIONS,
        .tstate_frame = 56, .cframe_current = 8, .tstate_interp = 16,
        .tstate_cframe = 56, .cframe_previous = 16, .frame_is_entry = 68,
        .tstate_thread_id = 152,
        .frame_previous = 48, .frame_code = 32, .frame_ip = 56, .ip_unit = 1,
        .frame_owner = 69, .owner_generator = 1, .owner_skip = NO_OWNER,
        .code_filename = 112, .code_name = 120, .code_qualname = 128,
        .code_first_line = 72, .code_line_table = 136, .code_first_traceable = 168,
        .code_bytecode = 184,
        .runtime_finalizing = 24, .runtime_tstate_current = 576,
    },
    {
        .version = 0x30c, .frames = PYTHON_FRAMES_CFRAME,
        .lines = PYTHON_LINES_LOCATIONS,
        .tstate_frame = 56, .tstate_interp = 16, .tstate_thread_id = 136,
        .frame_previous = 8, .frame_code = 0, .frame_ip = 56, .ip_unit = 1,
        .frame_owner = 70, .owner_generator = 1, .owner_skip = 3,
        .code_filename = 112, .code_name = 120, .code_qualname = 128,
        .code_first_line = 68, .code_line_table = 136, .code_first_traceable = 176,
        .code_bytecode = 192,
        .runtime_finalizing = 24,
    },
    {
        .version = 0x30d, .frames = PYTHON_FRAMES_CURRENT,
        .lines = PYTHON_LINES_LOCATIONS, .ip_unit = 1,
        .owner_generator = 1, .owner_skip = 3, .code_first_traceable = 184,
    },
    {
        .version = 0x30e, .frames = PYTHON_FRAMES_CURRENT,
        .lines = PYTHON_LINES_LOCATIONS, .ip_unit = 1, .tagged = true,
        .owner_generator = 1, .owner_skip = 3, .code_first_traceable = 192,
    },
    {
        .version = 0x30f, .frames = PYTHON_FRAMES_CURRENT,
        .lines = PYTHON_LINES_LOCATIONS, .ip_unit = 1, .tagged = true,
        .owner_generator = 1, .owner_skip = 3, .code_first_traceable = 192,
    },
};
/* clang-format on */

#define FIELD(name) offsetof(struct python_layout, name)

/* Which 8-byte word of struct _Py_DebugOffsets says a field's offset in 3.13, 3.14 and
 * 3.15. A pre-release of one of them may have other words, a final release may not. */
static const struct described {
    uint16_t field; /* its place in struct python_layout */
    uint8_t word[NEWEST_MINOR - OLDEST_DESCRIBED_MINOR + 1];
} described[] = {
    {FIELD(tstate_interp), {22, 25, 25}},    {FIELD(tstate_frame), {23, 26, 26}},
    {FIELD(tstate_thread_id), {24, 27, 30}}, {FIELD(frame_previous), {29, 32, 40}},
    {FIELD(frame_code), {30, 33, 41}},       {FIELD(frame_ip), {31, 34, 42}},
    {FIELD(frame_owner), {33, 36, 44}},      {FIELD(code_filename), {35, 40, 48}},
    {FIELD(code_name), {36, 41, 49}},        {FIELD(code_qualname), {37, 42, 50}},
    {FIELD(code_line_table), {38, 43, 51}},  {FIELD(code_first_line), {39, 44, 52}},
    {FIELD(code_bytecode), {43, 48, 56}},    {FIELD(object_type), {45, 51, 59}},
    {FIELD(type_flags), {49, 55, 63}},       {FIELD(bytes_size), {65, 75, 87}},
    {FIELD(bytes_data), {66, 76, 88}},       {FIELD(string_state), {68, 78, 90}},
    {FIELD(string_length), {69, 79, 91}},    {FIELD(string_ascii_data), {70, 80, 92}},
};

/* Words whose place all versions share. */
enum { WORD_VERSION = 1, WORD_FREE_THREADED = 2, WORD_FINALIZING = 4 };

/* The oldest objects of all: no 64-bit build since 3.6 has them elsewhere, except for
 * str, which lost its wchar_t copy in 3.12. */
static void fill_objects(struct python_layout *out) {
    bool wide = out->version < 0x30c;
    out->object_type = 8;
    out->type_flags = 168;
    out->bytes_size = 16;
    out->bytes_data = 32;
    out->string_length = 16;
    out->string_state = 32;
    out->string_ascii_data = wide ? 48 : 40;
    out->string_data = wide ? 72 : 56;
    out->string_wide = wide ? 40 : 0;
    out->string_wide_length = wide ? 64 : 0;
}

static uint64_t read_word(const char *offsets, unsigned word) {
    uint64_t value;
    memcpy(&value, offsets + 8 * word, sizeof value);
    return value;
}

/* The objects' offsets lie near the end of the description: that they come out as
 * known shows that all words before are where we think they are. */
static bool objects_match(const struct python_layout *a,
                          const struct python_layout *b) {
    return a->object_type == b->object_type && a->type_flags == b->type_flags &&
           a->bytes_size == b->bytes_size && a->bytes_data == b->bytes_data &&
           a->string_length == b->string_length && a->string_state == b->string_state &&
           a->string_ascii_data == b->string_ascii_data;
}

static int read_described(struct python_layout *out, const char *offsets) {
    unsigned column = (out->version & 0xffU) - OLDEST_DESCRIBED_MINOR;
    const struct python_layout known = *out;
    for (size_t i = 0; i < sizeof described / sizeof *described; i++) {
        uint64_t value = read_word(offsets, described[i].word[column]);
        uint16_t offset = (uint16_t)value;
        if (value > UINT16_MAX)
            return -EINVAL;
        memcpy((char *)out + described[i].field, &offset, sizeof offset);
    }
    out->runtime_finalizing = (uint32_t)read_word(offsets, WORD_FINALIZING);
    if (out->runtime_finalizing > UINT16_MAX || !objects_match(out, &known))
        return -EINVAL;
    return out->code_first_traceable < out->code_bytecode ? 0 : -EINVAL;
}

static int check_description(uint32_t version_hex, const char *offsets) {
    if (memcmp(offsets, "xdebugpy", 8) != 0)
        return -EINVAL;
    if (read_word(offsets, WORD_VERSION) != version_hex)
        return -EINVAL;
    return read_word(offsets, WORD_FREE_THREADED) ? -ENOTSUP : 0;
}

int python_layout_fill(struct python_layout *out, uint32_t version_hex,
                       const void *runtime) {
    unsigned minor = version_hex >> 16 & 0xff;
    *out = (struct python_layout){.version = (uint16_t)(version_hex >> 16)};
    if (version_hex >> 24 != 3 || minor < OLDEST_MINOR || minor > NEWEST_MINOR)
        return -ENOTSUP;
    if ((version_hex >> 4 & 0xf) != RELEASE_LEVEL_FINAL)
        return -ENOTSUP;
    *out = rows[minor - OLDEST_MINOR];
    fill_objects(out);
    if (minor < OLDEST_DESCRIBED_MINOR)
        return 0;
    if (runtime == NULL)
        return -EINVAL;
    int error = check_description(version_hex, runtime);
    return error < 0 ? error : read_described(out, runtime);
}
