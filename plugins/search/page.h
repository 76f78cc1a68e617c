/* The page of `weft serve`.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

extern const char page_html[];
