/* SPDX-License-Identifier: MIT */
#include "control/options.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/limits.h"
#include "base/message.h"
#include "control/request.h"
#include "tracemalloc_dump.h"

#define FIELD(name) offsetof(struct options, name)

/* The smallest file that holds a header and something to read. */
#define MIN_FILE ((uint64_t)16 << 10)
#define MAX_FILE ((uint64_t)1 << 46)
#define MIN_AMOUNT ((uint64_t)1 << 20)

/* The kernel's numbers (signal(7)): up to 31 they have names, then they are
 * real-time. */
enum { MAX_SIGNAL = 64 };

const struct option_row options_table[OPTION_COUNT] = {
    [OPTION_OUTPUT] = {"TRACEMALLOC_OUTPUT", "tracemalloc.%p.dump",
                       "a file name with %p, %c, %h, %t or %%",
                       "name of the dump; %p pid, %c command, %h host, %t start time",
                       OPTION_IS_PATTERN, FIELD(output), 0, 0},
    [OPTION_SIGNAL] =
        {"TRACEMALLOC_SIGNAL", NULL,
         "a signal such as USR2, SIGUSR2, 12 or RTMIN+3 that can be caught",
         "signal that stops and starts tracing", OPTION_IS_SIGNAL, FIELD(signal), 0, 0},
    [OPTION_FOLLOW_FORK] = {"TRACEMALLOC_FOLLOW_FORK", "1", "0 or 1",
                            "whether forked children are traced", OPTION_IS_BOOL,
                            FIELD(follow_fork), 0, 1},
    [OPTION_QUIET] = {"TRACEMALLOC_QUIET", "0", "0 or 1",
                      "whether notices on standard error are left out", OPTION_IS_BOOL,
                      FIELD(quiet), 0, 1},
    [OPTION_FREE_LISTS] = {"TRACEMALLOC_FREE_LISTS", "exact", "0, 1 or exact",
                           "whether objects of free lists count where they are taken; "
                           "exact: unless samples are more than 16K apart",
                           OPTION_IS_WHEN, FIELD(free_lists), 0,
                           OPTIONS_FREE_LISTS_ALWAYS},
    [OPTION_MAX_FILE] = {"TRACEMALLOC_MAX_FILE", "1G", "a size from 16K to 64T",
                         "size that the dump may reach", OPTION_IS_SIZE,
                         FIELD(max_file), MIN_FILE, MAX_FILE},
    [OPTION_NATIVE_DOMAIN] = {"TRACEMALLOC_NATIVE_DOMAIN", "0", "0 or 1",
                              "whether Python's tracemalloc module shows native blocks",
                              OPTION_IS_BOOL, FIELD(native_domain), 0, 1},
    [OPTION_NATIVE_FRAMES] = {"TRACEMALLOC_NATIVE_FRAMES", "0",
                              "a number from 0 to " MAX_NFRAME_TEXT,
                              "native frames of a traceback at most; 1 stands "
                              "for " DEFAULT_NATIVE_NFRAME_TEXT,
                              OPTION_IS_FRAMES, FIELD(native_frames), 0, MAX_NFRAME},
    [OPTION_ANY_PROGRAM] = {"TRACEMALLOC_ANY_PROGRAM", "0", "0 or 1",
                            "whether programs without Python are traced",
                            OPTION_IS_BOOL, FIELD(any_program), 0, 1},
    [OPTION_SAMPLE] = {"TRACEMALLOC_SAMPLE", "0", "0 or a size from 1 to 1G",
                       "mean distance of sampled bytes, such as 512K; 0: no sampling",
                       OPTION_IS_DISTANCE, FIELD(sample_distance), 0,
                       TRACEMALLOC_DUMP_MAX_SAMPLE_DISTANCE},
    [OPTION_TYPES] = {"TRACEMALLOC_TYPES", "0", "0 or 1",
                      "whether live objects are counted by type at exit",
                      OPTION_IS_BOOL, FIELD(types), 0, 1},
    [OPTION_SNAPSHOT_AT] = {"TRACEMALLOC_SNAPSHOT_AT", NULL,
                            "a list of up to 8 percentages from 1% to 99% and sizes "
                            "from 1M, separated by commas",
                            "memory in use, such as 80% of the limit or 1500M, at "
                            "which a copy of the dump is written; several with commas",
                            OPTION_IS_AMOUNTS, FIELD(snapshot_at), MIN_AMOUNT,
                            MAX_FILE},
    [OPTION_RUN] = {"TRACEMALLOC_RUN", NULL, "1 to 16 hexadecimal digits, not 0", NULL,
                    OPTION_IS_ID, FIELD(run_id), 0, 0},
};

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Reads the digits at the start of the text; returns what follows them, or NULL if
 * there are none or the number is larger than `max`. */
