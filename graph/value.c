/* Values of documents: reference-counted trees with marks, and their typed reading.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "document.h"

/* Maps up to this size are searched one by one. */
#define SMALL_MAP 12

typedef struct
{
  char *key; /* NULL in lists */
  WeftMark key_mark;
  WeftValue *value;
} Entry;

struct _WeftValue
{
  gatomicrefcount references;
  WeftValueKind kind;
  gboolean quoted;
  gboolean unknown;
  WeftMark mark;
  char *text;
  GArray *entries;   /* of Entry: lists and maps */
  GHashTable *index; /* (nullable): key to position + 1, of large maps */
};

static void
entry_clear (gpointer data)
{
  Entry *entry = data;
  g_free (entry->key);
  weft_value_unref (entry->value);
}

static WeftValue *
value_new (WeftValueKind kind, WeftMark mark)
{
  WeftValue *value = g_new0 (WeftValue, 1);
  g_atomic_ref_count_init (&value->references);
  value->kind = kind;
  value->mark = mark;
  if (kind == WEFT_VALUE_LIST || kind == WEFT_VALUE_MAP)
    {
      value->entries = g_array_new (FALSE, FALSE, sizeof (Entry));
      g_array_set_clear_func (value->entries, entry_clear);
    }
  return value;
}

WeftValue *
weft_value_new_null (WeftMark mark)
{
  return value_new (WEFT_VALUE_NULL, mark);
}

WeftValue *
weft_value_new_scalar (const char *text, gboolean quoted, WeftMark mark)
{
  WeftValue *value = value_new (WEFT_VALUE_SCALAR, mark);
  value->text = g_strdup (text);
  value->quoted = quoted;
  return value;
}

WeftValue *
weft_value_new_unknown (const char *text, WeftMark mark)
{
  WeftValue *value = weft_value_new_scalar (text, FALSE, mark);
  value->unknown = TRUE;
  return value;
}

gboolean
weft_value_is_unknown (const WeftValue *value)
{
  return value->unknown;
}

WeftValue *
weft_value_new_list (WeftMark mark)
{
  return value_new (WEFT_VALUE_LIST, mark);
}

WeftValue *
weft_value_new_map (WeftMark mark)
{
  return value_new (WEFT_VALUE_MAP, mark);
}

WeftValue *
weft_value_ref (WeftValue *value)
{
  g_atomic_ref_count_inc (&value->references);
  return value;
}

void
weft_value_unref (WeftValue *value)
{
  if (!value || !g_atomic_ref_count_dec (&value->references))
    return;
  g_clear_pointer (&value->index, g_hash_table_unref);
  g_clear_pointer (&value->entries, g_array_unref);
  g_free (value->text);
  g_free (value);
}

WeftValueKind
weft_value_kind (const WeftValue *value)
{
  return value->kind;
}

WeftMark
weft_value_mark (const WeftValue *value)
{
  return value->mark;
}

const char *
weft_value_text (const WeftValue *value)
{
  return value->text;
}

gboolean
weft_value_is_quoted (const WeftValue *value)
{
  return value->quoted;
}

guint
weft_value_length (const WeftValue *value)
{
  return value->entries ? value->entries->len : 0;
}

static Entry *
entry_at (const WeftValue *value, guint index)
{
  g_assert (value->entries && index < value->entries->len);
  return &g_array_index (value->entries, Entry, index);
}

WeftValue *
weft_value_item (const WeftValue *value, guint index)
{
  return entry_at (value, index)->value;
}

const char *
weft_value_key (const WeftValue *map, guint index)
{
  return entry_at (map, index)->key;
}

WeftMark
weft_value_key_mark (const WeftValue *map, guint index)
{
  return entry_at (map, index)->key_mark;
}

static Entry *
find (const WeftValue *map, const char *key)
{
  if (map->kind != WEFT_VALUE_MAP)
    return NULL;
  if (map->index)
    {
      guint position = GPOINTER_TO_UINT (g_hash_table_lookup (map->index, key));
      return position ? entry_at (map, position - 1) : NULL;
    }
  for (guint i = 0; i < map->entries->len; i++)
    if (strcmp (entry_at (map, i)->key, key) == 0)
      return entry_at (map, i);
  return NULL;
}

WeftValue *
weft_value_lookup (const WeftValue *map, const char *key)
{
  Entry *entry = find (map, key);
  return entry ? entry->value : NULL;
}

WeftMark
weft_value_mark_of (const WeftValue *map, const char *key)
{
  Entry *entry = find (map, key);
  return entry ? entry->key_mark : map->mark;
}

void
weft_value_append (WeftValue *list, WeftValue *item)
{
  g_assert (list->kind == WEFT_VALUE_LIST);
  Entry entry = { NULL, { NULL, 0, 0 }, item };
  g_array_append_val (list->entries, entry);
}

static void
index_map (WeftValue *map)
{
  if (!map->index)
    map->index = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = g_hash_table_size (map->index); i < map->entries->len; i++)
    g_hash_table_insert (map->index, entry_at (map, i)->key, GUINT_TO_POINTER (i + 1));
}

