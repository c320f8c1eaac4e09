/* SPDX-License-Identifier: MIT */
#include "cli/lake_export.h"

#include <errno.h>
#include <string.h>

#include "cli/dump_report.h"
#include "cli/source_notes.h"
#include "cli/stop_signals.h"
#include "export/lake.h"
#include "output/failure.h"
#include "output/progress.h"

struct lake_export {
    struct lake lake;
    const struct selection *selection;
    const struct resource *resource;
    const char *directory;
    struct copied_rights rights; /* common to all dumps */
    bool is_stopped;             /* by the user */
};

static int explain(const struct lake_export *export, const char *name, int error) {
    const char *reason = export->lake.tables.error;
    if (error == -EIO && export->lake.tables.failed)
        return failure_print("DuckDB: %s", reason != NULL ? reason : "it failed");
    if (error == -EFBIG)
        return failure_print("%s: the dump is too large for the format parquet", name);
    return failure_print("%s: %s", name, strerror(-error));
}

static int add_reader(struct lake_export *export, const struct selection *selection,
                      const struct dump_reader *reader) {
    const char *name = selection->files[0];
    struct export_input input;
    size_t repeated = 0;
    export_input_prepare(&input);
    input.resource = export->resource;
    int error = export_input_open(&input, reader, &selection->filter);
    int status = error == 0 ? 0 : dump_report_explain(selection, name, error);
    if (error == 0) {
        error = lake_add(&export->lake, &input, &repeated);
        if (error < 0)
            status = explain(export, name, error);
    }
    if (status == 0 && repeated > 0)
        failure_note("%s: its processes are in another one of the dumps too, and are "
                     "written once",
                     name);
    export_input_close(&input);
    return status;
}

static int add_file(struct lake_export *export, int index) {
    const struct dump_report_stacks stacks = {.native = SHOWN_NATIVE_FOLDED,
                                              .to_file = true};
    struct selection selection = *export->selection;
    struct dump_reader *reader;
    selection.files += index;
    selection.file_count = 1;
    if (dump_report_read_shown(&reader, selection.files, 1, &selection, stacks) != 0)
        return 1;
    const struct copied_rights rights = source_notes_rights(reader);
    if (index == 0)
        export->rights = rights;
    else
        copied_rights_join(&export->rights, rights);
    progress_say("adding %s, %d of %d", selection.files[0], index + 1,
                 export->selection->file_count);
    int status = add_reader(export, &selection, reader);
    dump_reader_close(reader);
    return status;
}

static int add_files(struct lake_export *export) {
    int status = 0;
    for (int i = 0; status == 0 && i < export->selection->file_count; i++) {
        export->is_stopped = stop_signals_wait(0);
        if (export->is_stopped)
            return 1;
        status = add_file(export, i);
    }
    return status;
}

static int write_lake(struct lake_export *export) {
    int status = add_files(export);
    if (status != 0)
        return status;
    progress_say("writing %s", export->directory);
    export->is_stopped = stop_signals_wait(0);
    if (export->is_stopped)
        return 1;
    int error = lake_commit(&export->lake, &export->rights);
    return error == 0 ? 0 : explain(export, export->directory, error);
}

int lake_export_run(const struct selection *selection, const struct resource *resource,
                    const char *directory) {
    struct lake_export export = {
        .selection = selection, .resource = resource, .directory = directory};
    const char *reason;
    const struct duckdb_library *library = duckdb_library_load(&reason);
    if (library == NULL)
        return failure_print(
            "the format parquet needs DuckDB's C library: set "
            "TRACEMALLOC_DUCKDB to its path, see tracemalloc-export(1), "
            "or use --format csv (%s)",
            reason);
    stop_signals_open(); /* before DuckDB starts threads */
    int error = lake_open(&export.lake, library, directory);
    int status = error == 0 ? write_lake(&export) : explain(&export, directory, error);
    lake_close(&export.lake);
    if (export.is_stopped)
        stop_signals_end();
    stop_signals_close();
    return status;
}
