/* SPDX-License-Identifier: MIT */
/* libFuzzer's entry: any bytes are a dump. `make_corpus FOLDER` makes dumps to begin
 * with. */
#include "read_dump.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    read_dump(bytes, size);
    return 0;
}