void
weft_value_set (WeftValue *map, const char *key, WeftMark key_mark, WeftValue *value)
{
  g_assert (map->kind == WEFT_VALUE_MAP);
  Entry *present = find (map, key);
  if (present)
    {
      weft_value_unref (present->value);
      present->value = value;
      present->key_mark = key_mark;
      return;
    }
  Entry entry = { g_strdup (key), key_mark, value };
  g_array_append_val (map->entries, entry);
  if (map->entries->len > SMALL_MAP)
    index_map (map);
}

gboolean
weft_value_remove (WeftValue *map, const char *key)
{
  Entry *entry = find (map, key);
  if (!entry)
    return FALSE;
  g_clear_pointer (&map->index, g_hash_table_unref); /* positions move */
  g_array_remove_index (map->entries, (guint) (entry - (Entry *) (void *) map->entries->data));
  if (map->entries->len > SMALL_MAP)
    index_map (map);
  return TRUE;
}

/* Reads [+-] digits [. digits] [e [+-] digits] without underscores into @plain. */
static gboolean
read_decimal (const char *text, GString *plain, gboolean *fraction)
{
  const char *at = text;
  gboolean digits = FALSE;
  *fraction = FALSE;
  if (*at == '+' || *at == '-')
    g_string_append_c (plain, *at++);
  for (; g_ascii_isdigit (*at) || *at == '.' || (*at == '_' && digits && g_ascii_isdigit (at[1])); at++)
    {
      if (*at == '_')
        continue;
      if (*at == '.')
        {
          if (*fraction)
            return FALSE;
          *fraction = TRUE;
        }
      else
        digits = TRUE;
      g_string_append_c (plain, *at);
    }
  if (!digits)
    return FALSE;
  if (*at == 'e' || *at == 'E')
    {
      g_string_append_c (plain, *at++);
      if (*at == '+' || *at == '-')
        g_string_append_c (plain, *at++);
      if (!g_ascii_isdigit (*at))
        return FALSE;
      while (g_ascii_isdigit (*at))
        g_string_append_c (plain, *at++);
    }
  return *at == 0;
}

static gboolean
read_hexadecimal (const char *text, gint64 *result)
{
  gboolean negative = *text == '-';
  const char *digits = text + (*text == '-' || *text == '+');
  if (digits[0] != '0' || (digits[1] != 'x' && digits[1] != 'X') || !g_ascii_isxdigit (digits[2]))
    return FALSE;
  char *end = NULL;
  errno = 0;
  guint64 magnitude = g_ascii_strtoull (digits + 2, &end, 16);
  if (*end || errno || magnitude > G_MAXINT64)
    return FALSE;
  *result = negative ? -(gint64) magnitude : (gint64) magnitude;
  return TRUE;
}

static gboolean
is_plain (const WeftValue *value)
{
  return value && value->kind == WEFT_VALUE_SCALAR && !value->quoted;
}

gboolean
weft_value_get_number (const WeftValue *value, double *result)
{
  gint64 integer;
  if (!is_plain (value))
    return FALSE;
  if (read_hexadecimal (value->text, &integer))
    {
      *result = (double) integer;
      return TRUE;
    }
  g_autoptr (GString) plain = g_string_new (NULL);
  gboolean fraction;
  if (!read_decimal (value->text, plain, &fraction))
    return FALSE;
  double number = g_ascii_strtod (plain->str, NULL);
  if (!isfinite (number))
    return FALSE;
  *result = number;
  return TRUE;
}

gboolean
weft_value_get_integer (const WeftValue *value, gint64 *result)
{
  if (!is_plain (value))
    return FALSE;
  if (read_hexadecimal (value->text, result))
    return TRUE;
  g_autoptr (GString) plain = g_string_new (NULL);
  gboolean fraction;
  if (!read_decimal (value->text, plain, &fraction))
    return FALSE;
  if (!strpbrk (plain->str, "eE"))
    {
      errno = 0;
      gint64 integer = fraction ? 0 : g_ascii_strtoll (plain->str, NULL, 10);
      if (fraction || errno)
        return FALSE;
      *result = integer;
      return TRUE;
    }
  /* 1e4 and 1.5e3 are exact in a double up to 2^53. */
  double number = g_ascii_strtod (plain->str, NULL);
  if (!(fabs (number) <= 0x1p53) || number != floor (number))
    return FALSE;
  *result = (gint64) number;
  return TRUE;
}

gboolean
weft_value_get_boolean (const WeftValue *value, gboolean *result)
{
  static const char *const words[] = { "true", "yes", "on", "false", "no", "off" };
  if (!is_plain (value))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_ascii_strcasecmp (value->text, words[i]) == 0)
      {
        *result = i < 3;
        return TRUE;
      }
  return FALSE;
}

/* Keys may hold dots themselves (`scale: {text.bert: 0.1}`), so every way to cut the path is tried, short keys first. */
WeftValue *
weft_value_at (const WeftValue *root, const char *path)
{
  for (const char *dot = strchr (path, '.'); dot; dot = strchr (dot + 1, '.'))
    {
      g_autofree char *key = g_strndup (path, (gsize) (dot - path));
      WeftValue *child = weft_value_lookup (root, key);
      WeftValue *found = child ? weft_value_at (child, dot + 1) : NULL;
      if (found)
        return found;
    }
  return weft_value_lookup (root, path);
}
