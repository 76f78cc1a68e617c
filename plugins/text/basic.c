/* BERT's basic tokenizer, as `bert-base-uncased` was trained with (Devlin et al., arXiv 1810.04805, and the tokenizer published with it).
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "basic.h"

#include "caption.h"

/* The longest canonical decomposition of one character. */
#define DECOMPOSITION 18

static gboolean
is_space (gunichar c)
{
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || g_unichar_type (c) == G_UNICODE_SPACE_SEPARATOR
         || g_unichar_type (c) == G_UNICODE_LINE_SEPARATOR || g_unichar_type (c) == G_UNICODE_PARAGRAPH_SEPARATOR;
}

/* What is removed: category C, apart from the white space above, and the replacement character. */
static gboolean
is_removed (gunichar c)
{
  if (c == 0xfffd)
    return TRUE;
  switch (g_unichar_type (c))
    {
    case G_UNICODE_CONTROL:
    case G_UNICODE_FORMAT:
    case G_UNICODE_UNASSIGNED:
    case G_UNICODE_PRIVATE_USE:
    case G_UNICODE_SURROGATE:
      return TRUE;
    default:
      return FALSE;
    }
}

/* The blocks of ideographs that BERT separates. Hangul and kana are written with spaces or handled by pieces. */
static gboolean
is_ideograph (gunichar c)
{
  static const struct
  {
    gunichar first, last;
  } blocks[] = { { 0x4e00, 0x9fff },   { 0x3400, 0x4dbf },   { 0x20000, 0x2a6df }, { 0x2a700, 0x2b73f },
                 { 0x2b740, 0x2b81f }, { 0x2b820, 0x2ceaf }, { 0xf900, 0xfaff },   { 0x2f800, 0x2fa1f } };
  for (gsize i = 0; i < G_N_ELEMENTS (blocks); i++)
    if (c >= blocks[i].first && c <= blocks[i].last)
      return TRUE;
  return FALSE;
}

/* Category P, and all ASCII characters that are neither letters, digits, spaces nor controls, such as $ and ^. */
static gboolean
is_punctuation (gunichar c)
{
  if (c < 128)
    return g_ascii_ispunct ((char) c);
  switch (g_unichar_type (c))
    {
    case G_UNICODE_CONNECT_PUNCTUATION:
    case G_UNICODE_DASH_PUNCTUATION:
    case G_UNICODE_OPEN_PUNCTUATION:
    case G_UNICODE_CLOSE_PUNCTUATION:
    case G_UNICODE_INITIAL_PUNCTUATION:
    case G_UNICODE_FINAL_PUNCTUATION:
    case G_UNICODE_OTHER_PUNCTUATION:
      return TRUE;
    default:
      return FALSE;
    }
}

static void
append (GArray *characters, gunichar c, gboolean lower)
{
  gunichar parts[DECOMPOSITION];
  gsize n = lower ? g_unichar_fully_decompose (c, FALSE, parts, DECOMPOSITION) : 1;
  if (!lower)
    parts[0] = c;
  g_array_append_vals (characters, parts, (guint) n);
}

/* Strips accents of decomposed characters, in place. */
static void
strip_and_lower (GArray *characters)
{
  gunichar *c = (gunichar *) (gpointer) characters->data;
  g_unicode_canonical_ordering (c, characters->len);
  guint kept = 0;
  for (guint i = 0; i < characters->len; i++)
    if (g_unichar_type (c[i]) != G_UNICODE_NON_SPACING_MARK)
      c[kept++] = text_lower (c[i]);
  g_array_set_size (characters, kept);
}

void
basic_normalize (const char *text, gsize length, gboolean lower, GArray *characters)
{
  g_array_set_size (characters, 0);
  for (const char *p = text; p < text + length; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p), space = ' ';
      if (is_space (c))
        g_array_append_val (characters, space);
      else if (is_ideograph (c))
        {
          g_array_append_val (characters, space);
          append (characters, c, lower);
          g_array_append_val (characters, space);
        }
      else if (!is_removed (c))
        append (characters, c, lower);
    }
  if (lower && characters->len > 0)
    strip_and_lower (characters);
}

gboolean
basic_next_word (const GArray *characters, guint from, guint *start, guint *end)
{
  const gunichar *c = (const gunichar *) (gconstpointer) characters->data;
  while (from < characters->len && c[from] == ' ')
    from++;
  if (from == characters->len)
    return FALSE;
  *start = from;
  *end = from + 1;
  if (!is_punctuation (c[from]))
    while (*end < characters->len && c[*end] != ' ' && !is_punctuation (c[*end]))
      ++*end;
  return TRUE;
}
