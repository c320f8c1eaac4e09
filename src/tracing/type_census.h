/* SPDX-License-Identifier: MIT */
/* The census of types in this process: what its interpreter's objects are, as the
 * tables' live blocks. */
#pragma once

/* Takes a census, and writes into the dump's header how that went. Under the tracer's
 * lock, on any thread, at any instruction: it neither needs the GIL nor calls
 * Python. */
void type_census_take(void);
