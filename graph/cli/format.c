/* weft format: pipelines as they are usually laid out.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "snapshot.h"

#define DEEPEST 64

/* The state between lines. @indents: of the blocks that are open, as written. */
typedef struct
{
  guint indents[DEEPEST], depth;
  guint flow;       /* brackets that are open */
  char quote;       /* the quote that is open, 0: none */
  gboolean literal; /* in a block scalar */
  guint literal_indent;
  int shift; /* by how much the last line that opened a bracket or quote was moved */
} Layout;

static guint
indent_of (const char *line)
{
  return (guint) strspn (line, " ");
}

/* Follows brackets and quotes through @line; spaces just inside brackets, and more than one after a comma, are left out. */
static void
append_line (GString *out, const char *line, Layout *layout)
{
  gboolean comment = FALSE;
  for (const char *c = line; *c; c++)
    {
      if (comment || layout->quote)
        {
          if (layout->quote == '"' && *c == '\\' && c[1])
            g_string_append_c (out, *c++);
          else if (!comment && *c == layout->quote)
            layout->quote = 0;
          g_string_append_c (out, *c);
          continue;
        }
      comment = *c == '#' && (c == line || c[-1] == ' ');
      gboolean starts = c == line || strchr (" [{,:-", c[-1]);
      if ((*c == '"' || *c == '\'') && starts)
        layout->quote = *c;
      if ((*c == '[' || *c == '{') && (layout->flow || starts))
        layout->flow++;
      if ((*c == ']' || *c == '}') && layout->flow)
        {
          while (out->len && out->str[out->len - 1] == ' ' && c > line && strspn (line, " ") < (gsize) (c - line))
            g_string_truncate (out, out->len - 1);
          layout->flow--;
        }
      while (layout->flow && *c == ',' && out->len && out->str[out->len - 1] == ' ')
        g_string_truncate (out, out->len - 1);
      g_string_append_c (out, *c);
      if (layout->flow && *c == ',' && c[1] && c[1] != ' ')
        g_string_append_c (out, ' ');
      if (layout->flow && (*c == '[' || *c == '{' || *c == ','))
        {
          gsize spaces = strspn (c + 1, " ");
          if (c[1 + spaces] && c[1 + spaces] != '#' && spaces > (*c == ',' ? 1u : 0u))
            c += spaces - (*c == ',');
        }
    }
  while (out->len && out->str[out->len - 1] == ' ')
    g_string_truncate (out, out->len - 1);
}

/* Two spaces for each block that is open. */
static guint
new_indent (Layout *layout, guint indent)
{
  while (layout->depth && layout->indents[layout->depth - 1] > indent)
    layout->depth--;
  if ((!layout->depth || layout->indents[layout->depth - 1] < indent) && layout->depth < DEEPEST)
    layout->indents[layout->depth++] = indent;
  return 2 * (layout->depth - 1);
}

static gboolean
opens_literal (const char *line)
{
  g_autofree char *text = g_strchomp (g_strdup (line));
  gsize length = strlen (text);
  while (length && (text[length - 1] == '-' || text[length - 1] == '+'))
    length--;
  return length > 1 && (text[length - 1] == '|' || text[length - 1] == '>') && text[length - 2] == ' ';
}

static char *
format_text (const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (GString) out = g_string_new (NULL);
  Layout layout = { 0 };
  guint blank = 0;
  for (char **line = lines; *line; line++)
    {
      guint indent = indent_of (*line);
      g_autofree char *rest = g_strchomp (g_strdup (*line + indent));
      if (layout.literal && *rest && indent <= layout.literal_indent)
        layout.literal = FALSE;
      if (!*rest)
        {
          blank++;
          continue;
        }
      if (out->len && blank)
        for (guint i = 0; i < (layout.literal ? blank : 1); i++)
          g_string_append_c (out, '\n');
      blank = 0;
      g_autoptr (GString) done = g_string_new (NULL);
      gboolean inside = layout.literal || layout.flow || layout.quote;
      guint before = layout.flow;
      if (layout.literal)
        g_string_append (done, rest);
      else
        append_line (done, rest, &layout);
      guint moved = inside ? (guint) MAX ((int) indent + layout.shift, 0) : *rest == '#' ? indent : new_indent (&layout, indent);
      if (*rest == '#' && !inside)
        { /* a comment belongs to what follows it */
          char **next = line + 1;
          while (*next && (!(*next)[strspn (*next, " \t\r")] || (*next)[indent_of (*next)] == '#'))
            next++;
          Layout ahead = layout;
          moved = *next ? new_indent (&ahead, indent_of (*next)) : indent;
        }
      if (!inside)
        layout.shift = (int) moved - (int) indent;
      if (!inside && !before && !layout.flow && opens_literal (rest))
        {
          layout.literal = TRUE;
          layout.literal_indent = indent;
        }
      g_string_append_printf (out, "%*s%s\n", (int) moved, "", done->str);
    }
  return g_string_free (g_steal_pointer (&out), FALSE);
}

/* Whether both mean the same; a formatter that changes a meaning must not write. */
static gboolean
means_the_same (const char *before, const char *after, const char *path)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autoptr (WeftValue) a = weft_document_parse (before, -1, path, problems);
  g_autoptr (WeftValue) b = weft_document_parse (after, -1, path, problems);
  g_autofree char *difference = a && b ? weft_snapshot_difference (a, b) : g_strdup ("");
  return difference == NULL;
}

static int
format_file (const char *path, gboolean check, gboolean quiet)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autofree char *text = NULL;
  g_autoptr (WeftValue) document = weft_document_load (path, problems);
  if (!weft_problems_to_error (problems, &error) || !document || !g_file_get_contents (path, &text, NULL, &error))
    {
      fprintf (stderr, "%s\n", error ? error->message : path);
      return WEFT_EXIT_INPUT;
    }
  g_autofree char *formatted = format_text (text);
  if (strcmp (text, formatted) == 0)
    return 0;
  if (!means_the_same (text, formatted, path))
    {
      fprintf (stderr, "%s: can't be laid out without changing what it means; left as it is\n", path);
      return WEFT_EXIT_INPUT;
    }
  if (check)
    {
      printf ("%s\n", path);
      return WEFT_EXIT_INPUT;
    }
  if (!g_file_set_contents (path, formatted, -1, &error))
    {
      fprintf (stderr, "%s\n", error->message);
      return WEFT_EXIT_INPUT;
    }
  if (!quiet)
    printf ("%s: laid out anew\n", path);
  return 0;
}

int
weft_cli_format (int argc, char **argv)
{
  WeftCommonOptions common;
  gboolean check = FALSE;
  const GOptionEntry own[] = { { "check", 0, 0, G_OPTION_ARG_NONE, &check,
                                 "Change nothing; name the files that would be, and fail if there are any", NULL },
                               { NULL, 0, 0, 0, NULL, NULL, NULL } };
  int status = 0;
  if (!weft_cli_parse (&argc, &argv, "FILE…",
                       "Lays pipelines out: two spaces a level, no spaces inside brackets or at ends of lines, one blank line at most. "
                       "Comments and the order of everything stay.\n\nExample:\n  weft format mine.yaml modules/*.yaml",
                       own, &common, &status))
    return status;
  if (argc < 2)
    status = weft_cli_usage ("weft format: expected files, such as mine.yaml");
  for (int i = 1; i < argc; i++)
    {
      int one = format_file (argv[i], check, common.quiet);
      status = MAX (status, one);
    }
  weft_cli_options_clear (&common);
  return status;
}
