/* Documents to YAML text.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "document.h"

#define WIDTH 120
/* Sections and their elements are lines of their own, however short. */
#define BLOCK_LEVELS 4

/* Line separators and what editors don't show are written as escapes. */
static gboolean
is_visible (gunichar c)
{
  return c >= 0x20 && c != 0x7f && c != 0x2028 && c != 0x2029 && c != 0xfeff && g_unichar_isprint (c);
}

static gboolean
is_null_word (const char *text)
{
  return strcmp (text, "~") == 0 || g_ascii_strcasecmp (text, "null") == 0;
}

/* Whether @text can stand without quotes. Cautious: quotes are always right. */
static gboolean
is_plain_safe (const char *text, gboolean flow)
{
  if (!*text || is_null_word (text) || strcmp (text, "<<") == 0 || g_str_has_prefix (text, "---") || g_str_has_prefix (text, "..."))
    return FALSE;
  if (!g_ascii_isalnum (*text) && (guchar) *text < 0x80 && !strchr ("_/.$+<-", *text))
    return FALSE;
  if (*text == '-' && !g_ascii_isalnum (text[1]) && text[1] != '.')
    return FALSE;
  for (const char *at = text; *at; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);
      if (!is_visible (c) || (c >= 0x80 && g_unichar_isspace (c)))
        return FALSE;
      if (flow && strchr (",[]{}?:", *at))
        return FALSE;
      if (*at == ':' && (at[1] == ' ' || !at[1]))
        return FALSE;
      if (*at == ' ' && (at[1] == '#' || !at[1]))
        return FALSE;
    }
  return TRUE;
}

static void
print_quoted (GString *out, const char *text)
{
  g_string_append_c (out, '"');
  for (const char *at = text; *at; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);
      if (c == '"' || c == '\\')
        g_string_append_printf (out, "\\%c", (char) c);
      else if (c == '\n')
        g_string_append (out, "\\n");
      else if (c == '\t')
        g_string_append (out, "\\t");
      else if (is_visible (c))
        g_string_append_unichar (out, c);
      else
        g_string_append_printf (out, c < 0x80 ? "\\x%02x" : "\\U%08x", c);
    }
  g_string_append_c (out, '"');
}

static void
print_text (GString *out, const char *text, gboolean quoted, gboolean flow)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1); /* file names may be anything */
  if (quoted || !is_plain_safe (valid, flow))
    print_quoted (out, valid);
  else
    g_string_append (out, valid);
}

/* Appends @value in flow style; gives up, %FALSE, once @out is longer than @limit. */
static gboolean
print_inline (GString *out, const WeftValue *value, gsize limit, gboolean flow)
{
  WeftValueKind kind = weft_value_kind (value);
  if (kind == WEFT_VALUE_NULL)
    g_string_append (out, "null");
  else if (kind == WEFT_VALUE_SCALAR)
    print_text (out, weft_value_text (value), weft_value_is_quoted (value), flow);
  else
    {
      g_string_append_c (out, kind == WEFT_VALUE_MAP ? '{' : '[');
      for (guint i = 0; i < weft_value_length (value); i++)
        {
          if (i)
            g_string_append (out, ", ");
          if (kind == WEFT_VALUE_MAP)
            {
              print_text (out, weft_value_key (value, i), FALSE, TRUE);
              g_string_append (out, ": ");
            }
          if (out->len > limit || !print_inline (out, weft_value_item (value, i), limit, TRUE))
            return FALSE;
        }
      g_string_append_c (out, kind == WEFT_VALUE_MAP ? '}' : ']');
    }
  return out->len <= limit;
}

static gboolean
holds_collections (const WeftValue *value)
{
  for (guint i = 0; i < weft_value_length (value); i++)
    if (weft_value_kind (weft_value_item (value, i)) >= WEFT_VALUE_LIST)
      return TRUE;
  return FALSE;
}

static void print_block (GString *out, const WeftValue *value, guint level);

/* What follows "key:" or "-": the rest of the line, or lines below it. */
static void
print_after (GString *out, const WeftValue *value, guint level, gsize column)
{
  gboolean collection = weft_value_kind (value) >= WEFT_VALUE_LIST;
  gboolean spread = collection && level < BLOCK_LEVELS && weft_value_kind (value) == WEFT_VALUE_MAP && holds_collections (value);
  g_autoptr (GString) line = g_string_new (NULL);
  gsize room = !collection ? G_MAXSIZE : column + 1 < WIDTH ? WIDTH - column - 1 : 0;
  if (!spread && (print_inline (line, value, room, FALSE) || weft_value_length (value) == 0))
    {
      g_string_append_printf (out, " %s\n", line->str);
      return;
    }
  g_string_append_c (out, '\n');
  print_block (out, value, level);
}

static void
print_block (GString *out, const WeftValue *value, guint level)
{
  for (guint i = 0; i < weft_value_length (value); i++)
    {
      gsize start = out->len;
      g_string_append_printf (out, "%*s", (int) level * 2, "");
      if (weft_value_kind (value) == WEFT_VALUE_MAP)
        {
          print_text (out, weft_value_key (value, i), FALSE, FALSE);
          g_string_append_c (out, ':');
        }
      else
        g_string_append_c (out, '-');
      print_after (out, weft_value_item (value, i), level + 1, out->len - start);
    }
}

char *
weft_document_print (const WeftValue *value)
{
  GString *out = g_string_new (NULL);
  if (weft_value_kind (value) >= WEFT_VALUE_LIST && weft_value_length (value) > 0)
    print_block (out, value, 0);
  else
    {
      print_inline (out, value, G_MAXSIZE, FALSE);
      g_string_append_c (out, '\n');
    }
  return g_string_free (out, FALSE);
}
