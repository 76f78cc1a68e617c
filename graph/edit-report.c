/* What is said when the path of an edit means nothing.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "edit-private.h"

/* The first known address that elements [0, @n) of the pattern mean. */
static const char *
find_known (const WeftEdits *edits, const WeftEdit *edit, guint n)
{
  for (guint i = 0; i < edits->order->len; i++)
    if (weft_edit_pattern_matches (edit->pattern, n, edits->order->pdata[i]))
      return edits->order->pdata[i];
  return NULL;
}

/* Names that follow @prefix ("" for the first) among known addresses; with the graphs, whose names are no addresses. */
static GPtrArray *
names_below (const WeftEdits *edits, const char *prefix)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  gsize length = strlen (prefix);
  for (guint i = 0; i < edits->order->len; i++)
    {
      const char *address = edits->order->pdata[i];
      if (length && (!g_str_has_prefix (address, prefix) || address[length] != '.'))
        continue;
      const char *rest = address + (length ? length + 1 : 0);
      g_autofree char *name = g_strndup (rest, strcspn (rest, "."));
      if (!g_ptr_array_find_with_equal_func (names, name, g_str_equal, NULL))
        g_ptr_array_add (names, g_steal_pointer (&name));
    }
  g_ptr_array_add (names, NULL);
  return names;
}

/* Says which element of a path without globs is wrong, and what there is. */
static void
report_path (WeftEdits *edits, const WeftEdit *edit, guint n)
{
  g_autoptr (GString) prefix = g_string_new (NULL);
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GPtrArray) names = names_below (edits, prefix->str);
      if (strpbrk (edit->pattern[i], "*?"))
        break;
      if (!g_strv_contains ((const char *const *) names->pdata, edit->pattern[i]))
        {
          g_autofree char *hint = weft_suggestion (edit->pattern[i], (const char *const *) names->pdata);
          if (i == 0)
            weft_problems_add (edits->problems, edit->mark, "there is no network or graph \"%s\"%s", edit->pattern[i], hint);
          else if (names->len == 1)
            weft_problems_add (edits->problems, edit->mark, "there is nothing in `%s` to edit", prefix->str);
          else
            weft_problems_add (edits->problems, edit->mark, "there is no \"%s\" in `%s`%s", edit->pattern[i], prefix->str, hint);
          return;
        }
      g_string_append_printf (prefix, "%s%s", prefix->len ? "." : "", edit->pattern[i]);
    }
  if (weft_edit_has_glob (edit))
    weft_problems_add (edits->problems, edit->mark, "\"%s\" matches nothing%s%s%s", edit->text, prefix->len ? " in `" : "", prefix->str,
                       prefix->len ? "`" : "");
  else
    weft_problems_add (edits->problems, edit->mark, "there is nothing at \"%s\" that `%s:` could change", edit->text,
                       weft_edit_verbs[edit->verb]);
}

/* `set` and `rewire`: the node is there, but not what the last element names. */
static gboolean
report_key (WeftEdits *edits, const WeftEdit *edit)
{
  guint length = g_strv_length (edit->pattern);
  gboolean set = edit->verb == WEFT_EDIT_SET;
  for (guint n = length - 1; n >= 1; n--)
    {
      const char *address = find_known (edits, edit, n), *key = edit->pattern[n];
      /* What a glob meets on its way says nothing of what its last elements were to find. */
      if (!address || strpbrk (key, "*?") || (weft_edit_has_glob (edit) && n + 1 < length))
        continue;
      g_autoptr (GPtrArray) below = names_below (edits, address);
      if (weft_edit_has_glob (edit))
        {
          weft_problems_add (edits->problems, edit->mark, "nothing that \"%s\" matches has %s \"%s\"", edit->text,
                             set ? "an attribute" : "an input", key);
          return TRUE;
        }
      if (n + 1 < length && below->len > 1 && !g_strv_contains ((const char *const *) below->pdata, key))
        return FALSE;
      const WeftKnown *known = g_hash_table_lookup (edits->known, address);
      const char *const *right = (const char *const *) (set ? known->attributes : known->inputs)->pdata;
      const char *const *wrong = (const char *const *) (set ? known->inputs : known->attributes)->pdata;
      g_autofree char *hint = weft_suggestion (key, right);
      if (g_strv_contains (wrong, key))
        weft_problems_add (edits->problems, edit->mark, "\"%s\" is an %s of `%s`; `%s:` changes %s", key, set ? "input" : "attribute",
                           address, set ? "rewire" : "set", set ? "inputs" : "attributes");
      else
        weft_problems_add (edits->problems, edit->mark, "`%s` (%s) has no %s \"%s\"%s", address, known->what ? known->what : "a graph",
                           set ? "attribute" : "input", key, hint);
      return TRUE;
    }
  return FALSE;
}

