/* Rows of cells as text, CSV, Markdown or LaTeX.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  WEFT_TABLE_TEXT,
  WEFT_TABLE_CSV,
  WEFT_TABLE_MARKDOWN,
  WEFT_TABLE_LATEX,
} WeftTableForm;

/**
 * weft_grid_print:
 * @rows: (element-type GPtrArray): equally long arrays of strings, the first of them the header; first cells stand to the left
 *
 * Returns: the table, to be freed
 */
char *weft_grid_print (const GPtrArray *rows, WeftTableForm form);

G_END_DECLS
