/* Later wins: how documents are laid over one another.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "compose-private.h"

gboolean
weft_compose_is_map (const WeftValue *value)
{
  return value && weft_value_kind (value) == WEFT_VALUE_MAP;
}

/* A map that is added to stays where it was written; only what is added or replaced is elsewhere. */
static WeftValue *
merge (WeftValue *base, WeftValue *over, const char *path, GHashTable *removed)
{
  if (!weft_compose_is_map (base) || !weft_compose_is_map (over))
    return weft_value_ref (over);
  WeftValue *merged = weft_value_new_map (weft_value_mark (base));
  for (guint i = 0; i < weft_value_length (base); i++)
    weft_value_set (merged, weft_value_key (base, i), weft_value_key_mark (base, i), weft_value_ref (weft_value_item (base, i)));
  for (guint i = 0; i < weft_value_length (over); i++)
    {
      const char *key = weft_value_key (over, i);
      WeftMark mark = weft_value_key_mark (over, i);
      WeftValue *value = weft_value_item (over, i), *before = weft_value_lookup (merged, key);
      g_autofree char *inner = g_strconcat (path, ".", key, NULL);
      if (weft_value_kind (value) != WEFT_VALUE_NULL)
        weft_value_set (merged, key, weft_compose_is_map (before) && weft_compose_is_map (value) ? weft_value_mark_of (base, key) : mark,
                        merge (before, value, inner, removed));
      else if (before && weft_value_kind (before) != WEFT_VALUE_NULL)
        {
          weft_value_remove (merged, key);
          if (removed)
            g_hash_table_add (removed, g_steal_pointer (&inner));
        }
      else if (!removed || !g_hash_table_contains (removed, inner))
        weft_value_set (merged, key, mark, weft_value_ref (value)); /* whether that says anything is checked in the end */
    }
  return merged;
}

WeftValue *
weft_value_merge (WeftValue *base, WeftValue *over)
{
  return merge (base, over, "", NULL);
}

/* Edits are steps: those of @over come after those of @base. */
static void
append_edits (WeftValue *merged, const WeftValue *base, const WeftValue *over)
{
  const WeftValue *first = weft_value_lookup (base, "edits"), *second = weft_value_lookup (over, "edits");
  if (!first || !second || weft_value_kind (first) != WEFT_VALUE_LIST || weft_value_kind (second) != WEFT_VALUE_LIST)
    return;
  WeftValue *all = weft_value_new_list (weft_value_mark (first));
  for (guint i = 0; i < weft_value_length (first); i++)
    weft_value_append (all, weft_value_ref (weft_value_item (first, i)));
  for (guint i = 0; i < weft_value_length (second); i++)
    weft_value_append (all, weft_value_ref (weft_value_item (second, i)));
  weft_value_set (merged, "edits", weft_value_mark (first), all);
}

WeftValue *
weft_compose_merge (WeftComposer *self, WeftValue *base, WeftValue *over)
{
  WeftValue *merged = base && over ? merge (base, over, "", self->removed) : weft_value_ref (base ? base : over);
  if (base && over)
    append_edits (merged, base, over);
  g_clear_pointer (&base, weft_value_unref);
  g_clear_pointer (&over, weft_value_unref);
  return merged;
}

void
weft_compose_note_layer (const WeftComposer *self, WeftValue *layer)
{
  if (self->layers && layer)
    g_ptr_array_add (self->layers, weft_value_merge (layer, layer));
}
