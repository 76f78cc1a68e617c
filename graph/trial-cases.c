/* What operators are tried on: the author's example and cases, and the same at edge shapes.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "trial-private.h"

void
weft_trial_case_free (WeftTrialCase *self)
{
  g_free (self->nodes);
  g_free (self->name);
  g_free (self);
}

static WeftValue *
parse (const char *nodes)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  WeftValue *map = weft_document_parse (nodes, -1, "example", problems);

  if (map && weft_value_kind (map) != WEFT_VALUE_MAP)
    g_clear_pointer (&map, weft_value_unref);
  return map;
}

static const char *
text_at (const WeftValue *map, const char *key)
{
  const WeftValue *value = weft_value_kind (map) == WEFT_VALUE_MAP ? weft_value_lookup (map, key) : NULL;

  return value && weft_value_kind (value) == WEFT_VALUE_SCALAR ? weft_value_text (value) : NULL;
}

static gboolean
is_feed (const WeftValue *node)
{
  return g_strcmp0 (text_at (node, "op"), "feed") == 0 && text_at (node, "signature");
}

static void
set_text (WeftValue *map, const char *key, const char *text, gboolean quoted)
{
  WeftMark mark = weft_value_mark (weft_value_lookup (map, key));

  weft_value_set (map, key, mark, weft_value_new_scalar (text, quoted, mark));
}

/* Old widths in the order in which they are met; the k-th becomes width + 2 k, so that different ones stay different. */
typedef struct
{
  GArray *old;
  gint64 width, bound;
  guint bounds;
} Widths;

static gint64
new_width (Widths *self, gint64 old)
{
  guint i;

  for (i = 0; i < self->old->len; i++)
    if (g_array_index (self->old, gint64, i) == old)
      break;
  if (i == self->old->len)
    g_array_append_val (self->old, old);
  return self->width == 1 ? 1 : self->width + 2 * (gint64) i;
}

static gboolean
replace_width (const GMatchInfo *match, GString *result, gpointer data)
{
  g_autofree char *before = g_match_info_fetch (match, 1), *number = g_match_info_fetch (match, 2);
  Widths *self = data;

  g_string_append_printf (result, "%s%" G_GINT64_FORMAT, before, new_width (self, g_ascii_strtoll (number, NULL, 10)));
  return FALSE;
}

/* Rows of samples get room for several each. */
static gboolean
replace_bound (const GMatchInfo *match, GString *result, gpointer data)
{
  Widths *self = data;

  (void) match;
  g_string_append_printf (result, "<=%" G_GINT64_FORMAT, self->bound * (self->bounds++ ? 24 : 1));
  return FALSE;
}

static char *
resize_signature (const char *signature, Widths *widths)
{
  static GRegex *width, *bound;
  g_autofree char *resized = NULL;

  if (!width)
    {
      width = g_regex_new ("([\\[,]\\s*)(\\d+)(?=\\s*[,\\]])", 0, 0, NULL);
      bound = g_regex_new ("<=\\s*\\d+", 0, 0, NULL);
    }
  resized = g_regex_replace_eval (width, signature, -1, 0, 0, replace_width, widths, NULL);
  return widths->bound ? g_regex_replace_eval (bound, resized, -1, 0, 0, replace_bound, widths, NULL) : g_steal_pointer (&resized);
}

static void
resize_attributes (WeftValue *node, Widths *widths)
{
  for (guint i = 0; i < weft_value_length (node); i++)
    {
      gint64 number;
      gboolean known = FALSE;
      if (!weft_value_get_integer (weft_value_item (node, i), &number))
        continue;
      for (guint k = 0; k < widths->old->len; k++)
        known |= g_array_index (widths->old, gint64, k) == number;
      if (!known)
        continue;
      g_autofree char *text = g_strdup_printf ("%" G_GINT64_FORMAT, new_width (widths, number));
      g_autofree char *key = g_strdup (weft_value_key (node, i));
      set_text (node, key, text, FALSE);
    }
}

char *
weft_trial_resized (const char *nodes, gint64 width, gint64 bound)
{
  g_autoptr (WeftValue) map = parse (nodes);
  g_autoptr (GArray) old = g_array_new (FALSE, FALSE, sizeof (gint64));
  Widths widths = { .old = old, .width = width, .bound = bound };

  for (guint i = 0; map && i < weft_value_length (map); i++)
    if (is_feed (weft_value_item (map, i)))
      {
        g_autofree char *signature = resize_signature (text_at (weft_value_item (map, i), "signature"), &widths);
        set_text (weft_value_item (map, i), "signature", signature, TRUE);
      }
  if (!old->len && !widths.bounds)
    return NULL;
  for (guint i = 0; i < weft_value_length (map); i++)
    if (!is_feed (weft_value_item (map, i)))
      resize_attributes (weft_value_item (map, i), &widths);
  return weft_document_print (map);
}