/* What an earlier edit took away. */
static gboolean
report_removed (WeftEdits *edits, const WeftEdit *edit)
{
  for (guint n = g_strv_length (edit->pattern); n >= 1; n--)
    {
      const char *address = find_known (edits, edit, n);
      const WeftKnown *known = address ? g_hash_table_lookup (edits->known, address) : NULL;
      if (!known || !known->removed.line)
        continue;
      weft_problems_add (edits->problems, edit->mark, "`%s` has been removed at %s:%u", address, known->removed.file, known->removed.line);
      return TRUE;
    }
  return FALSE;
}

/* Whether a node at @address or below it has parameters. */
static gboolean
owns_parameters (const WeftPipeline *pipeline, const char *address)
{
  gsize length = strlen (address);
  for (guint g = 0; g < pipeline->graphs->len; g++)
    {
      const WeftGraph *graph = pipeline->graphs->pdata[g];
      for (guint i = 0; i < graph->nodes->len; i++)
        {
          const WeftNode *node = graph->nodes->pdata[i];
          const char *path = node->store_path;
          if (path && g_str_has_prefix (path, address) && (!path[length] || path[length] == '.') && node->op->parameters
              && node->op->parameters[0].name)
            return TRUE;
        }
    }
  return FALSE;
}

static void
report_frozen (WeftEdits *edits, const WeftEdit *edit)
{
  for (guint i = 0; edit->frozen && i < edit->frozen->len; i++)
    if (owns_parameters (edits->pipeline, edit->frozen->pdata[i]))
      return;
  if (edit->frozen)
    weft_problems_add (edits->problems, edit->mark, "`%s` has no parameters that could be frozen", (char *) edit->frozen->pdata[0]);
}

void
weft_edits_finish (WeftEdits *edits)
{
  for (guint i = 0; edits && i < edits->edits->len; i++)
    {
      const WeftEdit *edit = edits->edits->pdata[i];
      guint n = g_strv_length (edit->pattern);
      report_frozen (edits, edit);
      if (edit->matched || (edits->partial && weft_edit_has_glob (edit)))
        continue;
      if (report_removed (edits, edit))
        continue;
      if (edit->verb == WEFT_EDIT_INSERT)
        report_path (edits, edit, n - 1);
      else if ((edit->verb != WEFT_EDIT_SET && edit->verb != WEFT_EDIT_REWIRE) || !report_key (edits, edit))
        report_path (edits, edit, edit->verb == WEFT_EDIT_SET || edit->verb == WEFT_EDIT_REWIRE ? n - 1 : n);
    }
}

char *
weft_edits_within (WeftEdits *edits, const WeftScope *scope, const char *name)
{
  for (guint e = 0; edits && e < edits->edits->len; e++)
    {
      const WeftEdit *edit = edits->edits->pdata[e];
      for (guint n = 1; n < g_strv_length (edit->pattern); n++)
        if (strcmp (edit->pattern[n - 1], "**") != 0 && weft_edit_matches (edit, n, scope, name))
          return g_strdup_printf ("%s:%u", edit->mark.file, edit->mark.line);
    }
  return NULL;
}