static const char *read_number(const char *text, uint64_t max, uint64_t *out) {
    uint64_t number = 0;
    if (!is_digit(*text))
        return NULL;
    for (; is_digit(*text); text++) {
        uint64_t digit = (uint64_t)(*text - '0');
        if (digit > max || number > (max - digit) / 10)
            return NULL;
        number = number * 10 + digit;
    }
    *out = number;
    return text;
}

static int read_whole_number(const char *text, uint64_t max, uint64_t *out) {
    const char *end = read_number(text, max, out);
    return end != NULL && *end == '\0' ? 0 : -EINVAL;
}

/* How many binary digits a unit adds; 0 if that is none. */
static unsigned unit_shift(char unit) {
    static const char units[] = "KMGT";
    char upper = (char)(unit & ~0x20);
    const char *found = upper != '\0' ? strchr(units, upper) : NULL;
    return found != NULL ? 10 * (unsigned)(found - units + 1) : 0;
}

int options_parse_size(const char *text, uint64_t max, uint64_t *out) {
    const char *end = read_number(text, max, out);
    if (end == NULL)
        return -EINVAL;
    if (*end == '\0')
        return 0;
    unsigned shift = unit_shift(*end);
    if (shift == 0 || end[1] != '\0' || *out > max >> shift)
        return -EINVAL;
    *out <<= shift;
    return 0;
}

uint64_t options_threshold_bytes(const struct options_threshold *threshold) {
    return threshold->unit != '%' ? threshold->number << unit_shift(threshold->unit)
                                  : 0;
}

void options_threshold_text(const struct options_threshold *threshold,
                            char text[OPTIONS_THRESHOLD_SIZE]) {
    const char unit[] = {threshold->unit != '%' ? threshold->unit : '\0', '\0'};
    message_number(text, threshold->number);
    strcat(text, unit);
}

/* Reads one; returns what follows it, or NULL. */
static const char *read_threshold(const struct option_row *row, const char *text,
                                  struct options_threshold *out) {
    enum { MAX_PERCENT = 99 };
    const char *end = read_number(text, row->max, &out->number);
    out->unit = '\0';
    if (end != NULL && *end == '%') {
        out->unit = '%';
        return out->number >= 1 && out->number <= MAX_PERCENT ? end + 1 : NULL;
    }
    if (end != NULL && unit_shift(*end) != 0)
        out->unit = (char)(*end++ & ~0x20);
    if (end == NULL || out->number > row->max >> unit_shift(out->unit))
        return NULL;
    return options_threshold_bytes(out) >= row->min ? end : NULL;
}

static bool has_threshold(const struct options_thresholds *all,
                          const struct options_threshold *wanted) {
    for (uint32_t i = 0; i < all->count; i++)
        if (all->entries[i].number == wanted->number &&
            all->entries[i].unit == wanted->unit)
            return true;
    return false;
}

static int read_thresholds(const struct option_row *row, const char *text,
                           struct options_thresholds *out) {
    *out = (struct options_thresholds){0};
    for (;; text++) {
        struct options_threshold threshold;
        text = read_threshold(row, text, &threshold);
        if (text == NULL || (*text != '\0' && *text != ','))
            return -EINVAL;
        if (!has_threshold(out, &threshold)) {
            if (out->count == OPTIONS_MAX_THRESHOLDS)
                return -EINVAL;
            out->entries[out->count++] = threshold;
        }
        if (*text == '\0')
            return 0;
    }
}

static int read_id(const char *text, uint64_t *out) {
    uint64_t id = 0;
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++) {
        char lower = (char)(text[i] | 0x20);
        if (!is_digit(text[i]) && (lower < 'a' || lower > 'f'))
            return -EINVAL;
        id = id << 4 | (uint64_t)(is_digit(text[i]) ? text[i] - '0' : lower - 'a' + 10);
    }
    *out = id;
    return length >= 1 && length <= 16 && id != 0 ? 0 : -EINVAL;
}

/* The signals that the tracer may have: not those that cannot be caught, nor those of
 * faults. A table, because sigabbrev_np came with glibc 2.32. */
