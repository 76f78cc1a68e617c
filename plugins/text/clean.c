/* What CLIP does to a caption before its bytes are paired.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "clean.h"

#include <string.h>

#include "caption.h"

/* The property White_Space of Unicode, of which GLib leaves out two control characters. */
static gboolean
is_space (gunichar c)
{
  return g_unichar_isspace (c) || c == 0x0b || c == 0x85;
}

static gboolean
is_numeral (gunichar c)
{
  GUnicodeType type = g_unichar_type (c);
  return type == G_UNICODE_DECIMAL_NUMBER || type == G_UNICODE_LETTER_NUMBER || type == G_UNICODE_OTHER_NUMBER;
}

/* An entity of HTML at @text, of which the number of bytes is returned; 0 if there is none. */
static gsize
read_entity (const char *text, gunichar *c)
{
  static const struct
  {
    const char *name;
    gunichar c;
  } named[] = { { "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' }, { "&quot;", '"' }, { "&apos;", '\'' }, { "&nbsp;", ' ' } };
  for (guint i = 0; i < G_N_ELEMENTS (named); i++)
    if (g_str_has_prefix (text, named[i].name))
      {
        *c = named[i].c;
        return strlen (named[i].name);
      }
  gboolean hexadecimal = text[1] == '#' && (text[2] == 'x' || text[2] == 'X');
  const char *digits = text + (hexadecimal ? 3 : 2);
  if (text[1] != '#' || !(hexadecimal ? g_ascii_isxdigit (*digits) : g_ascii_isdigit (*digits)))
    return 0;
  char *end;
  guint64 value = g_ascii_strtoull (digits, &end, hexadecimal ? 16 : 10);
  if (*end != ';' || value < 32 || value > 0x10ffff || !g_unichar_validate ((gunichar) value))
    return 0;
  *c = (gunichar) value;
  return (gsize) (end + 1 - text);
}

static void
replace_entities (GString *text)
{
  for (const char *at = strchr (text->str, '&'); at != NULL;)
    {
      gunichar c;
      gsize position = (gsize) (at - text->str), length = read_entity (at, &c);
      if (length > 0)
        {
          g_string_erase (text, (gssize) position, (gssize) length);
          g_string_insert_unichar (text, (gssize) position, c);
        }
      at = strchr (text->str + position + 1, '&');
    }
}

/* Typographers' forms that mean the same as plain ones: quotes, full-width letters, ligatures. */
static void
add_plain (GArray *characters, gunichar c)
{
  static const char *const ligatures[] = { "ff", "fi", "fl", "ffi", "ffl", "st", "st" };
  if (c >= 0xfb00 && c <= 0xfb06)
    {
      for (const char *letter = ligatures[c - 0xfb00]; *letter != '\0'; letter++)
        {
          gunichar plain = (gunichar) *letter;
          g_array_append_val (characters, plain);
        }
      return;
    }
  if (c == 0x02bc || (c >= 0x2018 && c <= 0x201b))
    c = '\'';
  else if (c >= 0x201c && c <= 0x201f)
    c = '"';
  else if (c >= 0xff01 && c <= 0xff5e)
    c -= 0xfee0;
  c = text_lower (c);
  g_array_append_val (characters, c);
}

void
clean_caption (const char *text, gsize length, GArray *characters)
{
  g_autofree char *composed = g_utf8_normalize (text, (gssize) length, G_NORMALIZE_NFC);
  g_autoptr (GString) plain = g_string_new (composed);
  /* Entities of entities are found in the wild. */
  replace_entities (plain);
  replace_entities (plain);
  g_array_set_size (characters, 0);
  for (const char *at = plain->str; *at != '\0'; at = g_utf8_next_char (at))
    add_plain (characters, g_utf8_get_char (at));
}

/* Length of a contraction at @c, of which @n characters are left; 0 if there is none. */
static guint
contraction (const gunichar *c, guint n)
{
  static const char *const endings[] = { "s", "t", "re", "ve", "m", "ll", "d" };
  for (guint i = 0; c[0] == '\'' && i < G_N_ELEMENTS (endings); i++)
    {
      guint length = (guint) strlen (endings[i]), same = 0;
      while (same < length && same + 1 < n && c[same + 1] == (gunichar) endings[i][same])
        same++;
      if (same == length)
        return length + 1;
    }
  return 0;
}

gboolean
clean_next_word (const GArray *characters, guint from, guint *start, guint *end)
{
  const gunichar *c = (const gunichar *) (gconstpointer) characters->data;
  guint n = characters->len, at = from;
  while (at < n && is_space (c[at]))
    at++;
  *start = at;
  if (at == n)
    return FALSE;
  guint shortened = contraction (c + at, n - at);
  if (shortened > 0)
    at += shortened;
  else if (g_unichar_isalpha (c[at]))
    while (at < n && g_unichar_isalpha (c[at]))
      at++;
  else if (is_numeral (c[at]))
    at++;
  else
    while (at < n && !is_space (c[at]) && !g_unichar_isalpha (c[at]) && !is_numeral (c[at]))
      at++;
  *end = at;
  return TRUE;
}
