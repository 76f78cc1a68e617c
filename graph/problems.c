/* Mistakes found in a document, gathered so that all of them are reported at once.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "problems.h"

#include <string.h>

#include <weft/operator.h>

/* More than this is noise: the first ones usually cause the rest. */
#define REPORTED 100
#define LONGEST_MESSAGE 2000
#define LONGEST_NAME 64
#define FEW_CHOICES 16

typedef struct
{
  WeftMark mark;
  guint order;
  char *text;
} Problem;

struct _WeftProblems
{
  GArray *problems;
  GHashTable *texts; /* the same message twice (an alias, a module used twice) is one mistake */
};

/* Asked anew each time: what G_DEFINE_QUARK() keeps is written in no order by threads that fail at once. */
GQuark
weft_error_quark (void)
{
  return g_quark_from_static_string ("weft-error-quark");
}

static void
problem_clear (gpointer data)
{
  Problem *problem = data;
  g_free (problem->text);
}

WeftProblems *
weft_problems_new (void)
{
  WeftProblems *problems = g_new0 (WeftProblems, 1);
  problems->problems = g_array_new (FALSE, FALSE, sizeof (Problem));
  g_array_set_clear_func (problems->problems, problem_clear);
  problems->texts = g_hash_table_new (g_str_hash, g_str_equal);
  return problems;
}

void
weft_problems_free (WeftProblems *problems)
{
  if (!problems)
    return;
  g_hash_table_unref (problems->texts);
  g_array_unref (problems->problems);
  g_free (problems);
}

/* What a user wrote may hold anything; a terminal must not act on it. */
static char *
printable (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *result = g_string_new (NULL);
  for (const char *at = valid; *at; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);
      if (result->len > LONGEST_MESSAGE)
        {
          g_string_append (result, " …");
          break;
        }
      if (c != '\n' && g_unichar_iscntrl (c))
        g_string_append_printf (result, "\\x%02x", c);
      else
        g_string_append_unichar (result, c);
    }
  return g_string_free (result, FALSE);
}

void
weft_problems_add (WeftProblems *problems, WeftMark mark, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *message = g_strdup_vprintf (format, arguments);
  va_end (arguments);

  g_autoptr (GString) text = g_string_new (NULL);
  if (mark.file)
    g_string_append (text, mark.file);
  if (mark.file && mark.line)
    g_string_append_printf (text, ":%u:%u", mark.line, mark.column);
  if (mark.file)
    g_string_append (text, ": ");
  g_string_append (text, message);

  Problem problem = { mark, problems->problems->len, printable (text->str) };
  if (g_hash_table_contains (problems->texts, problem.text))
    {
      g_free (problem.text);
      return;
    }
  g_array_append_val (problems->problems, problem);
  g_hash_table_add (problems->texts, problem.text);
}

guint
weft_problems_count (const WeftProblems *problems)
{
  return problems->problems->len;
}

const char *
weft_problems_get (const WeftProblems *problems, guint index)
{
  g_assert (index < problems->problems->len);
  return g_array_index (problems->problems, Problem, index).text;
}

static int
compare_problems (gconstpointer a, gconstpointer b)
{
  const Problem *first = *(const Problem *const *) a, *second = *(const Problem *const *) b;
  int files = g_strcmp0 (first->mark.file, second->mark.file);
  if (files)
    return files;
  if (first->mark.line != second->mark.line)
    return first->mark.line < second->mark.line ? -1 : 1;
  if (first->mark.column != second->mark.column)
    return first->mark.column < second->mark.column ? -1 : 1;
  return first->order < second->order ? -1 : 1;
}

gboolean
weft_problems_to_error (const WeftProblems *problems, GError **error)
{
  guint n = problems->problems->len;
  if (n == 0)
    return TRUE;
  g_autoptr (GPtrArray) sorted = g_ptr_array_sized_new (n);
  for (guint i = 0; i < n; i++)
    g_ptr_array_add (sorted, &g_array_index (problems->problems, Problem, i));
  g_ptr_array_sort (sorted, compare_problems);

  g_autoptr (GString) all = g_string_new (NULL);
  for (guint i = 0; i < MIN (n, REPORTED); i++)
    g_string_append_printf (all, "%s%s", i ? "\n" : "", ((const Problem *) sorted->pdata[i])->text);
  if (n > REPORTED)
    g_string_append_printf (all, "\n… and %u more", n - REPORTED);
  g_set_error_literal (error, WEFT_ERROR, WEFT_ERROR_INPUT, all->str);
  return FALSE;
}

/* Letters that are easily taken for each other cost nothing. */
static char
fold (char c)
{
  return c == '-' ? '_' : g_ascii_tolower (c);
}

/* Damerau and Levenshtein's distance with adjacent transpositions (optimal string alignment). */
static guint
distance (const char *a, const char *b)
{
  gsize n = strlen (a), m = strlen (b);
  guint rows[3][LONGEST_NAME + 1];
  guint *before = rows[0], *last = rows[1], *row = rows[2];
  for (gsize j = 0; j <= m; j++)
    last[j] = (guint) j;
  for (gsize i = 1; i <= n; i++)
    {
      row[0] = (guint) i;
      for (gsize j = 1; j <= m; j++)
        {
          guint cost = fold (a[i - 1]) != fold (b[j - 1]);
          row[j] = MIN (MIN (last[j] + 1, row[j - 1] + 1), last[j - 1] + cost);
          if (i > 1 && j > 1 && fold (a[i - 1]) == fold (b[j - 2]) && fold (a[i - 2]) == fold (b[j - 1]))
            row[j] = MIN (row[j], before[j - 2] + 1);
        }
      guint *oldest = before;
      before = last;
      last = row;
      row = oldest;
    }
  return last[m];
}

const char *
weft_nearest (const char *word, const char *const *choices)
{
  gsize length = strlen (word);
  if (!choices || length > LONGEST_NAME)
    return NULL;
  guint allowed = (guint) (length + 1) / 3;
  const char *best = NULL;
  guint best_distance = allowed + 1;
  for (guint i = 0; choices[i]; i++)
    {
      if (strlen (choices[i]) > LONGEST_NAME)
        continue;
      guint d = distance (word, choices[i]);
      if (d < best_distance)
        {
          best = choices[i];
          best_distance = d;
        }
    }
  return best;
}

char *
weft_suggestion (const char *word, const char *const *choices)
{
  GString *text = g_string_new (NULL);
  const char *near = weft_nearest (word, choices);
  if (near)
    g_string_append_printf (text, "; did you mean \"%s\"?", near);
  guint n = choices ? g_strv_length ((char **) choices) : 0;
  if (n > 0 && n <= FEW_CHOICES)
    {
      g_autofree char *list = g_strjoinv (", ", (char **) choices);
      g_string_append_printf (text, "; valid: %s", list);
    }
  return g_string_free (text, FALSE);
}
