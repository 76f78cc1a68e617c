/* One caption of a batch of text.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <weft/operator.h>

/* Returns: sample @index of u8[b:n], not terminated; %NULL, with the step failed, if it is not UTF-8. */
static inline const char *
text_caption (const WeftCall *call, const WeftTensor *text, gint64 index, gsize *length)
{
  const char *caption = (const char *) text->data + text->offsets[index], *end;
  *length = (gsize) (text->offsets[index + 1] - text->offsets[index]);
  if (g_utf8_validate (caption, (gssize) *length, &end))
    return caption;
  weft_fail (call, "text %" G_GINT64_FORMAT " of the batch is not UTF-8: byte %" G_GSIZE_FORMAT " is 0x%02x", index, (gsize) (end - caption),
             (guint) (guint8) *end);
  return NULL;
}
