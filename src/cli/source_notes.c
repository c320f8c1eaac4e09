/* SPDX-License-Identifier: MIT */
#include "cli/source_notes.h"

#include <unistd.h>

#include "output/failure.h"

bool source_notes_is_ours(const struct dump_reader *reader) {
    return reader->owner == geteuid() && reader->header.foreign == 0;
}

bool source_notes_hides(const struct dump_reader *reader,
                        enum selection_source source) {
    switch (source) {
    case SELECTION_SOURCE_HIDDEN:
        return true;
    case SELECTION_SOURCE_SHOWN:
        return reader->header.foreign != 0;
    default:
        return !source_notes_is_ours(reader);
    }
}

void source_notes_print(const struct dump_reader *reader, const char *name,
                        enum selection_source source) {
    if (!reader->hides_source || source == SELECTION_SOURCE_HIDDEN)
        return;
    failure_note("%s %s", name,
                 reader->header.foreign != 0
                     ? "belongs to several users: source lines are not shown"
                     : "belongs to another user: source lines are not shown (--source "
                       "shows those that its owner may read)");
}

struct copied_rights source_notes_rights(const struct dump_reader *reader) {
    return (struct copied_rights){reader->owner, reader->group, reader->mode};
}
