/* SPDX-License-Identifier: MIT */
#include "base/sys.h"

bool sys_confined;
