/* One caption of a batch of text, and its letters.
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
  weft_fail (call, "text %" G_GINT64_FORMAT " of the batch is not UTF-8: byte %" G_GSIZE_FORMAT " is 0x%02x", index,
             (gsize) (end - caption), (guint) (guint8) *end);
  return NULL;
}

/* Lower case of one character; GLib leaves out the letters that Unicode counts as numbers and symbols. */
static inline gunichar
text_lower (gunichar c)
{
  if (c >= 0x2160 && c <= 0x216f)
    return c + 0x10;
  if (c >= 0x24b6 && c <= 0x24cf)
    return c + 0x1a;
  return g_unichar_tolower (c);
}