char *
weft_trial_through_copies (const char *nodes)
{
  g_autoptr (WeftValue) map = parse (nodes);
  g_autoptr (WeftValue) copied = weft_value_new_map ((WeftMark){ 0 });
  WeftMark none = { 0 };
  guint copies = 0;

  for (guint i = 0; map && i < weft_value_length (map); i++)
    {
      WeftValue *node = weft_value_item (map, i);
      const char *name = weft_value_key (map, i);
      if (!is_feed (node) || !g_str_has_prefix (text_at (node, "signature"), "f32"))
        {
          weft_value_set (copied, name, none, weft_value_ref (node));
          continue;
        }
      g_autofree char *fed = g_strconcat (name, "_fed", NULL);
      WeftValue *copy = weft_value_new_map (none);
      weft_value_set (copy, "op", none, weft_value_new_scalar ("scale", FALSE, none));
      weft_value_set (copy, "x", none, weft_value_new_scalar (fed, FALSE, none));
      weft_value_set (copy, "factor", none, weft_value_new_scalar ("1", FALSE, none));
      weft_value_set (copied, fed, none, weft_value_ref (node));
      weft_value_set (copied, name, none, copy);
      copies++;
    }
  return copies ? weft_document_print (copied) : NULL;
}

GStrv
weft_trial_wanting (const char *nodes)
{
  g_autoptr (WeftValue) map = parse (nodes);
  GStrvBuilder *names = g_strv_builder_new ();
  GStrv all;

  for (guint i = 0; map && i < weft_value_length (map); i++)
    if (is_feed (weft_value_item (map, i)) && g_strcmp0 (text_at (weft_value_item (map, i), "gradient"), "true") == 0)
      g_strv_builder_add (names, weft_value_key (map, i));
  all = g_strv_builder_end (names);
  g_strv_builder_unref (names);
  return all;
}

char *
weft_trial_with_gradient (const char *nodes, const char *feed)
{
  g_autoptr (WeftValue) map = parse (nodes);

  for (guint i = 0; map && i < weft_value_length (map); i++)
    if (text_at (weft_value_item (map, i), "gradient") && g_strcmp0 (weft_value_key (map, i), feed) != 0)
      set_text (weft_value_item (map, i), "gradient", "false", FALSE);
  return map ? weft_document_print (map) : NULL;
}

char *
weft_trial_with_operator (const char *nodes, const char *from, const char *to)
{
  g_autoptr (WeftValue) map = parse (nodes);

  for (guint i = 0; map && i < weft_value_length (map); i++)
    if (g_strcmp0 (text_at (weft_value_item (map, i), "op"), from) == 0)
      set_text (weft_value_item (map, i), "op", to, TRUE);
  return map ? weft_document_print (map) : NULL;
}

char *
weft_trial_node (const char *nodes, const WeftOperator *op)
{
  g_autoptr (WeftValue) map = parse (nodes);
  const char *name = NULL;

  for (guint i = 0; map && i < weft_value_length (map); i++)
    if (g_strcmp0 (text_at (weft_value_item (map, i), "op"), op->name) == 0)
      name = weft_value_key (map, i);
  return g_strdup (name);
}

static void
add (GPtrArray *cases, char *nodes, char *name, WeftTrialSize size, gboolean given)
{
  WeftTrialCase *self;

  if (!nodes)
    {
      g_free (name);
      return;
    }
  self = g_new0 (WeftTrialCase, 1);
  *self = (WeftTrialCase){ nodes, name, size, given };
  g_ptr_array_add (cases, self);
}

/* 7 and 17: odd, and not a multiple of any vector's length. */
static void
add_shapes (GPtrArray *cases, const char *nodes, const char *name)
{
  static const gint64 widths[] = { 1, 7, 17 };

  add (cases, g_strdup (nodes), g_strdup (name), WEFT_TRIAL_FULL, TRUE);
  if (strstr (nodes, "<="))
    {
      add (cases, g_strdup (nodes), g_strdup_printf ("%s, one row", name), WEFT_TRIAL_ONE, FALSE);
      add (cases, g_strdup (nodes), g_strdup_printf ("%s, no rows", name), WEFT_TRIAL_EMPTY, FALSE);
    }
  for (guint i = 0; i < G_N_ELEMENTS (widths); i++)
    add (cases, weft_trial_resized (nodes, widths[i], 0), g_strdup_printf ("%s, widths from %" G_GINT64_FORMAT, name, widths[i]),
         WEFT_TRIAL_FULL, FALSE);
}

GPtrArray *
weft_trial_cases (const WeftOperator *op)
{
  GPtrArray *cases = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_trial_case_free);

  if (op->example)
    add_shapes (cases, op->example, "example");
  for (guint i = 0; op->cases && op->cases[i]; i++)
    {
      g_autofree char *name = g_strdup_printf ("case %u", i + 1);
      add_shapes (cases, op->cases[i], name);
    }
  return cases;
}
