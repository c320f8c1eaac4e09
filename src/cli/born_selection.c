/* SPDX-License-Identifier: MIT */
#include "cli/born_selection.h"

#include <errno.h>
#include <string.h>

#include "output/failure.h"
#include "profile/births.h"
#include "profile/estimate.h"
#include "show/dump_info.h"

static int explain_outside(const struct dump_reader *reader, const char *text,
                           const char *name) {
    struct birth_span known;
    char from[DUMP_INFO_TIME_SIZE], to[DUMP_INFO_TIME_SIZE];
    if (reader == NULL || !births_known(reader, &known))
        return failure_print("%s: the range '%s' is outside the time of the dump", name,
                             text);
    dump_info_time(known.from, from);
    dump_info_time(known.to, to);
    return failure_print("%s: the range '%s' is outside the time of the dump, %s to %s",
                         name, text, from, to);
}

int born_selection_explain(const struct dump_reader *reader,
                           const struct selection *selection, const char *name,
                           int error) {
    switch (-error) {
    case EDOM:
        return explain_outside(reader, selection->born_text, name);
    case ERANGE:
        return failure_print("%s: the range '%s' ends before it begins", name,
                             selection->born_text);
    case ENODATA:
        return failure_print("%s: the dump does not say when blocks were allocated",
                             name);
    default:
        return failure_print("%s: %s", name, strerror(-error));
    }
}

bool born_selection_lacks_temporary(const struct dump_reader *reader,
                                    const struct selection *selection) {
    return selection->point == PROFILE_TEMPORARY && estimate_is_needed(reader);
}

int born_selection_explain_temporary(const char *name) {
    return failure_print("%s: temporary blocks are not counted where blocks are "
                         "sampled",
                         name);
}

int born_selection_apply(struct dump_reader *reader, const struct selection *selection,
                         const char *name) {
    int error = births_select(reader, &selection->born);
    return error == 0 ? 0 : born_selection_explain(reader, selection, name, error);
}
