/* weft config: a pipeline as one document.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "open.h"

#define NOTE_COLUMN 72

static gboolean
is_plain_list (const WeftValue *value)
{
  for (guint i = 0; i < weft_value_length (value); i++)
    if (weft_value_kind (weft_value_item (value, i)) >= WEFT_VALUE_LIST)
      return FALSE;
  return TRUE;
}

static void
append_note (GString *out, gsize start, WeftMark mark)
{
  glong width = g_utf8_strlen (out->str + start, (gssize) (out->len - start));
  g_string_append_printf (out, "%*s# %s", (int) MAX (NOTE_COLUMN - width, 2), "", mark.file ? mark.file : "?");
  if (mark.line)
    g_string_append_printf (out, ":%u", mark.line);
  g_string_append_c (out, '\n');
}

static void
append_scalar (GString *out, const WeftValue *value)
{
  g_autofree char *text = weft_value_kind (value) == WEFT_VALUE_NULL ? g_strdup ("null") : g_strchomp (weft_document_print (value));
  g_string_append (out, text);
}

static void
append_list (GString *out, const WeftValue *list)
{
  g_string_append_c (out, '[');
  for (guint i = 0; i < weft_value_length (list); i++)
    {
      g_string_append (out, i ? ", " : "");
      append_scalar (out, weft_value_item (list, i));
    }
  g_string_append_c (out, ']');
}

static void append_items (GString *out, const WeftValue *value, guint depth);

static void
append_item (GString *out, const char *key, WeftMark key_mark, const WeftValue *value, guint depth)
{
  gsize start = out->len;
  gboolean inside = weft_value_length (value) > 0 && !(weft_value_kind (value) == WEFT_VALUE_LIST && is_plain_list (value));
  g_autoptr (WeftValue) name = key ? weft_value_new_scalar (key, FALSE, key_mark) : NULL;
  g_string_append_printf (out, "%*s", (int) (2 * depth), "");
  if (name)
    append_scalar (out, name);
  g_string_append (out, key ? ":" : "-");
  if (inside)
    {
      append_note (out, start, key_mark);
      append_items (out, value, depth + 1);
      return;
    }
  g_string_append_c (out, ' ');
  if (weft_value_kind (value) == WEFT_VALUE_MAP)
    g_string_append (out, "{}");
  else if (weft_value_kind (value) == WEFT_VALUE_LIST)
    append_list (out, value);
  else
    append_scalar (out, value);
  append_note (out, start, weft_value_mark (value));
}

static void
append_items (GString *out, const WeftValue *value, guint depth)
{
  for (guint i = 0; i < weft_value_length (value); i++)
    if (weft_value_kind (value) == WEFT_VALUE_MAP)
      append_item (out, weft_value_key (value, i), weft_value_key_mark (value, i), weft_value_item (value, i), depth);
    else
      append_item (out, NULL, weft_value_mark (weft_value_item (value, i)), weft_value_item (value, i), depth);
}

int
weft_cli_config (int argc, char **argv)
{
  WeftCommonOptions common;
  gboolean resolved = FALSE;
  const GOptionEntry own[] = { { "resolved", 'r', 0, G_OPTION_ARG_NONE, &resolved,
                                 "Write behind each value in which file and line it stands", NULL },
                               { NULL, 0, 0, 0, NULL, NULL, NULL } };
  int status = 0;
  if (!weft_cli_parse (&argc, &argv, "PIPELINE|RUN",
                       "Shows a pipeline as one document: includes, overlays and settings merged, variables replaced.\n\nExamples:\n"
                       "  weft config user-f30k --resolved | less\n  weft config scenes -o no-queue --set batch=32",
                       own, &common, &status))
    return status;
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autoptr (GError) error = NULL;
  if (argc != 2)
    status = weft_cli_usage ("weft config: expected one pipeline, such as pipelines/scenes.yaml");
  else
    {
      g_autofree char *file = weft_pipeline_file (argv[1]);
      g_auto (GStrv) settings = weft_cli_settings (&common);
      WeftComposition composition = { .path = file,
                                      .overlays = (const char *const *) common.overlays,
                                      .settings = (const char *const *) settings,
                                      .search = weft_pipeline_search () };
      g_autoptr (WeftValue) document = weft_compose (&composition, problems);
      g_autoptr (GString) out = g_string_new (NULL);
      g_autofree char *plain = document && !resolved ? weft_document_print (document) : NULL;
      if (document && resolved)
        append_items (out, document, 0);
      if (document)
        fputs (plain ? plain : out->str, stdout);
    }
  if (!weft_problems_to_error (problems, &error))
    {
      fprintf (stderr, "%s\n", error->message);
      status = WEFT_EXIT_INPUT;
    }
  weft_cli_options_clear (&common);
  return status;
}
