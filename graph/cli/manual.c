/* Manual pages and lists of options, from the tables that options are read by.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "manual.h"

#include <stdio.h>
#include <string.h>

/* Text as roff takes it literally. */
static void
print_text (const char *text)
{
  gboolean start = TRUE;

  for (const char *c = text; *c; c++)
    {
      if (start && (*c == '.' || *c == '\''))
        fputs ("\\&", stdout);
      start = *c == '\n';
      if (*c == '\\')
        fputs ("\\e", stdout);
      else if (*c == '-')
        fputs ("\\-", stdout);
      else
        fputc (*c, stdout);
    }
}

/* Paragraphs are separated by empty lines; indented lines stand as they are. */
static void
print_paragraphs (const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  gboolean literal = FALSE;

  for (guint i = 0; lines[i]; i++)
    {
      gboolean indented = g_str_has_prefix (lines[i], "  ");
      if (indented != literal)
        puts (indented ? ".nf" : ".fi");
      literal = indented;
      if (*lines[i])
        {
          print_text (lines[i]);
          putchar ('\n');
        }
      else
        puts (".PP");
    }
  if (literal)
    puts (".fi");
}

static void
print_options (const GOptionEntry *entries)
{
  for (; entries && entries->long_name; entries++)
    {
      if (entries->flags & G_OPTION_FLAG_HIDDEN)
        continue;
      puts (".TP");
      fputs (".B ", stdout);
      if (entries->short_name)
        printf ("\\-%c, ", entries->short_name);
      fputs ("\\-\\-", stdout);
      print_text (entries->long_name);
      if (entries->arg_description)
        {
          fputs (" \\fI", stdout);
          print_text (entries->arg_description);
          fputs ("\\fR", stdout);
        }
      putchar ('\n');
      print_text (entries->description ? entries->description : "");
      putchar ('\n');
    }
}

static void
print_title (const char *page, const char *summary)
{
  g_autofree char *upper = g_ascii_strup (page, -1);

  printf (".TH %s 1 \"\" \"weft %s\" \"Weft\"\n.SH NAME\n", upper, PACKAGE_VERSION);
  print_text (page);
  fputs (" \\- ", stdout);
  print_text (summary);
  putchar ('\n');
}

void
weft_manual_command (const char *command, const char *arguments, const char *description, const GOptionEntry *own,
                     const GOptionEntry *common)
{
  g_autofree char *page = g_strconcat ("weft-", command, NULL);
  g_autofree char *summary = g_strndup (description, strcspn (description, ".;:\n"));

  print_title (page, summary);
  fputs (".SH SYNOPSIS\n.B weft ", stdout);
  print_text (command);
  fputs ("\n[\\fIOPTION\\fR\\&...] ", stdout);
  print_text (arguments ? arguments : "");
  puts ("\n.SH DESCRIPTION");
  print_paragraphs (description);
  puts (".SH OPTIONS");
  print_options (own);
  print_options (common);
  puts (".SH SEE ALSO\n.BR weft (1)");
}

void
weft_manual_overview (const WeftCommand *commands, guint n)
{
  print_title ("weft", "dataflow graphs of operator plugins for image-text retrieval");
  puts (".SH SYNOPSIS\n.B weft\n\\fICOMMAND\\fR [\\fIOPTION\\fR\\&...] [\\fIARGUMENT\\fR\\&...]\n.SH COMMANDS");
  for (guint i = 0; i < n; i++)
    {
      fputs (".TP\n.BR weft\\-", stdout);
      print_text (commands[i].name);
      puts (" (1)");
      print_text (commands[i].summary);
      putchar ('\n');
    }
  puts (".SH ENVIRONMENT\n.TP\n.B WEFT_PLUGIN_PATH\nDirectories or files of modules, separated by colons.\n"
        ".TP\n.B WEFT_INCLUDE_PATH\nFurther directories from which pipelines may include files, separated by colons.\n"
        ".TP\n.B WEFT_DATA\nWhere pipelines look for data sets.\n"
        ".SH EXIT STATUS\n0: done. 1: something in a pipeline or file is wrong. 2: something in the command line is wrong.");
}

void
weft_manual_names (const GOptionEntry *entries)
{
  for (; entries && entries->long_name; entries++)
    if (!(entries->flags & G_OPTION_FLAG_HIDDEN))
      printf ("--%s%s\n", entries->long_name, entries->arg == G_OPTION_ARG_NONE ? "" : "=");
}
