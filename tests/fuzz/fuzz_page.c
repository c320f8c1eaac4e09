/* SPDX-License-Identifier: MIT */
/* libFuzzer's entry: a byte of options, and the dump that a page is made of. */
#include <stdlib.h>
#include <unistd.h>

#include "dump/dump_reader.h"
#include "export/page_data.h"
#include "export/page_input.h"
#include "memory_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void write_page(const struct page_options *options) {
    struct page_input input;
    if (page_input_open(&input, options) < 0)
        return;
    if (page_data_write(&input, nowhere()) < 0)
        fputs("no memory\n", nowhere());
    page_input_close(&input);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static const struct filter everything;
    struct dump_reader *reader;
    if (size < 1)
        return 0;
    int fd = memory_file(bytes + 1, size - 1);
    if (dump_reader_open_fd(&reader, fd) == 0) {
        reader->hides_source = (bytes[0] & 16) != 0;
        struct page_options options = {
            .reader = reader,
            .old = (bytes[0] & 1) != 0 ? reader : NULL,
            .name = "a<b>&\"c",
            .point = (enum profile_point)((bytes[0] >> 1) % PAGE_INPUT_POINTS),
            .filter = &everything,
            .by_process = (bytes[0] & 9) == 8, /* never with two dumps */
            .share = (bytes[0] & 32) != 0 ? 0.01 : 0,
        };
        write_page(&options);
        dump_reader_close(reader);
    }
    close(fd);
    return 0;
}