static const char signal_names[][8] = {
    [SIGHUP] = "HUP",   [SIGINT] = "INT",   [SIGQUIT] = "QUIT",
    [SIGUSR1] = "USR1", [SIGUSR2] = "USR2", [SIGPIPE] = "PIPE",
    [SIGALRM] = "ALRM", [SIGTERM] = "TERM", [SIGCHLD] = "CHLD",
    [SIGCONT] = "CONT", [SIGTSTP] = "TSTP", [SIGTTIN] = "TTIN",
    [SIGTTOU] = "TTOU", [SIGURG] = "URG",   [SIGXCPU] = "XCPU",
    [SIGXFSZ] = "XFSZ", [SIGPROF] = "PROF", [SIGVTALRM] = "VTALRM",
    [SIGPOLL] = "POLL", [SIGPWR] = "PWR",   [SIGWINCH] = "WINCH",
};
enum { SIGNAL_NAMES = sizeof signal_names / sizeof *signal_names };

/* 32 and 33 are glibc's own. */
static bool can_be_taken(uint64_t number) {
    return (number < SIGNAL_NAMES && signal_names[number][0] != '\0') ||
           (number >= (uint64_t)SIGRTMIN && number <= (uint64_t)SIGRTMAX);
}

/* Compares without regard to case: strcasecmp reads the locale. Returns what follows
 * `name` in the text, or NULL. */
static const char *after_name(const char *text, const char *name) {
    for (; *name != '\0'; name++, text++)
        if (*text != *name && (*text < 'a' || *text > 'z' || *text - 32 != *name))
            return NULL;
    return text;
}

static int read_real_time(const char *text, int base, char sign, uint64_t *out) {
    uint64_t distance = 0;
    if (*text != '\0' &&
        (*text != sign || read_whole_number(text + 1, MAX_SIGNAL, &distance) < 0))
        return -EINVAL;
    *out = sign == '+' ? (uint64_t)base + distance : (uint64_t)base - distance;
    return 0;
}

static int read_signal_name(const char *text, uint64_t *out) {
    const char *end = after_name(text, "SIG");
    const char *name = end != NULL ? end : text;
    if ((end = after_name(name, "RTMIN")) != NULL)
        return read_real_time(end, SIGRTMIN, '+', out);
    if ((end = after_name(name, "RTMAX")) != NULL)
        return read_real_time(end, SIGRTMAX, '-', out);
    *out = SIGIO; /* POLL by its other name */
    if ((end = after_name(name, "IO")) != NULL && *end == '\0')
        return 0;
    for (uint64_t number = 1; number < SIGNAL_NAMES; number++) {
        *out = number;
        end = can_be_taken(number) ? after_name(name, signal_names[number]) : NULL;
        if (end != NULL && *end == '\0')
            return 0;
    }
    return -EINVAL;
}

static int read_signal(const char *text, uint64_t *out) {
    int error = is_digit(*text) ? read_whole_number(text, MAX_SIGNAL, out)
                                : read_signal_name(text, out);
    return error == 0 && !can_be_taken(*out) ? -EINVAL : error;
}

static int check_pattern(const char *pattern) {
    size_t length = strlen(pattern);
    if (length == 0 || pattern[length - 1] == '/')
        return -EINVAL;
    for (; *pattern != '\0'; pattern++)
        if (*pattern == '%' &&
            (*++pattern == '\0' || strchr("pcht%", *pattern) == NULL))
            return -EINVAL;
    return 0;
}

static int read_value(const struct option_row *row, const char *text, uint64_t *out) {
    switch (row->type) {
    case OPTION_IS_PATTERN:
        return check_pattern(text);
    case OPTION_IS_SIGNAL:
        return read_signal(text, out);
    case OPTION_IS_SIZE:
    case OPTION_IS_DISTANCE:
        return options_parse_size(text, row->max, out);
    case OPTION_IS_ID:
        return read_id(text, out);
    case OPTION_IS_AMOUNTS: /* read where they are stored */
        return -EINVAL;
    case OPTION_IS_BOOL:
        return text[1] == '\0' ? read_whole_number(text, row->max, out) : -EINVAL;
    case OPTION_IS_WHEN:
        *out = OPTIONS_FREE_LISTS_EXACT;
        return strcmp(text, "exact") == 0 ? 0 : read_whole_number(text, row->max, out);
    case OPTION_IS_FRAMES:
        return read_whole_number(text, row->max, out);
    }
    return -EINVAL;
}

