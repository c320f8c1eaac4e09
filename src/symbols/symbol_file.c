/* SPDX-License-Identifier: MIT */
#include "symbols/symbol_file.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "symbols/symbol_name.h"
#include "symbols/symbol_scope.h"
#include "symbols/symbol_table.h"
#include "symbols/symbol_units.h"

enum {
    MAX_ID_BYTES = 64,
    /* The size given for a module known only by its build-id. */
    ANY_SIZE = INT32_MAX,
};

struct symbol_file {
    Dwfl *dwfl;
    Dwfl_Module *module;
    Dwarf_Addr bias; /* what elfutils adds to the addresses of the file */
    struct symbol_units units;
    struct symbol_table table;
    bool has_table;
};

static char debug_directories[] = ":.debug:/usr/lib/debug";
static char *debug_path = debug_directories;

static const Dwfl_Callbacks callbacks = {
    .find_elf = dwfl_build_id_find_elf,
    .find_debuginfo = dwfl_standard_find_debuginfo,
    .section_address = dwfl_offline_section_address,
    .debuginfo_path = &debug_path,
};

/* Anything but a regular file might block, or change when it is read. */
static int open_regular(const char *path) {
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd >= 0 && (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Converts hexadecimal digits to bytes. Returns their number; 0 if there are other
 * characters. */
static int read_id(const char *digits, unsigned char id[MAX_ID_BYTES]) {
    size_t length = strlen(digits);
    if (length % 2 != 0 || length / 2 > MAX_ID_BYTES)
        return 0;
    for (size_t i = 0; i < length / 2; i++)
        if (sscanf(digits + 2 * i, "%2hhx", &id[i]) != 1)
            return 0;
    return (int)(length / 2);
}

static bool has_id(Dwfl_Module *module, const char *digits) {
    unsigned char id[MAX_ID_BYTES];
    const unsigned char *found = NULL;
    GElf_Addr address;
    int wanted = read_id(digits, id);
    int length = dwfl_module_build_id(module, &found, &address);
    length = length > 0 ? length : 0;
    return length == wanted && (length == 0 || memcmp(found, id, (size_t)length) == 0);
}

/* 0, -ENOENT or -ESTALE; symbol_file_close releases everything in all cases. */
static int report_file(struct symbol_file *file, const char *path,
                       const char *build_id) {
    int fd = path[0] == '/' ? open_regular(path) : -1;
    if (fd < 0)
        return -ENOENT;
    dwfl_report_begin(file->dwfl);
    file->module = dwfl_report_elf(file->dwfl, path, path, fd, 0, true);
    dwfl_report_end(file->dwfl, NULL, NULL);
    if (file->module == NULL) {
        close(fd);
        return -ENOENT;
    }
    return has_id(file->module, build_id) ? 0 : -ESTALE;
}

/* Uses the debug file of a module that is not on this machine itself. */
static int report_debug_file(struct symbol_file *file, const char *build_id) {
    char path[2 * MAX_ID_BYTES + 64];
    unsigned char id[MAX_ID_BYTES];
    if (read_id(build_id, id) < 2)
        return -ENOENT;
    snprintf(path, sizeof path, "/usr/lib/debug/.build-id/%.2s/%s.debug", build_id,
             build_id + 2);
    return report_file(file, path, build_id);
}

/* Asks the debuginfod servers, by way of elfutils. */
static int report_id(struct symbol_file *file, const char *build_id) {
    unsigned char id[MAX_ID_BYTES];
    const char *servers = getenv("DEBUGINFOD_URLS");
    int length = read_id(build_id, id);
    if (servers == NULL || *servers == '\0' || length < 2)
        return -ENOENT;
    dwfl_report_begin(file->dwfl);
    file->module = dwfl_report_module(file->dwfl, build_id, 0, ANY_SIZE);
    bool known = file->module != NULL &&
                 dwfl_module_report_build_id(file->module, id, (size_t)length, 0) == 0;
    dwfl_report_end(file->dwfl, NULL, NULL);
    return known ? 0 : -ENOENT;
}

static int find_file(struct symbol_file *file, const char *path, const char *build_id) {
    int error = report_file(file, path, build_id);
    if (error == 0)
        return 0;
    if (report_debug_file(file, build_id) == 0 || report_id(file, build_id) == 0)
        return 0;
    return error;
}

int symbol_file_open(struct symbol_file **out, const char *path, const char *build_id) {
    struct symbol_file *file = calloc(1, sizeof *file);
    if (file == NULL)
        return -ENOMEM;
    file->dwfl = dwfl_begin(&callbacks);
    int error = file->dwfl == NULL ? -ENOMEM : find_file(file, path, build_id);
    if (error == 0 && dwfl_module_getelf(file->module, &file->bias) == NULL)
        error = -ENOENT;
    if (error < 0) {
        symbol_file_close(file);
        return error;
    }
    symbol_units_open(&file->units, file->module);
    *out = file;
    return 0;
}

void symbol_file_close(struct symbol_file *file) {
    if (file == NULL)
        return;
    symbol_table_close(&file->table);
    symbol_units_close(&file->units);
    if (file->dwfl != NULL)
        dwfl_end(file->dwfl);
    free(file);
}

/* Returns a file's name, made absolute with its compilation directory; the caller frees
 * it. */
static char *absolute_name(Dwarf_Die *unit, const char *name) {
    Dwarf_Attribute attribute;
    const char *directory = NULL;
    char *joined;
    if (name == NULL || name[0] == '/')
        return name == NULL ? NULL : strdup(name);
    if (dwarf_attr(unit, DW_AT_comp_dir, &attribute) != NULL)
        directory = dwarf_formstring(&attribute);
    if (directory == NULL)
        return strdup(name);
    return asprintf(&joined, "%s/%s", directory, name) < 0 ? NULL : joined;
}

struct location {
    const char *filename;
    uint32_t line;
};

/* The source line of the machine code at an address. */
static struct location location_of_code(Dwarf_Die *unit, Dwarf_Addr address) {
    Dwarf_Line *line = dwarf_getsrc_die(unit, address);
    int number = 0;
    if (line == NULL || dwarf_lineno(line, &number) != 0)
        return (struct location){0};
    return (struct location){dwarf_linesrc(line, NULL, NULL), (uint32_t)number};
}

/* The line of the call that was inlined. */
static struct location location_of_call(Dwarf_Die *unit, Dwarf_Die *inlined) {
    Dwarf_Attribute attribute;
    Dwarf_Files *files;
    Dwarf_Word file = 0, line = 0;
    dwarf_formudata(dwarf_attr(inlined, DW_AT_call_file, &attribute), &file);
    dwarf_formudata(dwarf_attr(inlined, DW_AT_call_line, &attribute), &line);
    if (dwarf_getsrcfiles(unit, &files, NULL) != 0 || line == 0)
        return (struct location){0};
    return (struct location){dwarf_filesrc(files, file, NULL, NULL), (uint32_t)line};
}

struct search {
    symbol_visit visit;
    void *context;
    Dwarf_Die *unit;
};

/* Frees the function's name, which is NULL if unknown. */
static int visit(const struct search *search, char *function,
                 struct location location) {
    char *filename =
        location.line == 0 ? NULL : absolute_name(search->unit, location.filename);
    int error = search->visit(search->context, function, filename,
                              filename == NULL ? 0 : location.line);
    free(function);
    free(filename);
    return error;
}

/* Visits the functions that contain the machine code, innermost first, each with the
 * line that was executing or calling the one before it. Returns how many, or -errno. */
static int visit_functions(const struct search *search, const struct symbol_unit *unit,
                           Dwarf_Addr address, struct location location) {
    const struct symbol_scope *scope = symbol_unit_find(unit, address);
    int found = 0;
    for (; scope != NULL; scope = symbol_unit_outer(unit, scope)) {
        Dwarf_Die die = scope->die;
        int error = visit(search, symbol_scope_name(&die), location);
        if (error < 0)
            return error;
        found++;
        if (scope->inlined)
            location = location_of_call(search->unit, &die);
    }
    return found;
}

/* The symbol table is read when the first name is looked up. */
static int find_name(struct symbol_file *file, Dwarf_Addr address, const char **name) {
    int error = 0;
    if (!file->has_table)
        error = symbol_table_open(&file->table, file->module);
    file->has_table = true;
    *name = symbol_table_find(&file->table, address);
    return error;
}

int symbol_file_find(struct symbol_file *file, uint64_t address, symbol_visit callback,
                     void *context) {
    struct search search = {.visit = callback, .context = context};
    struct location location = {0};
    struct symbol_unit *unit;
    Dwarf_Addr at = address + file->bias, bias = 0;
    int found = symbol_units_find(&file->units, at, &unit, &bias);
    if (found == 0 && unit != NULL) {
        search.unit = &unit->die;
        location = location_of_code(search.unit, at - bias);
        found = visit_functions(&search, unit, at - bias, location);
    }
    if (found != 0)
        return found < 0 ? found : 0;
    const char *name;
    int error = find_name(file, at, &name);
    if (error < 0 || (name == NULL && location.line == 0))
        return error;
    return visit(&search, name == NULL ? NULL : symbol_name_copy(name), location);
}
