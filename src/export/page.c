/* SPDX-License-Identifier: MIT */
#include "export/page.h"

#include <errno.h>

#include "export/page_data.h"
#include "export/page_input.h"
#include "export/page_template.h"
#include "export/script_stream.h"

bool page_is_built(void) {
    return page_template_head != NULL;
}

static int write_data(const struct page_input *input, FILE *out) {
    FILE *script = script_stream_open(out);
    if (script == NULL)
        return -ENOMEM;
    int error = page_data_write(input, script);
    if (fclose(script) != 0 && error == 0)
        error = -EIO;
    return error;
}

int page_write(const struct page_options *options, FILE *out) {
    struct page_input input;
    int error = page_input_open(&input, options);
    if (error < 0)
        return error;
    fputs(page_template_head, out);
    error = write_data(&input, out);
    fputs(page_template_tail, out);
    page_input_close(&input);
    return error;
}