static void store(const struct option_row *row, const char *text, uint64_t number,
                  struct options *out) {
    void *field = (char *)out + row->offset;
    switch (row->type) {
    case OPTION_IS_PATTERN:
        *(const char **)field = text;
        break;
    case OPTION_IS_BOOL:
        *(bool *)field = number != 0;
        break;
    case OPTION_IS_SIGNAL:
    case OPTION_IS_WHEN:
    case OPTION_IS_DISTANCE:
        *(uint32_t *)field = (uint32_t)number;
        break;
    case OPTION_IS_FRAMES:
        *(uint32_t *)field = number == 1 ? DEFAULT_NATIVE_NFRAME : (uint32_t)number;
        break;
    case OPTION_IS_SIZE:
    case OPTION_IS_ID:
        *(uint64_t *)field = number;
        break;
    case OPTION_IS_AMOUNTS:
        break;
    }
}

int options_parse(enum option_id option, const char *text, struct options *out) {
    const struct option_row *row = &options_table[option];
    uint64_t number = 0;
    if (row->type == OPTION_IS_AMOUNTS)
        return read_thresholds(row, text, &out->snapshot_at);
    int error = read_value(row, text, &number);
    if (error == 0 && number < row->min)
        error = -EINVAL;
    if (error == 0)
        store(row, text, number, out);
    return error;
}

/* Appends text to the `length` bytes in a buffer, cut where the buffer ends; returns
 * the new length. */
static size_t append(char *out, size_t size, size_t length, const char *text) {
    for (; *text != '\0' && length + 1 < size; text++)
        out[length++] = *text;
    if (length < size)
        out[length] = '\0';
    return length;
}

static void explain(const struct option_row *row, char *message, size_t size) {
    size_t length = append(message, size, 0, row->variable);
    length = append(message, size, length, " must be ");
    append(message, size, length, row->accepted);
}

static int read_variable(enum option_id option, const char *(*get)(const char *name),
                         struct options *out) {
    const struct option_row *row = &options_table[option];
    const char *text = get(row->variable);
    if (text == NULL || *text == '\0')
        text = row->fallback;
    return text == NULL ? 0 : options_parse(option, text, out);
}

int options_read(struct options *out, const char *(*get)(const char *name),
                 char *message, size_t size) {
    *out = (struct options){.signal = REQUEST_DEFAULT_SIGNAL};
    int error = 0;
    message[0] = '\0';
    /* All are read, for whether the message is printed depends on `quiet`. */
    for (int option = OPTION_COUNT - 1; option >= 0; option--) {
        const struct option_row *row = &options_table[option];
        if (read_variable((enum option_id)option, get, out) == 0)
            continue;
        bool is_dispensable = option == OPTION_SNAPSHOT_AT;
        if (!is_dispensable || message[0] == '\0')
            explain(row, message, size);
        if (is_dispensable)
            out->snapshot_at.count = 0;
        else
            error = -EINVAL;
    }
    return error;
}

/* A name that is being written: it does not fit if `length` is larger than `size`. */
struct writer {
    char *out;
    size_t size;
    size_t length;
};

static void write_char(struct writer *writer, char c) {
    if (writer->length < writer->size)
        writer->out[writer->length] = c;
    writer->length++;
}

static void write_number(struct writer *writer, uint64_t number) {
    char digits[24];
    for (const char *digit = message_number(digits, number); *digit != '\0'; digit++)
        write_char(writer, *digit);
}

static void write_name(struct writer *writer, const char *name) {
    for (; *name != '\0'; name++)
        write_char(writer, *name == '/' ? '_' : *name);
}

static void write_sequence(struct writer *writer, char letter,
                           const struct pattern_values *values) {
    switch (letter) {
    case 'p':
        write_number(writer, values->pid);
        break;
    case 't':
        write_number(writer, values->start_time);
        break;
    case 'c':
        write_name(writer, values->command);
        break;
    case 'h':
        write_name(writer, values->host);
        break;
    default:
        write_char(writer, letter);
    }
}

int options_expand_pattern(const char *pattern, const struct pattern_values *values,
                           char *out, size_t size) {
    struct writer writer = {out, size, 0};
    if (check_pattern(pattern) < 0)
        return -EINVAL;
    for (; *pattern != '\0'; pattern++)
        if (*pattern == '%')
            write_sequence(&writer, *++pattern, values);
        else
            write_char(&writer, *pattern);
    write_char(&writer, '\0');
    return writer.length <= size ? 0 : -ENAMETOOLONG;
}
