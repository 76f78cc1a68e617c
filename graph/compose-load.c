/* Files of pipelines with what they include.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "compose-private.h"

#include <string.h>

#include "variables.h"

#define MOST_INCLUDES 64

static WeftValue *
load_include (WeftComposer *self, WeftValue *item, const char *from)
{
  WeftMark mark = weft_value_mark (item);
  if (weft_value_kind (item) != WEFT_VALUE_SCALAR)
    {
      weft_problems_add (self->problems, mark, "`include:` takes a file or a list of files");
      return NULL;
    }
  g_autoptr (WeftValue) name = weft_variables_replace (item, NULL, self->problems);
  if (strchr (weft_value_text (name), '$'))
    return NULL;
  g_autofree char *path = weft_includes_find (&self->includes, weft_value_text (name), from, mark, self->problems);
  return path ? weft_compose_load (self, path, mark) : NULL;
}

static WeftValue *
load_includes (WeftComposer *self, WeftValue *include, const char *from)
{
  WeftValue *base = NULL;
  gboolean list = weft_value_kind (include) == WEFT_VALUE_LIST;
  for (guint i = 0; i < (list ? weft_value_length (include) : 1); i++)
    {
      WeftValue *part = load_include (self, list ? weft_value_item (include, i) : include, from);
      if (part)
        base = weft_compose_merge (self, base, part);
    }
  return base;
}

static gboolean
may_open (WeftComposer *self, const char *real, const char *path, WeftMark mark)
{
  for (guint i = 0; i < self->open->len; i++)
    if (strcmp (self->open->pdata[i], real) == 0)
      {
        g_autoptr (GString) way = g_string_new (NULL);
        for (guint k = i; k < self->open->len; k++)
          {
            g_autofree char *base = g_path_get_basename (self->open->pdata[k]);
            g_string_append_printf (way, "%s → ", base);
          }
        g_autofree char *last = g_path_get_basename (real);
        weft_problems_add (self->problems, mark, "%s includes itself: %s%s", path, way->str, last);
        return FALSE;
      }
  if (self->open->len < MOST_INCLUDES)
    return TRUE;
  weft_problems_add (self->problems, mark, "includes are nested more than %d deep", MOST_INCLUDES);
  return FALSE;
}

WeftValue *
weft_compose_load (WeftComposer *self, const char *path, WeftMark mark)
{
  g_autofree char *real = strcmp (path, "-") == 0 ? g_strdup (path) : g_canonicalize_filename (path, NULL);
  if (!may_open (self, real, path, mark) || (mark.line && g_hash_table_contains (self->done, real)))
    return NULL;
  if (!mark.line)
    weft_includes_allow (&self->includes, path);
  WeftValue *document = weft_document_load (path, self->problems);
  if (!document)
    return NULL;
  if (weft_value_kind (document) != WEFT_VALUE_MAP)
    {
      gboolean empty = weft_value_kind (document) == WEFT_VALUE_NULL;
      weft_problems_add (self->problems, weft_value_mark (document), "%s a map with sections such as `graphs:`",
                         empty ? "this file is empty; expected" : "expected");
      weft_value_unref (document);
      return NULL;
    }
  g_hash_table_add (self->done, g_strdup (real));
  g_autoptr (WeftValue) include = weft_value_lookup (document, "include");
  if (!include)
    {
      weft_compose_note_layer (self, document);
      return document;
    }
  weft_value_ref (include);
  weft_value_remove (document, "include");
  g_ptr_array_add (self->open, real);
  WeftValue *base = load_includes (self, include, path);
  g_ptr_array_set_size (self->open, (int) self->open->len - 1);
  weft_compose_note_layer (self, document);
  return weft_compose_merge (self, base, document);
}
